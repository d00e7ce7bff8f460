// Pictures in the browser: the large view's address and Back, swipes, zoom, ranges, the draft of the form.
// No library; texts come with `data`. Installed once for a page, at the window; reads the document only.

const INSTALLED = Symbol.for("inkling.pictures");
const DRAFT = "inkling.images.draft";
const LARGE = ".st-key-large-picture img";
const FOLD = ".st-key-image-reference-fold";
const UNFOLDING_MS = 1000;
const SWIPE_PX = 60;
const PROMPT = ".st-key-image-prompt textarea";
const UNDO = ".st-key-gallery-undo button";
const DELETING_MS = 10000;
const GOING_BACK_MS = 3000;
const GREETING_MS = 3000;
const ZOOM_STEP = 1.5;
const ZOOM_MOST = 8;

let unfoldedAt = -UNFOLDING_MS;

export default function ({ data, setTriggerValue }) {
  const state = (window[INSTALLED] ||= install());
  state.texts = data.texts;
  if (data.draft) state.draft = `${DRAFT}.${data.draft.of}`; // one browser may have several owners
  state.tell = setTriggerValue;
  goBackFrom(state, data.closing);
  comeIntoView(state, data.top);
  if (data.draft) keepDraft(state, data.draft);
  if (data.draft) greet(state);
  if (data.reference !== state.reference && data.reference) unfold();
  state.reference = data.reference;
}

function install() {
  const state = { texts: {}, tell: () => {}, tops: {}, lastTile: null, draft: DRAFT, isRestored: false, touch: null };
  window.addEventListener("click", (event) => onClick(state, event), true);
  window.addEventListener("keydown", (event) => onKey(state, event), true);
  window.addEventListener("input", (event) => onInput(state, event), true);
  window.addEventListener("dragenter", unfoldForFiles, true);
  window.addEventListener("change", unfoldForFiles, true);
  window.addEventListener("touchstart", (event) => (state.touch = touchOf(event)), { passive: true });
  window.addEventListener("touchend", (event) => onTouchEnd(state, event), { passive: true });
  return state;
}

// -- the address of the large view: one entry in the history for one opening ----------------------

function pictureInAddress() {
  return new URL(document.URL).searchParams.get("p");
}

function goBackFrom(state, closing) {
  state.closing = closing;
  if (closing && pictureInAddress() === closing) history.back();
}

// Until then Streamlit forgets what it is told: the address brings a run of its own.
function isGoingBack(state) {
  return Boolean(state.closing) && pictureInAddress() === state.closing;
}

// Before Streamlit writes the same address by itself, which would be one more entry.
function step(direction) {
  const place = document.querySelector(`[class*="st-key-to-${direction}-"]`);
  const name = place && [...place.classList].find((one) => one.startsWith(`st-key-to-${direction}-`));
  const next = name && name.slice(`st-key-to-${direction}-`.length);
  if (!next || !pictureInAddress()) return;
  const address = new URL(document.URL);
  address.searchParams.set("p", next);
  history.replaceState(history.state, "", address);
}

function onClick(state, event) {
  if (!(event.target instanceof Element)) return;
  const stepped = event.target.closest('[class*="st-key-to-"] button');
  if (stepped && !stepped.disabled) step(stepped.closest('[class*="st-key-to-Left-"]') ? "Left" : "Right");
  if (event.target.matches(LARGE)) return zoom(state, event.target);
  pick(state, event);
}

