// The list of conversations: groups of links, each with a menu. No library; texts come with `data`.
// A plain click opens a conversation in this page; any other click is the link's own (new tab, window).

// Heard by frame/components/browser.js: it marks the tab, and closes the sidebar of a phone.
const FINISHED = "inkling-finished";
const CHOSEN = "inkling-chosen";

const MARKUP = `
<style>
  .list { font: 400 0.9375rem/1.4 var(--st-font, sans-serif); color: var(--st-text-color, inherit); }
  .label { padding: 0.75rem 0.5rem 0.25rem; font-size: 0.8125rem;
    color: color-mix(in srgb, currentColor 74%, transparent); }
  ul { list-style: none; margin: 0; padding: 0; }
  li { position: relative; display: flex; align-items: center; border-radius: var(--st-base-radius, 0.6rem);
    content-visibility: auto; contain-intrinsic-size: auto 2.25rem; }
  li:hover, li:focus-within { background: color-mix(in srgb, currentColor 7%, transparent); }
  li.current { background: color-mix(in srgb, currentColor 12%, transparent); font-weight: 600; }
  a { flex: 1; min-width: 0; display: flex; align-items: center; gap: 0.4rem; min-height: 2.25rem;
    padding: 0 0.5rem; color: inherit; text-decoration: none; border-radius: inherit; }
  a span.title { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
  .http { font-size: 0.6875rem; font-weight: 600; padding: 0 0.3rem; border: 1px solid; border-radius: 0.3rem; }
  .spin { flex: none; width: 0.8rem; height: 0.8rem; border-radius: 50%; border: 2px solid;
    border-right-color: transparent; animation: turn 0.9s linear infinite; }
  @keyframes turn { to { transform: rotate(1turn); } }
  button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer;
    border-radius: var(--st-button-radius, 0.6rem); }
  .dots { flex: none; width: 2rem; min-height: 2.25rem; padding: 0; opacity: 0; }
  li:hover .dots, li:focus-within .dots, li.current .dots, .dots[aria-expanded="true"] { opacity: 1; }
  .dots:hover, .more:hover, .menu button:hover, .menu button:focus-visible {
    background: color-mix(in srgb, currentColor 10%, transparent); }
  .more { width: 100%; min-height: 2.25rem; margin-top: 0.5rem; }
  :is(a, button, input):focus-visible { outline: 2px solid var(--st-primary-color, #a63d2f); outline-offset: -2px; }
  input { flex: 1; min-width: 0; min-height: 2.25rem; box-sizing: border-box; padding: 0 0.5rem; font: inherit;
    color: inherit; background: var(--st-background-color, Canvas); border: 1px solid var(--st-border-color, #ccc);
    border-radius: inherit; }
  .menu { position: fixed; inset: auto; margin: 0; padding: 0.3rem; min-width: 11rem;
    color: var(--st-text-color, CanvasText); background: var(--st-background-color, Canvas);
    border: 1px solid var(--st-border-color, #ccc); border-radius: var(--st-base-radius, 0.6rem);
    box-shadow: 0 6px 24px rgb(0 0 0 / 0.18); font: 400 0.9375rem/1.4 var(--st-font, sans-serif); }
  .menu button { display: block; width: 100%; padding: 0.45rem 0.6rem; text-align: start; }
  @media (hover: none) { .dots { opacity: 1; } }
  @media (pointer: coarse) {
    li { contain-intrinsic-size: auto 2.75rem; }
    a, .dots, .more, input, .menu button { min-height: 2.75rem; }
    .dots { width: 2.75rem; }
  }
  @media (prefers-reduced-motion: reduce) { .spin { animation-duration: 6s; } }
</style>
<nav class="list"></nav>
<div class="menu" role="menu" popover></div>`;

const DOTS = `<svg viewBox="0 0 20 20" width="18" height="18" fill="currentColor" aria-hidden="true">
  <circle cx="10" cy="4.5" r="1.6"/><circle cx="10" cy="10" r="1.6"/><circle cx="10" cy="15.5" r="1.6"/></svg>`;

const known = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let view = known.get(parentElement);
  if (!view) known.set(parentElement, (view = build(parentElement)));
  view.act = (what) => setTriggerValue("act", what);
  tellFinished(view, data.groups);
  save(view, data.download);
  const { groups, has_more, texts } = data;
  const shown = JSON.stringify([groups, has_more, texts]);
  if (shown === view.shown) return;
  Object.assign(view, { shown, groups, has_more, texts });
  if (!view.list.querySelector("input")) draw(view);
}

function build(parentElement) {
  const root = document.createElement("div");
  root.innerHTML = MARKUP;
  parentElement.appendChild(root);
  const view = { root, list: root.querySelector(".list"), menu: root.querySelector(".menu"), running: new Set() };
  if (!("popover" in HTMLElement.prototype)) view.menu.hidden = true; // an old browser: the history has menus
  view.menu.addEventListener("keydown", (event) => moveInMenu(view, event));
  view.menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && view.opener) view.opener.setAttribute("aria-expanded", "false");
  });
  return view;
}

