// Reads a stream of evenly sent events through whatever stands before the studio, and tells when
// each piece arrived, or that it was not let through. No library; the address is relative to the
// page's base.

const TOLD = "inkling-beats-told";

export default async function (component) {
  const { parentElement, setStateValue } = component;
  if (parentElement[TOLD]) return;
  parentElement[TOLD] = true;
  const began = performance.now();
  const arrivals = [];
  try {
    const base = document.baseURI.replace(/[^/]*$/, "");
    const reply = await fetch(new URL("checkup/beat", base), { cache: "no-store" });
    if (!reply.ok || !reply.body) throw new Error(reply.status);
    const reader = reply.body.getReader();
    for (;;) {
      const { done } = await reader.read();
      if (done) break;
      arrivals.push((performance.now() - began) / 1000);
    }
    setStateValue("arrivals", arrivals);
  } catch {
    setStateValue("arrivals", "unknown");
  }
}
