// What browsers do and Streamlit does not see to: compositions, pasted pictures, names of its own parts,
// the tab's title, the sidebar of a phone.
// No library; texts come with `data`. Installed once for a page, at the window.

const INSTALLED = Symbol.for("inkling.browser");
const DROPZONE = '[data-testid="stFileUploaderDropzone"]';
const FILE_INPUT = 'input[data-testid="stFileUploaderDropzoneInput"]';
const NAMING = ["aria-label", "aria-valuetext", "placeholder", "alt"];
const WRITTEN = '[data-testid="stMarkdownContainer"]';
const IN_WRITTEN = 'a[aria-label="Link to heading"], span[aria-label$=" icon"], button';
// Parts whose text is Streamlit's alone.
const SPEAKING = [
  "InputInstructions", "stSkipToContent", "stDateInputFieldsScroller", "stDateInputQuickSelect",
  "stDateInputQuickSelectPopover", "stDateInputCalendar", "stStatusWidget", "stConnectionStatus",
  "stSelectboxVirtualDropdown",
].map((name) => `[data-testid="${name}"]`).concat("[aria-live]").join();
const PICTURES = '[class*="st-key-image-reference"]';
const PHONE = "(max-width: 768px)"; // where Streamlit lays the sidebar over the page
const CLOSE_SIDEBAR = '[data-testid="stSidebarCollapseButton"] button';
const NEW_CONVERSATION = ".st-key-new-conversation button";
// A button that puts a notice away for as long as the tab is open: st-key-away-NAME hides st-key-NAME.
const AWAY = "st-key-away-";
const PUT_AWAY = "inkling.put-away";
const FINISHED = "● "; // before the title of a tab that nobody looks at, once an answer is there
const refusals = new Set(); // in Streamlit's words; a tip repeats them
// Beside what a browser knows as pictures, since some know no HEIC.
const ACCEPTED = "image/*,.heic,.heif,.avif,.webp,.tif,.tiff,.bmp";

export default function ({ data }) {
  const state = (window[INSTALLED] ||= install());
  state.texts = data.texts;
  takeWords(state, data.words);
  document.documentElement.lang = data.language;
  state.name();
}

function install() {
  const state = { texts: {}, words: wordsOf({}), name: () => {} };
  window.addEventListener("keydown", endComposition, true);
  window.addEventListener("paste", pastePicture, true);
  window.addEventListener("click", seeClick, true);
  window.addEventListener("keyup", enterMenu, true);
  window.addEventListener("inkling-chosen", closeSidebarOfPhone);
  watchTitle();
  link("manifest", "manifest.json");
  link("apple-touch-icon", "icon-192.png");
  hidePutAway();
  let isDue = false;
  state.name = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      nameParts(state.texts);
      nameStreamlits(state.words);
    });
  };
  new MutationObserver(state.name).observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: NAMING,
    characterData: true,
  });
  return state;
}

// A menu opened by a key takes the focus only when every transition on the page has ended, and one whose
// part was taken away never ends: then the arrows would find nothing.
function enterMenu({ key }) {
  if (!["Enter", " ", "ArrowDown", "ArrowUp"].includes(key)) return;
  setTimeout(() => {
    const items = document.querySelectorAll('[role="menu"] [role="menuitem"]');
    const opener = document.activeElement?.closest('[aria-haspopup="menu"][aria-expanded="true"]');
    if (opener && items.length) items[key === "ArrowUp" ? items.length - 1 : 0].focus();
  }, 50);
}

// Streamlit's words come along, or by an address: that differs by language, and is fetched once.
async function takeWords(state, { table, address }) {
  if (state.known === (address || table)) return;
  state.known = address || table;
  const asked = state.known;
  try {
    const words = table || await (await fetch(new URL(address, document.baseURI))).json();
    if (state.known !== asked) return;
    state.words = wordsOf(words);
    state.name();
  } catch {
    state.known = null; // asked for again with the next run; Streamlit's own words until then
  }
}

// Splits Streamlit's words into those that are looked up and those with something kept in them.
function wordsOf(table) {
  const plain = new Map();
  const patterns = [];
  for (const [english, own] of Object.entries(table)) {
    if (english === own) continue;
    if (!english.includes("{name}")) plain.set(english, own);
    else patterns.push([...english.split("{name}"), own]);
  }
  return { plain, patterns };
}

function ownOf(words, said) {
  const plain = words.plain.get(said);
  if (plain !== undefined) return plain;
  for (const [before, behind, own] of words.patterns) {
    const isSo = said.length > before.length + behind.length && said.startsWith(before) && said.endsWith(behind);
    if (isSo) return own.replace("{name}", () => said.slice(before.length, said.length - behind.length));
  }
  return said;
}

// Names and hints of Streamlit's own parts. What a person or a model wrote is left alone.
function nameStreamlits(words) {
  for (const element of document.querySelectorAll(NAMING.map((name) => `[${name}]`).join())) {
    if (element.closest(WRITTEN) && !element.matches(IN_WRITTEN)) continue;
    for (const name of NAMING) {
      const said = element.getAttribute(name);
      if (said) set(element, name, ownOf(words, said.trim()));
    }
  }
  for (const part of document.querySelectorAll(SPEAKING)) {
    const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (texts.currentNode.parentElement.closest(WRITTEN)) continue;
      const own = ownOf(words, texts.currentNode.data);
      if (own !== texts.currentNode.data) texts.currentNode.data = own;
    }
  }
}

