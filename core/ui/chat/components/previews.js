// Shows HTML and SVG that a model wrote. Nothing of it runs, nothing is fetched, nothing leads away.
// Four walls, each of which would do for most: what could run or load is taken out, the frame has no
// rights at all (no script, no form, no window, an origin of its own), its policy allows inline styles
// and inlined pictures only, and the element grants no permission.

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; font-src data:; form-action 'none'; base-uri 'none'";
const STYLE = ":root{color-scheme:light;background:#fff}body{font-family:system-ui,sans-serif}";
// A frame's navigation is looked up before a policy refuses it: such elements must not be there.
const LOADING = "script, iframe, frame, frameset, object, embed, applet, portal, fencedframe, link, meta, base, noscript, template[shadowrootmode], animate, set";
const ADDRESSES = new Set(
  "href xlink:href src srcset imagesrcset srcdoc poster background action formaction ping data codebase classid archive longdesc manifest profile cite attributionsrc to from values".split(" "),
);

export default function ({ data, parentElement }) {
  const shown = parentElement.querySelector("[data-preview]");
  if (shown?.source === data.source && shown.title === data.title) return; // a rerun draws it again
  shown?.remove();
  const view = data.kind === "svg" ? picture(data) : frame(data);
  view.dataset.preview = data.kind;
  view.title = data.title;
  view.source = data.source;
  parentElement.append(view);
}

function picture({ source, title, broken }) {
  const image = document.createElement("img");
  image.alt = title;
  image.style.cssText =
    "display:block;max-width:100%;max-height:70vh;background:#fff;border-radius:.5rem;padding:.5rem;box-sizing:border-box";
  image.addEventListener("error", () => {
    const told = document.createElement("p");
    told.dataset.preview = "svg";
    told.source = image.source;
    told.title = title;
    told.textContent = broken;
    image.replaceWith(told);
  });
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(named(source));
  return image;
}

/** An image must say what it is; models leave the namespace out, since in a page it may be. */
function named(source) {
  const root = source.match(/<svg(?=[\s>])[^>]*>/i);
  if (!root || /\sxmlns\s*=/.test(root[0])) return source;
  const at = root.index + 4;
  return source.slice(0, at) + ' xmlns="http://www.w3.org/2000/svg"' + source.slice(at);
}

function frame({ source }) {
  const view = document.createElement("iframe");
  view.setAttribute("sandbox", "");
  view.setAttribute("allow", "");
  view.setAttribute("referrerpolicy", "no-referrer");
  view.setAttribute("loading", "lazy");
  view.style.cssText =
    "display:block;width:100%;height:26rem;max-height:80vh;border:1px solid #8886;border-radius:.5rem;background:#fff;resize:vertical";
  view.srcdoc = washed(source);
  return view;
}

function washed(source) {
  const page = new DOMParser().parseFromString(source, "text/html"); // inert: it loads nothing
  for (const element of page.querySelectorAll(LOADING)) element.remove();
  for (const element of page.querySelectorAll("*"))
    for (const { name, value } of [...element.attributes])
      if (/^on/i.test(name) || (ADDRESSES.has(name.toLowerCase()) && !/^\s*(#|data:(image|font|audio|video)\/)/i.test(value)))
        element.removeAttribute(name);
  const head =
    `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style>`;
  page.head.insertAdjacentHTML("afterbegin", head);
  return "<!doctype html>" + page.documentElement.outerHTML;
}
