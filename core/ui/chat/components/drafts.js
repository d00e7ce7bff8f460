// Drafts, in this browser only, under a name of owner and conversation.
// Part of one module with composer.js.

const DRAFTS = "inkling.drafts";
const MOST_DRAFTS = 50;
const LONGEST_DRAFT = 100000; // characters; a longer paste would be written anew with every key

function drafts() {
  try {
    return JSON.parse(localStorage.getItem(DRAFTS)) || {};
  } catch {
    return {};
  }
}

function draftOf(key) {
  const found = drafts()[key];
  return found ? found.text : "";
}

function keep(state, text) {
  if (state.key === null || text.length > LONGEST_DRAFT) return;
  const all = drafts();
  if (text === (all[state.key] ? all[state.key].text : "")) return;
  if (text) all[state.key] = { text, at: Date.now() };
  else delete all[state.key];
  const newest = Object.entries(all).sort(([, one], [, other]) => other.at - one.at).slice(0, MOST_DRAFTS);
  try {
    localStorage.setItem(DRAFTS, JSON.stringify(Object.fromEntries(newest)));
  } catch {
    // forbidden or full: the draft lives as long as the page
  }
}

// As if it had been typed: the box belongs to the framework, which hears of it by the event.
function write(box, text) {
  if (box.value === text) return;
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
  set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