// The Enter that takes an input method's word belongs to the input method. Chromium and Firefox send it
// within the composition; Safari right behind its end, where only the code 229 tells it from another.
function endComposition(event) {
  const isOfComposition = event.isComposing || event.keyCode === 229;
  if (isOfComposition && (event.key === "Enter" || event.key === "Escape")) {
    event.stopImmediatePropagation();
  }
}

// A picture in the clipboard becomes the reference, as if it had been chosen. Where text is pasted
// into a field, and a picture of that text comes along with it, the text is meant.
function pastePicture(event) {
  const input = document.querySelector(`${PICTURES} ${FILE_INPUT}`);
  const files = [...(event.clipboardData ? event.clipboardData.files : [])];
  const picture = files.find((file) => file.type.startsWith("image/"));
  if (!input || input.disabled || !picture) return;
  if (isField(event.target) && event.clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const chosen = new DataTransfer();
  chosen.items.add(picture);
  input.files = chosen.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function seeClick(event) {
  if (!(event.target instanceof Element)) return;
  if (event.target.closest(NEW_CONVERSATION)) closeSidebarOfPhone();
  const button = event.target.closest("button");
  const holder = button && button.closest(`[class*="${AWAY}"]`);
  const name = holder && [...holder.classList].find((one) => one.startsWith(AWAY));
  if (name) putAway(name.slice(AWAY.length));
}

function closeSidebarOfPhone() {
  const button = document.querySelector(CLOSE_SIDEBAR);
  if (button && window.matchMedia(PHONE).matches) button.click();
}

// -- notices that were put away: hidden by a style, also after a reload, until the tab closes

function putAway(name) {
  try {
    sessionStorage.setItem(PUT_AWAY, JSON.stringify([...namesPutAway(), name]));
  } catch {
    return; // storage is forbidden: the page itself leaves the notice out until it is loaded anew
  }
  hidePutAway();
}

function namesPutAway() {
  try {
    return JSON.parse(sessionStorage.getItem(PUT_AWAY) || "[]");
  } catch {
    return [];
  }
}

function hidePutAway() {
  const names = namesPutAway().filter((name) => /^[a-z-]+$/.test(name));
  if (!names.length) return;
  const style = document.getElementById(PUT_AWAY) || document.createElement("style");
  style.id = PUT_AWAY;
  const parts = names.map((name) => `.st-key-${name}, [data-testid="stLayoutWrapper"]:has(> .st-key-${name})`);
  style.textContent = `${parts.join()} { display: none !important; }`;
  document.head.append(style);
}

// What a phone takes to put the studio on its home screen (static/).
function link(rel, file) {
  const element = document.createElement("link");
  element.rel = rel;
  element.href = new URL(`app/static/${file}`, document.baseURI).href;
  document.head.append(element);
}

// -- the tab's title

// Streamlit writes the title anew with every run: the mark stays until somebody looks.
function watchTitle() {
  let isMarked = false;
  const write = () => {
    const plain = document.title.startsWith(FINISHED) ? document.title.slice(FINISHED.length) : document.title;
    const title = isMarked ? FINISHED + plain : plain;
    if (document.title !== title) document.title = title;
  };
  window.addEventListener("inkling-finished", () => {
    isMarked = document.hidden;
    write();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    isMarked = false;
    write();
  });
  new MutationObserver(write).observe(document.head, { childList: true, subtree: true, characterData: true });
}

function isField(element) {
  return element instanceof Element && element.closest("input, textarea, [contenteditable]") !== null;
}

function nameParts(texts) {
  for (const zone of document.querySelectorAll(DROPZONE)) {
    const label = zone.getAttribute("aria-label") || texts.choose;
    set(zone.querySelector(FILE_INPUT), "aria-label", label);
    set(zone.querySelector('[data-testid="stBaseButton-borderlessIcon"]'), "aria-label", texts.another);
    for (const chip of zone.querySelectorAll('[data-testid="stFileChip"]')) nameChip(chip, texts);
  }
  for (const told of document.querySelectorAll('[data-testid="stTooltipErrorContent"]')) {
    if (refusals.has(told.textContent)) say(told, texts.refused);
  }
  set(document.querySelector(`${PICTURES} ${FILE_INPUT}`), "accept", ACCEPTED);
}

function nameChip(chip, texts) {
  const file = chip.querySelector('[data-testid="stFileChipName"]');
  const remove = chip.querySelector('[data-testid="stFileChipDeleteBtn"] button');
  if (file) set(remove, "aria-label", `${texts.remove} ${file.textContent}`);
  const alert = chip.querySelector('[role="alert"]');
  if (alert && alert.textContent !== texts.refused) {
    refusals.add(alert.textContent.replace(/^Error: /, ""));
    say(alert, texts.refused);
  }
}

// The text node stays the framework's own: it may draw it anew, or take it away.
function say(element, words) {
  const [first, ...rest] = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  if (first) first.data = words;
  for (const node of rest) node.data = "";
}

function set(element, name, value) {
  if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
}
