// Tells what is selected in an answer when its button 画成图 is pressed: that is drawn, not all of it.
// No library. Installed once for a page, at the document; without a selection the button does its own.

const INSTALLED = Symbol.for("inkling.drawing");
const BUTTON = '[class*="st-key-draw-"] button';
const ANSWER = '[data-testid="stChatMessage"]';
const WRITTEN = '[data-testid="stMarkdownContainer"]';
const LONGEST = 8000;

export default function ({ setTriggerValue }) {
  const state = (window[INSTALLED] ||= install());
  state.tell = setTriggerValue;
}

function install() {
  const state = { tell: null, held: null };
  // A finger on the button may take the selection away before the click comes.
  document.addEventListener("pointerdown", (event) => {
    const button = pressed(event);
    state.held = button ? { button, passage: selectedFor(button) } : null;
  }, true);
  document.addEventListener("click", (event) => {
    const button = pressed(event);
    if (!button || !state.tell) return;
    const held = state.held && state.held.button === button ? state.held.passage : "";
    const passage = selectedFor(button) || held;
    state.held = null;
    const id = idOf(button);
    if (!passage || !id) return;
    event.preventDefault();
    event.stopPropagation();
    state.tell("draw", [id, passage]);
    window.getSelection().removeAllRanges();
  }, true);
  return state;
}

function pressed(event) {
  return event.target instanceof Element ? event.target.closest(BUTTON) : null;
}

function idOf(button) {
  const place = button.closest('[class*="st-key-draw-"]');
  const name = [...place.classList].find((one) => one.startsWith("st-key-draw-"));
  return name ? name.slice("st-key-draw-".length) : "";
}

// What is selected, where all of it is text of the button's own answer.
function selectedFor(button) {
  const selection = window.getSelection();
  const answer = button.closest(ANSWER);
  if (!answer || !selection || selection.isCollapsed) return "";
  const ends = [selection.anchorNode, selection.focusNode];
  const isWithin = ends.every((node) => {
    const element = node instanceof Element ? node : node && node.parentElement;
    return element && answer.contains(element) && element.closest(WRITTEN) && !element.closest("button");
  });
  return isWithin ? selection.toString().trim().slice(0, LONGEST) : "";
}
