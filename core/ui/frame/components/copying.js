// Copies what was said by one click, also where a browser gives a page no clipboard (plain http).
// No library; texts come with `data`. Installed once for a page, at the document.

const INSTALLED = Symbol.for("inkling.copying");
const TICK_MS = 2000;
const OFFER_MS = 10000;
const WRITTEN = '[data-testid="stMarkdownContainer"]';
// What stands in a message but is not its text: the reasoning, figures, bars of buttons, remarks.
const BESIDE = '[data-testid="stExpander"], [data-testid="stCaptionContainer"], [data-testid="stAlert"], button';

export default function ({ data }) {
  const state = (window[INSTALLED] ||= install());
  state.texts = data.texts;
}

function install() {
  const state = { texts: {} };
  // Streamlit's own copy buttons, on code, know this way only.
  if (!navigator.clipboard) {
    const clipboard = { writeText: async (text) => { if (!copySelected(text)) throw new Error("refused"); } };
    Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
  }
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-copy]") : null;
    if (button) copy(state, button);
  });
  document.documentElement.dataset.copying = "";
  return state;
}

async function copy(state, button) {
  const bar = button.closest("[data-source]");
  const isPlain = button.dataset.copy === "text";
  const text = isPlain ? plainText(bar) : JSON.parse(bar.dataset.source);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copySelected(text)) {
      say(state, bar, button, state.texts.refused, false);
      return;
    }
  }
  say(state, bar, button, state.texts.done, true);
}

// A hidden field's selection, copied within the click: needs neither https nor a permission.
function copySelected(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.cssText = "position: fixed; top: 0; left: -100vw; font-size: 16px;";
  (before && before.closest('[role="dialog"]') || document.body).append(field);
  field.select();
  let isCopied = false;
  try {
    isCopied = document.execCommand("copy");
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
  return isCopied;
}

// What is seen of a message: formulas as they were written, the rest as the page lays it out.
function plainText(bar) {
  const message = bar.closest('[data-testid="stChatMessage"]');
  const seen = document.createElement("div");
  seen.style.cssText = "position: fixed; top: 0; left: -200vw; width: 80ch; white-space: normal;";
  for (const part of message.querySelectorAll(WRITTEN)) {
    if (part.closest(BESIDE) || part.parentElement.closest(WRITTEN)) continue;
    seen.append(part.cloneNode(true));
  }
  for (const formula of seen.querySelectorAll(".katex")) {
    const source = formula.querySelector('annotation[encoding="application/x-tex"]');
    if (source) formula.replaceWith(source.textContent);
  }
  for (const part of seen.querySelectorAll("button, style, svg")) part.remove();
  document.body.append(seen);
  const text = seen.innerText.trim();
  seen.remove();
  return text;
}

function say(state, bar, button, words, isDone) {
  const said = bar.querySelector('[role="status"]');
  said.textContent = words;
  said.classList.toggle("refused", !isDone);
  button.classList.toggle("done", isDone);
  if (isDone) bar.classList.add("offers-text");
  clearTimeout(bar.tick);
  clearTimeout(bar.offer);
  bar.tick = setTimeout(() => {
    button.classList.remove("done");
    said.textContent = "";
  }, TICK_MS);
  bar.offer = setTimeout(() => bar.classList.remove("offers-text"), OFFER_MS);
}
