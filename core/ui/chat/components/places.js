// Where the page stands: a field that was opened is in view, and a way leads to the end.
// Part of one module with composer.js.

const SCROLLERS = '[data-testid="stAppScrollToBottomContainer"], [data-testid="stMain"]';
const BOTTOM = '[data-testid="stBottomBlockContainer"]';
const SETTLED_MS = 1200;
const FAR_PX = 600; // from the end, before a way there is offered

// A field that was opened to be written in has the focus; once, since one may leave it.
function openField(state, key) {
  if (key === state.opened) return;
  state.opened = key;
  if (!key) return;
  const round = state.round;
  const look = () => {
    const field = document.querySelector(`.st-key-${key} :is(textarea, input)`);
    if (!field) return false;
    field.focus();
    keepInView(field);
    if (field.tagName === "INPUT") field.select();
    else field.setSelectionRange(field.value.length, field.value.length);
    return true;
  };
  if (look()) return;
  const watcher = new MutationObserver(() => {
    if (round !== state.round || look()) watcher.disconnect();
  });
  watcher.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => watcher.disconnect(), BOX_TIMEOUT_MS);
}

// The page may be on its way to its end, where it is kept: until it has settled it is called back.
function keepInView(field) {
  const until = performance.now() + SETTLED_MS;
  const timer = setInterval(() => {
    const { top, bottom } = field.getBoundingClientRect();
    const isSeen = top > 80 && bottom < window.innerHeight - 160;
    if (!isSeen) field.scrollIntoView({ block: "center" });
    if (performance.now() > until || !field.isConnected) clearInterval(timer);
  }, 60);
  for (const act of ["wheel", "touchmove"]) {
    document.addEventListener(act, () => clearInterval(timer), { once: true, passive: true });
  }
}

// A list that hangs on the composer closes when the page is scrolled (React Aria), also by an answer
// that grows; the composer stays where it is. What is scrolled by hand may close it.
const LIST_IS_OPEN = '[role="combobox"][aria-expanded="true"]';
const BY_HAND_MS = 500;
const FOLLOWS_MS = 1500; // a growing page that stays at its end is there more often
const FOLLOW_MS = 100;

function keepListsOpen() {
  let byHand = -BY_HAND_MS;
  let atEnd = -FOLLOWS_MS; // when the page was last at its end
  let isHeld = false; // the page's scroll bar
  let closedAt = 0;
  let following = 0;
  let followed = null;
  const listIsOpen = () => !!document.querySelector(BOTTOM)?.querySelector(LIST_IS_OPEN);
  const isByHand = () => isHeld || performance.now() - byHand < BY_HAND_MS;
  const scrolls = (event) => {
    if (!event.target.closest?.(OPEN)) byHand = performance.now();
  };
  for (const act of ["wheel", "touchmove"]) {
    document.addEventListener(act, scrolls, { capture: true, passive: true });
  }
  document.addEventListener("pointerdown", (event) => {
    isHeld = !!event.target.matches?.(SCROLLERS);
  }, true);
  // Whether the page stays at its end Streamlit goes by the scrolling that it is not told of here, and a
  // page drawn anew has been away from it for a moment: so it is kept there while a list is open, and
  // for as long behind it as Streamlit takes to hear of that.
  const follow = () => {
    const scroller = scrollerOf();
    if (!scroller || scroller !== followed || !document.querySelector(BOTTOM) || isByHand()) return stop();
    scroller.scrollTop = scroller.scrollHeight;
    if (listIsOpen()) closedAt = performance.now();
    else if (performance.now() - closedAt > FOLLOWS_MS) stop();
  };
  const stop = () => {
    clearInterval(following);
    following = 0;
  };
  // Whoever does anything else, by key or hand, may want to be elsewhere on the page.
  for (const act of ["keydown", "pointerdown"]) {
    document.addEventListener(act, (event) => {
      if (following && !listIsOpen() && !event.target.closest?.(OPEN)) stop();
    }, true);
  }
  window.addEventListener("scroll", (event) => {
    const bottom = document.querySelector(BOTTOM);
    const page = event.target;
    if (!bottom || !page.contains?.(bottom)) return;
    const now = performance.now();
    if (page.scrollHeight - page.scrollTop - page.clientHeight < 2) atEnd = now;
    if (isByHand() || !listIsOpen()) return;
    if (!following && now - atEnd < FOLLOWS_MS && atEnd > byHand) {
      followed = page;
      following = setInterval(follow, FOLLOW_MS);
    }
    event.stopImmediatePropagation();
  }, true);
}

// -- the way to the end, offered to whoever has scrolled far up

function endIn(state, parentElement) {
  const button = parentElement.querySelector("button") || document.createElement("button");
  button.type = "button";
  button.textContent = "↓";
  button.title = state.texts.to_end;
  button.setAttribute("aria-label", state.texts.to_end);
  button.hidden = true;
  button.style.cssText = `position: fixed; z-index: 90; width: 44px; height: 44px; border-radius: 50%; cursor: pointer;
    font: 20px/1 sans-serif; color: var(--st-text-color); background: var(--st-background-color);
    border: 1px solid var(--st-border-color); box-shadow: 0 2px 10px rgb(0 0 0 / 0.15);`;
  button.onclick = () => {
    const scroller = scrollerOf();
    if (scroller) scroller.scrollTo({ top: scroller.scrollHeight });
    if (state.box) focusUnlessElsewhere(state.box);
  };
  parentElement.append(button);
  return button;
}

function placeEnd(state) {
  const scroller = scrollerOf();
  const bottom = document.querySelector(BOTTOM);
  if (!state.end || !scroller || !bottom) return;
  state.end.hidden = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < FAR_PX;
  if (state.end.hidden) return;
  const at = bottom.getBoundingClientRect();
  state.end.style.left = `${Math.round(at.left + at.width / 2 - 22)}px`;
  state.end.style.top = `${Math.round(at.top - 56)}px`;
}

function scrollerOf() {
  return [...document.querySelectorAll(SCROLLERS)].find((one) => one.scrollHeight > one.clientHeight);
}
