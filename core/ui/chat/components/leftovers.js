// A run in the middle of an answer draws it anew, in fewer elements: what the run before left behind
// them is not shown a second time. Once hidden it stays so until it goes, or something new is drawn
// in its place: while a further run begins all of it is stale, and between the two nothing is.
// Part of one module with composer.js; it looks before each painting.

const LEFT_OVER = "data-left-over";
const DRAWN_ANEW = `:is(
  [data-testid="stElementContainer"][data-stale="false"]:has([data-testid="stMarkdown"]),
  [data-testid="stLayoutWrapper"]:has([class*="st-key-growing-code-"] [data-stale="false"])
)`;
const OF_BEFORE = `:is(
  [data-stale="true"],
  [data-testid="stLayoutWrapper"]:has([data-stale="true"]):not(:has([data-stale="false"]))
)`;
const BEHIND_THE_MARK = `[data-testid="stElementContainer"]:has(.inkling-growing) ~`;
const LEFT_BEHIND = [BEHIND_THE_MARK, `${BEHIND_THE_MARK} *`]
  .map((place) => `${place} ${DRAWN_ANEW} ~ ${OF_BEFORE}`)
  .join();

const marks = document.getElementsByClassName("inkling-growing"); // answer/places.py
const hidden = new Map(); // what is hidden, and the text it had

function hideLeftovers() {
  if (!marks.length && !hidden.size) return;
  const growing = [...marks]
    .map((mark) => mark.closest('[data-testid="stVerticalBlock"]'))
    .filter(Boolean);
  const isBetween = !!document.querySelector('[data-test-script-state="notRunning"]');
  for (const [one, text] of hidden) {
    const isAsBefore = one.textContent === text && (isBetween || one.matches(OF_BEFORE));
    if (isAsBefore && growing.some((answer) => answer.contains(one))) continue;
    one.removeAttribute(LEFT_OVER);
    hidden.delete(one);
  }
  for (const answer of growing) {
    for (const one of answer.querySelectorAll(LEFT_BEHIND)) {
      one.setAttribute(LEFT_OVER, "");
      hidden.set(one, one.textContent);
    }
  }
}

function watchLeftovers() {
  new MutationObserver(hideLeftovers).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["data-stale", "data-test-script-state"],
  });
}
