// The frame around a picture: its edges and corners are dragged, or moved by the arrow keys.
// Sends [up, down, left, right] as shares of the picture's own sides once a drag has ended. Without
// it the numbers below do the same.

const ROOM = 0.75; // beyond the picture, on each side, that can be reached by dragging
const STEP = 0.05;
const HANDLES = {
  up: [1, 0, 0, 0], down: [0, 1, 0, 0], left: [0, 0, 1, 0], right: [0, 0, 0, 1],
  "up left": [1, 0, 1, 0], "up right": [1, 0, 0, 1], "down left": [0, 1, 1, 0], "down right": [0, 1, 0, 1],
};
const MARKUP = `
<style>
  .stage { position: relative; width: 100%; touch-action: none; user-select: none;
    background: var(--st-secondary-background-color, #eee); border-radius: 0.5rem; overflow: hidden; }
  .frame { position: absolute; background: rgba(140, 140, 140, 0.35); outline: 2px solid var(--st-primary-color, #a63d2f); }
  .picture { position: absolute; object-fit: fill; pointer-events: none; }
  .handle { position: absolute; width: 44px; height: 44px; margin: -22px 0 0 -22px; padding: 0; border: 0;
    background: transparent; cursor: move; }
  .handle::after { content: ""; position: absolute; inset: 15px; border-radius: 50%;
    background: var(--st-primary-color, #a63d2f); border: 2px solid var(--st-background-color, #fff); }
  .handle:focus-visible { outline: 2px solid var(--st-primary-color, #a63d2f); outline-offset: -8px; }
</style>
<div class="stage" role="group"><div class="frame"></div><img class="picture" alt=""></div>`;

const known = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let view = known.get(parentElement);
  if (!view) {
    const root = document.createElement("div");
    root.innerHTML = MARKUP;
    parentElement.appendChild(root);
    view = { root, stage: root.querySelector(".stage"), handles: {}, dragging: false };
    known.set(parentElement, view);
    for (const name of Object.keys(HANDLES)) addHandle(view, name);
  }
  view.data = data;
  view.send = () => setTriggerValue("sides", view.sides.map((share) => Math.round(share * 100) / 100));
  view.stage.setAttribute("aria-label", data.texts.frame);
  view.root.querySelector(".picture").src = data.picture;
  for (const [name, handle] of Object.entries(view.handles)) {
    handle.setAttribute("aria-label", name.split(" ").map((side) => data.texts[side]).join(", "));
  }
  if (!view.dragging) view.sides = [...data.sides];
  draw(view);
}

function addHandle(view, name) {
  const handle = document.createElement("button");
  handle.type = "button";
  handle.className = "handle";
  handle.dataset.handle = name;
  view.handles[name] = handle;
  view.stage.appendChild(handle);
  let from = null;
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY, sides: [...view.sides] };
    view.dragging = true;
  });
  handle.addEventListener("pointermove", (event) => {
    if (!from) return;
    const box = view.stage.getBoundingClientRect();
    const down = ((event.clientY - from.y) / box.height) * (1 + 2 * ROOM);
    const across = ((event.clientX - from.x) / box.width) * (1 + 2 * ROOM);
    const moved = [-down, down, -across, across];
    move(view, from.sides.map((share, place) => share + HANDLES[name][place] * moved[place]), HANDLES[name]);
  });
  const end = () => {
    if (!from) return;
    const changed = from.sides.some((share, place) => share !== view.sides[place]);
    from = null;
    view.dragging = false;
    if (changed) view.send();
  };
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [STEP, -STEP, 0, 0], ArrowDown: [-STEP, STEP, 0, 0], ArrowLeft: [0, 0, STEP, -STEP], ArrowRight: [0, 0, -STEP, STEP] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    move(view, view.sides.map((share, place) => share + HANDLES[name][place] * step[place]), HANDLES[name]);
    view.send();
  });
}

// Takes the wanted shares as far as there is room, and the whole is not larger than Kling takes.
function move(view, wanted, mask) {
  let sides = wanted.map((share, place) => (mask[place] ? Math.min(ROOM, Math.max(0, share)) : view.sides[place]));
  if (area(sides) > view.data.most) {
    let fits = 0, least = 0, most = 1;
    const before = view.sides;
    if (area(before) > view.data.most) return;
    for (let turn = 0; turn < 20; turn += 1) { // as far on the way there as it may go
      fits = (least + most) / 2;
      const tried = sides.map((share, place) => before[place] + (share - before[place]) * fits);
      if (area(tried) > view.data.most) most = fits; else least = fits;
    }
    sides = sides.map((share, place) => before[place] + (share - before[place]) * least);
  }
  view.sides = sides.map((share) => Math.floor(share * 100 + 1e-6) / 100);
  draw(view);
}

function area([up, down, left, right]) {
  return (1 + up + down) * (1 + left + right);
}

function draw(view) {
  const [up, down, left, right] = view.sides.map((share) => Math.min(ROOM, share));
  const all = 1 + 2 * ROOM;
  const place = (element, x, y, width, height) => {
    element.style.left = `${(x / all) * 100}%`;
    element.style.top = `${(y / all) * 100}%`;
    if (width !== undefined) {
      element.style.width = `${(width / all) * 100}%`;
      element.style.height = `${(height / all) * 100}%`;
    }
  };
  view.stage.style.aspectRatio = `${view.data.width} / ${view.data.height}`;
  place(view.root.querySelector(".picture"), ROOM, ROOM, 1, 1);
  place(view.root.querySelector(".frame"), ROOM - left, ROOM - up, 1 + left + right, 1 + up + down);
  for (const [name, handle] of Object.entries(view.handles)) {
    const middleX = ROOM + (1 + right - left) / 2, middleY = ROOM + (1 + down - up) / 2;
    const x = name.includes("left") ? ROOM - left : name.includes("right") ? ROOM + 1 + right : middleX;
    const y = name.includes("up") ? ROOM - up : name.includes("down") ? ROOM + 1 + down : middleY;
    place(handle, x, y);
  }
}
