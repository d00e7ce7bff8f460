// The chat box at hand: drafts for each conversation, Esc stops, ↑ edits the last question, and the
// focus comes back. No library. One module with drafts.js, leftovers.js and places.js, put together by
// frame/page_files.py. Installed once for a page, at the document; where it finds no box, nothing
// happens. Names of parts are Streamlit 1.67's and our own keys.

const INSTALLED = Symbol.for("inkling.composer");
const BOX = '[data-testid="stChatInputTextArea"]';
const SEND = '[data-testid="stChatInputSubmitButton"]';
const STOP = ".st-key-stop-answer button";
const EDIT = '[class*="st-key-edit-"] button';
const EDITOR = '[class*="st-key-edited-"]';
const LEAVE = ".st-key-leave-editor button";
// What Esc, ↑ and the focus belong to while it is open.
const OPEN = '[role="dialog"], [role="listbox"], [role="menu"], [data-testid="stPopoverBody"]';
const BOX_TIMEOUT_MS = 10000;
const READ_OUT = 1000; // signs of an answer that has ended; more can be had from the page

export default function ({ data, parentElement }) {
  const state = (window[INSTALLED] ||= install());
  if (data.at < state.at) return; // of an earlier run, whose element is about to go
  state.at = data.at;
  state.texts = data.texts;
  state.region = regionIn(parentElement);
  state.end = endIn(state, parentElement);
  whenBox(state, (box) => {
    arrive(state, box, data);
    openField(state, data.focus);
    placeEnd(state);
  });
}

function install() {
  const state = { texts: {}, key: null, box: null, isRunning: false, isSent: false, round: 0, at: 0 };
  document.addEventListener("input", (event) => {
    if (isBox(event.target)) keep(state, event.target.value);
  });
  window.addEventListener("keydown", (event) => onKey(state, event), true);
  window.addEventListener("click", (event) => {
    const send = event.target instanceof Element && event.target.closest(SEND);
    if (send) sending(state, event);
  }, true);
  watchLeftovers();
  keepListsOpen();
  let isDue = false;
  document.addEventListener("scroll", () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      placeEnd(state);
    });
  }, { capture: true, passive: true });
  return state;
}

function arrive(state, box, data) {
  const isOther = state.key !== data.key || state.box !== box;
  const isCarried = state.isSent && state.box === box; // its first question made the conversation
  if (isOther && isCarried) keep(state, ""); // it goes along to the conversation
  // What stands in a new box was typed before this script came: it is no other conversation's.
  const early = state.box !== box ? box.value : "";
  state.key = data.key;
  state.box = box;
  state.isSent = false;
  if (isOther && !isCarried) write(box, withEarly(draftOf(data.key), early));
  keep(state, box.value);
  const hasEnded = state.isRunning && !data.running;
  if (data.running && !state.isRunning) state.region.textContent = state.texts.begun;
  if (hasEnded) state.region.textContent = `${state.texts.ended} ${lastAnswer()}`;
  state.isRunning = data.running;
  if (isOther || hasEnded || data.running) focusUnlessElsewhere(box);
}

// Its source, as its copy button has it.
function lastAnswer() {
  const messages = document.querySelectorAll('[data-testid="stChatMessage"]');
  const bar = messages[messages.length - 1]?.querySelector("[data-source]");
  return bar ? JSON.parse(bar.dataset.source).slice(0, READ_OUT) : "";
}

function withEarly(draft, early) {
  return !draft || early.startsWith(draft) ? early || draft : draft + early;
}

function onKey(state, event) {
  if (event.isComposing || event.keyCode === 229) return;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const stop = document.querySelector(STOP);
  if (event.key === "Escape" && isPlain && stop) {
    if (document.querySelector(OPEN)) return;
    event.preventDefault();
    stop.click();
  } else if (event.key === "Escape" && isPlain && event.target.closest?.(EDITOR)) {
    document.querySelector(LEAVE)?.click();
  } else if (isBox(event.target) && event.key === "Enter" && isPlain) {
    sending(state, event);
  } else if (isBox(event.target) && event.key === "ArrowUp" && isPlain && !event.target.value) {
    const edit = [...document.querySelectorAll(EDIT)].pop();
    if (!edit) return;
    event.preventDefault();
    edit.click();
  }
}

// What is sent while an answer is written would be refused: it stays in the box, and that is said.
function sending(state, event) {
  const box = document.querySelector(BOX);
  if (!box || !box.value.trim()) return;
  if (document.querySelector(STOP)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    state.region.textContent = "";
    setTimeout(() => { state.region.textContent = state.texts.wait; });
    hint(box, state.texts.wait);
    return;
  }
  state.isSent = true;
  setTimeout(() => keep(state, box.value)); // empty once it is on its way
}

function hint(box, words) {
  box.setCustomValidity(words);
  box.reportValidity(); // the browser's own bubble, at the box
  box.addEventListener("input", () => box.setCustomValidity(""), { once: true });
  setTimeout(() => box.setCustomValidity(""), 4000);
}

function focusUnlessElsewhere(box) {
  const active = document.activeElement;
  const isElsewhere = active && active !== document.body && active !== box;
  const isTouch = !window.matchMedia("(pointer: fine)").matches; // its keyboard would cover the page
  const selected = document.getSelection();
  if (isElsewhere || isTouch || (selected && !selected.isCollapsed) || document.querySelector(OPEN)) return;
  box.focus({ preventScroll: true });
}

// -- the box comes after this script, and is made anew on every page

function whenBox(state, act) {
  const round = (state.round += 1);
  const box = document.querySelector(BOX);
  if (box) {
    act(box);
    return;
  }
  const watcher = new MutationObserver(() => {
    const found = document.querySelector(BOX);
    if (!found && round === state.round) return;
    watcher.disconnect();
    if (found && round === state.round) act(found);
  });
  watcher.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => watcher.disconnect(), BOX_TIMEOUT_MS);
}

function isBox(element) {
  return element instanceof Element && element.matches(BOX);
}

// What somebody who does not see the page is told: that an answer begins, and then all of it.
function regionIn(parentElement) {
  const found = parentElement.querySelector('[role="status"]');
  if (found) return found;
  const region = document.createElement("div");
  region.setAttribute("role", "status");
  region.style.cssText = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);";
  parentElement.append(region);
  return region;
}
