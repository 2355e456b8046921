// Parts of a page that load themselves again while somebody looks: data-refresh says after how many seconds, and hx-trigger
// is "refresh". A page that nobody uses stops asking, so that it does not keep a session of the console from ending.

const idle = 5 * 60 * 1000; // milliseconds without a sign of somebody
let last = Date.now();
for (const sign of ["pointermove", "pointerdown", "keydown", "scroll", "focus"]) {
  addEventListener(sign, () => { last = Date.now(); }, { passive: true, capture: true });
}

const due = new WeakMap();
setInterval(() => {
  if (document.hidden || Date.now() - last > idle) return;
  const now = Date.now();
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const at = due.get(part);
    if (at === undefined || now >= at) {
      due.set(part, now + Number(part.dataset.refresh) * 1000);
      if (at !== undefined && !busy(part)) part.dispatchEvent(new CustomEvent("refresh"));
    }
  }
}, 500);

// A part that somebody is about to use is left as it is.
function busy(part) {
  return part.contains(document.activeElement) && document.activeElement !== part || part.matches(":hover") && part.hasAttribute("hx-select");
}
