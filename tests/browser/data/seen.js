// What is seen in each of the given elements, in the words of tests/browser/corpus.py.
(selectors) => {
  const tidy = (text) => text.replace(/[\u200b\ue000]/g, "").replace(/[ \t\n]+/g, " ");
  const isShown = (node) => getComputedStyle(node).display !== "none";
  const wrapped = { STRONG: "b", EM: "i", DEL: "s", CODE: "c", A: "a" };
  const blocks = new Set(["P", "UL", "OL", "BLOCKQUOTE", "TABLE", "HR", "SECTION", "DIV"]);
  const isBlock = (n) =>
    n.nodeType === 1 && (blocks.has(n.tagName) || n.classList.contains("katex-display"));

  function inline(node) {
    if (node.nodeType === 3) {
      const lines = getComputedStyle(node.parentElement).whiteSpace.startsWith("pre-line");
      return lines ? node.data.split("\n").map(tidy).join("⏎") : tidy(node.data);
    }
    if (node.nodeType !== 1 || !isShown(node)) return "";
    if (node.tagName === "BR") return "⏎";
    if (node.tagName === "IMG") return "{img}";
    if (node.tagName === "SUP") return `{n ${node.textContent}}`;
    if (node.tagName === "INPUT") return node.checked ? "[x]" : "[ ]";
    if (node.classList.contains("katex-error")) return `{error ${node.textContent}}`;
    if (node.classList.contains("katex")) return "{m}";
    if (node.hasAttribute("data-footnote-backref")) return "";
    const inner = [...node.childNodes].map(inline).join("");
    return wrapped[node.tagName] ? `{${wrapped[node.tagName]} ${inner}}` : inner;
  }
  const trimmed = (nodes) =>
    nodes.map(inline).join("").replace(/ *⏎ */g, "⏎").replace(/ +/g, " ").trim();
  const arrow = (node) => (getComputedStyle(node).direction === "rtl" ? " ←" : "");

  function pre(node) {
    if (!isShown(node)) return [];
    if (node.querySelector('[data-testid="stMermaidError"]')) return ["library error"];
    if (node.querySelector('[data-testid="stMermaidChart"]'))
      return [node.querySelector("img") ? "diagram" : "diagram not drawn yet"];
    const code = node.querySelector("code");
    const language = (/language-(\S+)/.exec(code.className) || ["", ""])[1];
    return [`code ${language}: ${code.textContent.replace(/\n$/, "").replace(/\n/g, "⏎")}`];
  }

  function item(node, marker) {
    const lines = [];
    const own = [];
    let isFirst = true;
    for (const child of node.childNodes) {
      if (isBlock(child)) {
        if (isFirst && child.tagName === "P") own.push(...child.childNodes);
        else lines.push(...block(child).map((line) => `  ${line}`));
        isFirst = false;
      } else {
        own.push(child);
        if (child.nodeType === 1) isFirst = false;
      }
    }
    return [`${marker} ${trimmed(own)}${arrow(node)}`, ...lines];
  }

  function block(node) {
    if (node.nodeType === 3) return node.data.trim() ? [`html ${tidy(node.data).trim()}`] : [];
    if (node.nodeType !== 1 || !isShown(node)) return [];
    const testid = node.getAttribute("data-testid");
    if (testid === "stMarkdownPre") return pre(node);
    if (testid === "stHeadingWithActionElements") {
      const heading = node.querySelector("h1,h2,h3,h4,h5,h6");
      const words = trimmed([heading.querySelector("[data-heading-text]")]);
      return [`${heading.tagName.toLowerCase()} ${words}${arrow(heading)}`];
    }
    if (node.classList.contains("katex-display"))
      return [node.querySelector(".katex-error") ? "library error" : "math"];
    if (node.classList.contains("katex-error")) return [`library error ${node.textContent}`];
    switch (node.tagName) {
      case "P":
        return [`p ${trimmed([...node.childNodes])}${arrow(node)}`];
      case "UL":
      case "OL": {
        const first = node.tagName === "OL" ? node.start : null;
        return [...node.children].flatMap((child, i) =>
          item(child, first === null ? "-" : `${first + i}.`));
      }
      case "BLOCKQUOTE":
        return [...node.childNodes].flatMap(block).map((line) => `> ${line}`);
      case "TABLE":
        return [...node.rows].map((row) =>
          [...row.cells].map((cell) => `| ${trimmed([...cell.childNodes])}`).join(" ") + arrow(row));
      case "HR":
        return ["---"];
      case "SECTION":
        return [...node.querySelectorAll("li")].map((li) => `note ${trimmed([...li.childNodes])}`);
    }
    return [...node.childNodes].flatMap(block);
  }
  return selectors.map((selector) =>
    [...document.querySelectorAll(`${selector} [data-testid="stMarkdownContainer"]`)]
      .flatMap((container) => [...container.childNodes].flatMap(block)));
}
