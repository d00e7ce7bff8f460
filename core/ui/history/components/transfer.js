// Downloads an export and uploads one of any size, in pieces that are sent again when a line breaks.
// No library; texts come with `data`, addresses are relative to the page's base.

const PIECE = 1 << 20;
const TRIES = 12; // without a byte of progress
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const POLL_MS = 700;
const GONE_MS = 1000;

const MARKUP = `
<style>
  :host, .box { font-family: var(--st-font, inherit); color: var(--st-text-color, inherit); }
  .box { display: grid; gap: 0.5rem; font-size: 0.875rem; }
  .action { border: 1px solid var(--st-border-color, #ccc); border-radius: var(--st-button-radius, 0.6rem);
    padding: 0.45rem 0.75rem; text-align: center; cursor: pointer; text-decoration: none;
    color: inherit; background: transparent; font: inherit; box-sizing: border-box; }
  @media (pointer: coarse) { .action { min-height: 2.75rem; } }
  .action:hover, .action:focus-visible { border-color: var(--st-primary-color, #a63d2f);
    color: var(--st-primary-color, #a63d2f); }
  .choose { display: grid; }
  progress { width: 100%; accent-color: var(--st-primary-color, #a63d2f); }
  .error { color: var(--st-red-text-color, #b00020); }
  [hidden] { display: none !important; }
</style>
<div class="box">
  <a class="action download" download></a>
  <a class="action download-chatgpt" download></a>
  <div class="choose"><button class="action" type="button"></button><input type="file" hidden accept=".json,.zip,application/json,application/zip"></div>
  <progress max="1" value="0" hidden></progress>
  <div class="said" role="status" aria-live="polite"></div>
  <button class="action stop" type="button" hidden></button>
</div>`;

const known = new WeakMap();

class Refused extends Error {
  constructor(status, body) {
    super(body.error || String(status));
    this.status = status;
    this.body = body;
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let view = known.get(parentElement);
  if (!view) {
    const root = document.createElement("div");
    root.innerHTML = MARKUP;
    parentElement.appendChild(root);
    view = { root, aborting: null };
    known.set(parentElement, view);
    wire(view);
  }
  view.data = data;
  view.done = (name) => setTriggerValue("done", name);
  const find = (selector) => view.root.querySelector(selector);
  find(".download").textContent = data.texts.download;
  const wanted = { ticket: data.export_ticket, day: data.day };
  find(".download").href = address("transfer/export", wanted);
  find(".download-chatgpt").textContent = data.texts.download_chatgpt;
  find(".download-chatgpt").href = address("transfer/export", { ...wanted, shape: "chatgpt" });
  find(".choose button").textContent = data.texts.choose;
  find(".stop").textContent = data.texts.stop;
  const round = (view.round = (view.round || 0) + 1);
  return () => {
    // Called at a rerun too, which must not end an upload: only who is not drawn again is gone.
    setTimeout(() => {
      if (view.round !== round) return;
      if (view.aborting) view.aborting.abort();
      view.root.remove();
      known.delete(parentElement);
    }, GONE_MS);
  };
}

function wire(view) {
  const input = view.root.querySelector("input");
  view.root.querySelector(".choose button").onclick = () => input.click();
  input.onchange = () => {
    const file = input.files[0];
    input.value = "";
    if (file) start(view, file);
  };
  view.root.querySelector(".stop").onclick = () => view.aborting && view.aborting.abort();
}

async function start(view, file) {
  if (view.aborting) return;
  view.aborting = new AbortController();
  show(view, { running: true, share: 0, said: view.data.texts.sending });
  const name = [file.name, file.size, file.lastModified].join("/");
  try {
    if (file.size === 0) throw new Refused(400, {});
    await send(view, file, name);
    await bringIn(view, file, name);
    show(view, { running: false, said: "" });
    view.done(name);
  } catch (error) {
    const stopped = view.aborting.signal.aborted;
    show(view, {
      running: false,
      said: stopped ? view.data.texts.stopped : sentence(view, error),
      wrong: !stopped,
    });
  } finally {
    view.aborting = null;
  }
}

// Sends what is not there yet: also the rest of what was begun before a reload.
async function send(view, file, name) {
  let state = await ask(view, "GET", { file: name, total: file.size });
  if (state.phase === "done" || state.phase === "failed") {
    if (state.received !== file.size) await ask(view, "DELETE", { file: name });
    state = { phase: "receiving", received: state.received === file.size ? file.size : 0 };
  }
  let place = state.received;
  let stalls = 0; // processes that do not share their data folder would send us to and fro
  while (state.phase === "receiving" && place < file.size) {
    const piece = file.slice(place, place + PIECE);
    const told = await ask(view, "PUT", { file: name, place, total: file.size }, piece);
    if (told.received <= place && ++stalls > TRIES) throw new Refused(500, told);
    place = told.received;
    show(view, { running: true, share: (0.5 * place) / file.size, said: view.data.texts.sending });
  }
}

async function bringIn(view, file, name) {
  let state = await ask(view, "POST", { file: name, total: file.size });
  while (state.phase === "importing") {
    show(view, { running: true, share: 0.5 + 0.5 * (state.share || 0), said: view.data.texts.importing });
    await pause(view, POLL_MS);
    state = await ask(view, "GET", { file: name });
    if (state.phase === "receiving") state = await ask(view, "POST", { file: name, total: file.size });
  }
  if (state.phase !== "done" && state.phase !== "failed") throw new Refused(500, state);
}

// Asks until there is an answer. A broken line, a full queue or a restart is waited out.
async function ask(view, method, query, body) {
  for (let tried = 0; ; tried += 1) {
    let wait = Math.min(FIRST_WAIT_MS * 2 ** tried, LONGEST_WAIT_MS);
    try {
      const reply = await fetch(address("transfer/import", { ...query, ticket: view.data.import_ticket }), {
        method,
        body,
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: view.aborting.signal,
      });
      const told = reply.status === 204 ? {} : await reply.json();
      if (reply.ok || reply.status === 409) return told;
      const passes = [408, 425, 429, 500, 502, 503, 504].includes(reply.status);
      if (!passes || tried >= TRIES) throw new Refused(reply.status, told);
      wait = Math.max(wait, 1000 * (Number(reply.headers.get("Retry-After")) || 0));
    } catch (error) {
      if (error instanceof Refused || view.aborting.signal.aborted || tried >= TRIES) throw error;
    }
    view.root.querySelector(".said").textContent = view.data.texts.waiting;
    await pause(view, wait);
  }
}

function pause(view, wait) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, wait);
    view.aborting.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("stopped"));
    }, { once: true });
  });
}

function address(path, query) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

function sentence(view, error) {
  const { texts } = view.data;
  if (error instanceof Refused) {
    if (error.status === 401 || error.status === 403) return texts.expired;
    if (error.status === 507) return texts.full;
    if (error.status === 400) return texts.refused;
  }
  return texts.broken;
}

function show(view, { running, share = 0, said, wrong = false }) {
  const find = (selector) => view.root.querySelector(selector);
  find("progress").hidden = !running;
  find("progress").value = share;
  find(".stop").hidden = !running;
  find(".choose").hidden = running;
  find(".said").className = wrong ? "said error" : "said";
  find(".said").textContent = running ? `${said} ${Math.floor(share * 100)} %` : said;
}
