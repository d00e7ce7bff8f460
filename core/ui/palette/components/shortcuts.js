// Keyboard shortcuts of every page, and the arrow keys in the list of what was found.
// No library. Installed once for a page, at the window; what the server is to do comes back as a trigger.

const INSTALLED = Symbol.for("inkling.shortcuts");
const COPY = '[data-testid="stChatMessage"] [data-copy="markdown"]';
const THINKING = '[class*="st-key-thinking-"] input';
const QUERY = ".st-key-palette-query input";
const RESULTS = ".st-key-palette-results";
const FOUND = "[data-palette-query]";

// By the key's place, so that they are the same on every layout, and on a Mac no special sign.
const WITH_ALT = { KeyN: "new", KeyC: copyLast, KeyT: toggleThinking, ArrowUp: "previous", ArrowDown: "next" };

export default function ({ setTriggerValue }) {
  const state = (window[INSTALLED] ||= install());
  state.act = (what) => setTriggerValue("act", what);
}

function install() {
  const state = { act: () => {}, opens: null, query: null };
  window.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const act = actOf(state, event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (typeof act === "function") act(event);
    else state.act(act);
  }, true);
  new MutationObserver(() => {
    focusQuery(state);
    openFound(state);
  }).observe(document.body, { childList: true, subtree: true });
  return state;
}

function actOf(state, event) {
  const isField = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
  const { ctrlKey, metaKey, altKey, shiftKey, code, key } = event;
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "k") return "search";
  const results = document.querySelector(RESULTS);
  if (results && !ctrlKey && !metaKey && !altKey) {
    if (code === "ArrowDown" || code === "ArrowUp") return () => moveIn(results, code === "ArrowDown" ? 1 : -1);
    if (key === "Enter" && event.target.matches(QUERY)) return () => openFirst(state, event.target.value);
    return null;
  }
  if (document.querySelector('[role="dialog"]')) return null;
  if (key === "?" && !ctrlKey && !metaKey && !altKey && !isField) return "sheet";
  if (!altKey || ctrlKey || metaKey || shiftKey) return null;
  if (key === "Dead" && isField) return null; // Option+N begins ñ on a Mac
  if (code.startsWith("Arrow") && isField && event.target.value) return null; // moves in what is written
  return WITH_ALT[code] || null;
}

function copyLast() {
  const all = document.querySelectorAll(COPY);
  const answers = [...all].filter((one) => one.parentElement.querySelector('[data-copy="text"]'));
  if (answers.length) answers[answers.length - 1].click();
}

function toggleThinking() {
  const toggle = document.querySelector(THINKING);
  if (toggle) toggle.click();
}

// -- the list of what was found

// A dialog gives the focus to its first button.
function focusQuery(state) {
  const query = document.querySelector(QUERY);
  if (query === state.query) return;
  state.query = query;
  if (query) requestAnimationFrame(() => query.focus());
}

function moveIn(results, step) {
  const all = [document.querySelector(QUERY), ...results.querySelectorAll("button")].filter(Boolean);
  const at = all.indexOf(document.activeElement);
  all[(at + step + all.length) % all.length].focus();
}

// The list belongs to what was typed a moment ago: Enter waits until it is the list of what is typed.
function openFirst(state, query) {
  state.opens = query.trim();
  openFound(state);
}

function openFound(state) {
  if (state.opens === null) return;
  const found = document.querySelector(FOUND);
  if (!found) {
    state.opens = null;
    return;
  }
  if (found.dataset.paletteQuery !== state.opens) return;
  state.opens = null;
  const first = document.querySelector(`${RESULTS} button`);
  if (first) first.click();
}
