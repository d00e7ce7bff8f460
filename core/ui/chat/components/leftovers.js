// A run in the middle of an answer draws it anew, in fewer elements: what the run before left behind
// them is not shown a second time. Once hidden it stays so until it goes, or something new is drawn
// in its place: while a further run begins all of it is stale, and between the two nothing is.
// Part of one module with composer.js; it looks before each painting.

const LEFT_OVER = "data-left-over";
const GROWING_MARK = ".inkling-growing"; // answer/places.py
const DRAWN_ANEW = `:is(
  [data-testid="stElementContainer"][data-stale="false"]:has([data-testid="stMarkdown"]),
  [data-testid="stLayoutWrapper"]:has([class*="st-key-growing-code-"] [data-stale="false"])
)`;
const OF_BEFORE = `:is(
  [data-stale="true"],
  [data-testid="stLayoutWrapper"]:has([data-stale="true"]):not(:has([data-stale="false"]))
)`;
const BEHIND_THE_MARK = `[data-testid="stElementContainer"]:has(${GROWING_MARK}) ~`;
const LEFT_BEHIND = [BEHIND_THE_MARK, `${BEHIND_THE_MARK} *`]
  .map((place) => `${place} ${DRAWN_ANEW} ~ ${OF_BEFORE}`)
  .join();

const hidden = new WeakMap(); // what is hidden, and the text it had

function hideLeftovers() {
  const growing = [...document.querySelectorAll(GROWING_MARK)]
    .map((mark) => mark.closest('[data-testid="stVerticalBlock"]'))
    .filter(Boolean);
  const isBetween = !!document.querySelector('[data-test-script-state="notRunning"]');
  for (const one of document.querySelectorAll(`[${LEFT_OVER}]`)) {
    const isAsBefore = one.matches(OF_BEFORE) || isBetween;
    const isSame = isAsBefore && hidden.get(one) === one.textContent;
    if (!isSame || !growing.some((answer) => answer.contains(one))) one.removeAttribute(LEFT_OVER);
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