function draw(view) {
  const { list, groups, texts } = view;
  const focused = focusOf(view);
  list.setAttribute("aria-label", texts.list);
  list.replaceChildren();
  groups.forEach(({ name, rows }, number) => {
    const label = make("div", { className: "label", id: `group-${number}`, textContent: name });
    const items = make("ul", {});
    items.setAttribute("aria-labelledby", label.id);
    items.append(...rows.map((row) => rowOf(view, row)));
    list.append(label, items);
  });
  if (view.has_more) {
    const more = make("button", { className: "more", type: "button", textContent: texts.more });
    more.onclick = () => view.act({ do: "more" });
    list.append(more);
  }
  if (focused) focused();
}

function rowOf(view, row) {
  const item = make("li", { className: row.current ? "current" : "" });
  item.dataset.id = row.id;
  const link = make("a", { href: addressOf(row.id), title: row.title });
  if (row.current) link.setAttribute("aria-current", "page");
  if (row.running) link.append(make("span", { className: "spin", role: "img", ariaLabel: view.texts.running }));
  if (row.http) link.append(make("span", { className: "http", textContent: "HTTP" }));
  link.append(make("span", { className: "title", textContent: row.title, dir: "auto" }));
  link.onclick = (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    for (const other of view.list.querySelectorAll("li.current")) other.classList.remove("current");
    item.classList.add("current"); // seen at once; the page follows
    window.dispatchEvent(new Event(CHOSEN));
    view.act({ do: "open", id: row.id });
  };
  link.onkeydown = (event) => {
    if (event.key === "F2") rename(view, item, row);
  };
  const dots = make("button", { className: "dots", type: "button", innerHTML: DOTS });
  dots.setAttribute("aria-label", view.texts.menu.replace("{title}", () => row.title));
  dots.setAttribute("aria-haspopup", "menu");
  dots.setAttribute("aria-expanded", "false");
  dots.onclick = () => openMenu(view, item, row, dots);
  item.append(link, dots);
  return item;
}

function addressOf(id) {
  return `${location.pathname}?c=${encodeURIComponent(id)}`;
}

function openMenu(view, item, row, dots) {
  const { menu, texts } = view;
  const choices = {
    rename: texts.rename,
    pin: row.pinned ? texts.unpin : texts.pin,
    markdown: texts.markdown,
    json: texts.json,
    delete: texts.delete,
  };
  menu.replaceChildren(
    ...Object.entries(choices).map(([what, words]) => {
      const choice = make("button", { type: "button", role: "menuitem", textContent: words });
      choice.onclick = () => {
        menu.hidePopover();
        if (what === "rename") rename(view, item, row);
        else view.act({ do: what, id: row.id });
      };
      return choice;
    }),
  );
  view.opener = dots;
  dots.setAttribute("aria-expanded", "true");
  menu.showPopover();
  const at = dots.getBoundingClientRect();
  const below = at.bottom + menu.offsetHeight + 8 < window.innerHeight;
  menu.style.top = `${below ? at.bottom + 2 : Math.max(8, at.top - menu.offsetHeight - 2)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right, window.innerWidth - 8) - menu.offsetWidth)}px`;
  menu.firstElementChild.focus();
}

function moveInMenu(view, event) {
  if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    view.menu.hidePopover();
    view.opener.focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...view.menu.children];
  const at = all.indexOf(view.menu.getRootNode().activeElement);
  all[(at + step + all.length) % all.length].focus();
}

function rename(view, item, row) {
  const link = item.querySelector("a");
  const dots = item.querySelector(".dots");
  const box = make("input", { value: row.title, maxLength: 200, ariaLabel: view.texts.title_label });
  let isOver = false;
  const leave = (keeps) => {
    if (isOver) return;
    isOver = true;
    const title = box.value.trim();
    box.remove();
    if (keeps && title && title !== row.title) {
      row.title = title;
      view.act({ do: "rename", id: row.id, title });
    }
    draw(view);
  };
  box.onkeydown = (event) => {
    event.stopPropagation(); // no shortcut of the page
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") leave(true);
    if (event.key === "Escape") leave(false);
  };
  box.onblur = () => leave(true);
  dots.hidden = true;
  link.style.display = "none";
  item.prepend(box);
  box.focus();
  box.select();
}

// An answer that ran when the list was drawn last, and runs no more.
function tellFinished(view, groups) {
  const rows = groups.flatMap((group) => group.rows);
  const running = new Set(rows.filter((row) => row.running).map((row) => row.id));
  const hasEnded = rows.some((row) => view.running.has(row.id) && !running.has(row.id));
  view.running = running;
  if (hasEnded) window.dispatchEvent(new Event(FINISHED));
}

function save(view, file) {
  if (!file || view.saved === file.id) return;
  view.saved = file.id;
  const address = URL.createObjectURL(new Blob([file.content], { type: file.type }));
  const link = make("a", { href: address, download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

// What has the focus in the list, as a function that gives it back once the list is drawn anew.
function focusOf(view) {
  const active = view.list.getRootNode().activeElement;
  const id = active?.closest("li")?.dataset.id;
  if (!id) return null;
  const kind = active.matches(".dots") ? ".dots" : "a";
  return () => view.list.querySelector(`li[data-id="${CSS.escape(id)}"] ${kind}`)?.focus({ preventScroll: true });
}

function make(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