function onKey(state, event) {
  if (event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return generate(event);
  if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
  if (state.closeZoom) return;
  const large = document.querySelector(LARGE);
  if (large && (event.key === "+" || event.key === "=")) return zoom(state, large);
  if (event.key === "Delete" || event.key === "Backspace") return remove(state, event);
  if (event.key === "ArrowLeft") step("Left");
  if (event.key === "ArrowRight") step("Right");
}

// The picture that is open, or the one whose tile has the focus; Enter then takes it back.
function remove(state, event) {
  const tile = event.target instanceof Element ? event.target.closest('[class*="st-key-tile-"]') : null;
  const id = document.querySelector(LARGE) ? pictureInAddress() : tile && idOf(tile);
  if (!id) return;
  event.preventDefault();
  const now = performance.now();
  const until = now + DELETING_MS;
  let isTold = false;
  const look = () => {
    if (!isTold && (!isGoingBack(state) || performance.now() > now + GOING_BACK_MS)) {
      isTold = true;
      state.tell("delete", id);
    }
    const undo = document.querySelector(UNDO);
    const isGone = !document.querySelector(`.st-key-tile-${id}`) && pictureInAddress() !== id;
    if (isGone && undo && !document.querySelector('[role="dialog"]')) undo.focus();
    else if (performance.now() < until) requestAnimationFrame(look);
  };
  look();
}

function idOf(tile) {
  return [...tile.classList].find((one) => one.startsWith("st-key-tile-")).slice("st-key-tile-".length);
}

function isField(element) {
  return element instanceof Element && element.closest("input, textarea, [contenteditable]") !== null;
}

function touchOf(event) {
  const touch = event.touches.length === 1 ? event.touches[0] : null;
  const isHere = touch && event.target instanceof Element && event.target.closest(".st-key-large-picture");
  return isHere ? { x: touch.clientX, y: touch.clientY } : null;
}

function onTouchEnd(state, event) {
  const from = state.touch;
  state.touch = null;
  if (!from || event.touches.length) return;
  const across = event.changedTouches[0].clientX - from.x;
  const down = event.changedTouches[0].clientY - from.y;
  if (Math.abs(across) < SWIPE_PX || Math.abs(across) < 2 * Math.abs(down)) return;
  const button = document.querySelector(`[class*="st-key-to-${across > 0 ? "Left" : "Right"}-"] button`);
  if (button) button.click();
}

// -- zoom: the original over the whole window, fitted or as large as it is ------------------------

function zoom(state, picture) {
  const { texts } = state;
  const over = document.createElement("div");
  over.setAttribute("role", "dialog");
  over.setAttribute("aria-modal", "true");
  over.setAttribute("aria-label", texts.open);
  over.className = "inkling-zoom";
  over.style.cssText = "position:fixed;inset:0;z-index:2000000;background:#101315;overflow:auto;display:grid";
  const large = document.createElement("img");
  large.src = picture.currentSrc || picture.src;
  large.alt = picture.alt;
  const bar = document.createElement("div");
  bar.style.cssText = "position:fixed;top:8px;right:8px;display:flex;gap:8px";
  let scale = 0; // 0: fitted
  const draw = () => {
    const width = scale ? `${Math.round(large.naturalWidth * scale)}px` : "auto";
    large.style.cssText = `margin:auto;width:${width};${scale ? "max-width:none;cursor:zoom-out"
      : "max-width:100vw;max-height:100vh;cursor:zoom-in"}`;
  };
  const fitted = () => large.getBoundingClientRect().width / (large.naturalWidth || 1);
  const change = (factor) => {
    scale = Math.min(ZOOM_MOST, Math.max(0.05, (scale || fitted()) * factor));
    draw();
  };
  const close = () => {
    over.remove();
    window.removeEventListener("keydown", keys, true);
    window.removeEventListener("popstate", close);
    state.closeZoom = null;
    picture.focus?.();
  };
  const keys = (event) => {
    if (!over.isConnected) return close(); // its dialog went: the keys are the page's again
    const act = { Escape: close, "+": () => change(ZOOM_STEP), "=": () => change(ZOOM_STEP),
      "-": () => change(1 / ZOOM_STEP), 0: () => ((scale = 0), draw()), 1: () => ((scale = 1), draw()) }[event.key];
    event.stopImmediatePropagation(); // neither the dialog below nor a shortcut is meant
    if (act) {
      event.preventDefault();
      act();
    }
  };
  // Fitted, a click shows it as large as it is, where it was clicked.
  large.addEventListener("click", (event) => {
    const at = [event.offsetX / large.clientWidth, event.offsetY / large.clientHeight];
    scale = scale ? 0 : 1;
    draw();
    over.scrollTo(large.clientWidth * at[0] - over.clientWidth / 2, large.clientHeight * at[1] - over.clientHeight / 2);
  });
  over.addEventListener("click", (event) => event.target === over && close());
  for (const [sign, name, act] of [
    ["+", texts.closer, () => change(ZOOM_STEP)],
    ["−", texts.farther, () => change(1 / ZOOM_STEP)],
    ["1:1", texts.full, () => ((scale = 1), draw())],
    ["⤢", texts.fit, () => ((scale = 0), draw())],
    ["✕", texts.close, close],
  ]) bar.append(button(sign, name, act));
  over.append(large, bar);
  draw();
  (picture.closest('[role="dialog"]') || document.body).append(over);
  state.closeZoom = close;
  window.addEventListener("keydown", keys, true);
  window.addEventListener("popstate", close, { once: true });
  bar.lastChild.focus();
}

function button(sign, name, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = sign;
  made.title = name;
  made.setAttribute("aria-label", name);
  made.style.cssText = "min-width:44px;min-height:44px;border-radius:8px;border:1px solid #8a8a8a;"
    + "background:#1f2428;color:#e8e6e1;font:600 1rem sans-serif;cursor:pointer";
  made.addEventListener("click", act);
  return made;
}

// -- many at once: a click with Shift picks all from the last one ---------------------------------

function pick(state, event) {
  const tile = event.target.closest('[class*="st-key-tile-"]');
  if (!tile || !tile.querySelector('input[type="checkbox"]')) return;
  const id = idOf(tile);
  if (event.shiftKey && state.lastTile && state.lastTile !== id) {
    event.preventDefault();
    event.stopImmediatePropagation();
    state.tell("range", [state.lastTile, id]);
  }
  state.lastTile = id;
}

// -- what is new comes into view ------------------------------------------------------------------

function comeIntoView(state, [name, word]) {
  const before = state.tops[name];
  state.tops[name] = word;
  if (before === undefined || before === word) return;
  const part = document.querySelector(`.st-key-${name}`);
  if (!part) return;
  const at = part.getBoundingClientRect().top;
  if (at >= 0 && at < 0.6 * window.innerHeight) return;
  part.style.scrollMarginTop = "4rem"; // Streamlit's own head lies over the page
  // At once: what is drawn meanwhile would break a smooth one off.
  part.scrollIntoView({ block: "start" });
}

// -- the form -------------------------------------------------------------------------------------

// Whoever comes to the form by keys begins to write; a keyboard on glass would cover the page.
function greet(state) {
  if (state.field?.isConnected || !matchMedia("(pointer: fine)").matches) return;
  const until = performance.now() + GREETING_MS;
  const look = () => {
    const field = document.querySelector(PROMPT);
    const isBusy = !field || document.querySelector('[role="dialog"]');
    if (isBusy && performance.now() < until) return void requestAnimationFrame(look);
    state.field = field;
    if (!isBusy && document.activeElement === document.body) field.focus({ preventScroll: true });
  };
  look();
}

// As with the mouse: leaving the field tells the server its words, then comes the click.
function generate(event) {
  const field = event.target instanceof Element && event.target.closest(".st-key-image-form textarea");
  const press = document.querySelector(".st-key-generate button");
  if (!field || !press || press.disabled) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  field.blur();
  press.click();
  field.focus();
}

function onInput(state, event) {
  if (!(event.target instanceof Element) || !event.target.closest(".st-key-image-prompt")) return;
  write(state, { ...read(state), prompt: event.target.value });
}

function keepDraft(state, { held, is_fresh: isFresh }) {
  const kept = read(state);
  if (isFresh && !state.isRestored && kept && kept.prompt && !held.prompt) {
    state.isRestored = true;
    state.tell("draft", kept);
    return;
  }
  state.isRestored = true;
  const typed = document.querySelector(PROMPT);
  const isTyping = typed && typed === document.activeElement;
  write(state, { ...held, prompt: isTyping ? typed.value : held.prompt });
}

function read(state) {
  try {
    return JSON.parse(sessionStorage.getItem(state.draft));
  } catch {
    return null; // no storage here, or not ours
  }
}

function write(state, draft) {
  try {
    sessionStorage.setItem(state.draft, JSON.stringify(draft));
  } catch {
    // A browser without storage: the draft is as long as the page.
  }
}

// A file that is dragged over the page finds its place open; one that was pasted is seen in it.
function unfoldForFiles(event) {
  const isDragged = event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const isChosen = event.target instanceof Element && event.target.matches(`${FOLD} input[type="file"]`);
  if (isDragged || isChosen) unfold();
}

function unfold() {
  const summary = document.querySelector(`${FOLD} details:not([open]) summary`);
  const now = performance.now();
  if (!summary || now - unfoldedAt < UNFOLDING_MS) return; // it is on its way already
  unfoldedAt = now;
  summary.click();
}
