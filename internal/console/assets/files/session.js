// The page of one session: rows that open, links that are copied, and parts that refresh themselves without disturbing.

// A click on a[data-expand] opens the row below its own, which is loaded once; another closes it. With a modifier key it is
// an ordinary link to the exchange.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-expand]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  toggle(link);
});

async function toggle(link) {
  const row = link.closest("tr");
  const below = row.nextElementSibling;
  if (below?.classList.contains("detail")) {
    below.hidden = !below.hidden;
    link.setAttribute("aria-expanded", String(!below.hidden));
    return;
  }
  if (link.dataset.loading) return;
  link.dataset.loading = "true";
  try {
    await window.htmx.ajax("GET", link.getAttribute("href"), { source: link, target: row, swap: "afterend" });
  } finally {
    delete link.dataset.loading;
  }
  const opened = row.nextElementSibling?.classList.contains("detail");
  link.setAttribute("aria-expanded", String(Boolean(opened)));
}

// a[data-copy-link] copies its address, whole.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-copy-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const { toast } = await import("./app.js");
  try {
    await navigator.clipboard.writeText(new URL(link.getAttribute("href"), location.href).href);
    toast("The link is copied.", "good");
  } catch {
    toast("The browser does not let this page copy.", "warn");
  }
});

// What refreshes itself waits while nobody looks, and while somebody works with it: it would take that away from them.
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (!part.hasAttribute?.("data-live")) return;
  const busy = part.contains(document.activeElement) || part.querySelector('.brush[visibility="visible"]') || part.matches(":has(details[open] :focus)");
  if (document.hidden || busy || document.querySelector("dialog[open]")) event.preventDefault();
});

// The exchange that the address names is open.
const at = new URL(location.href).searchParams.get("at");
if (at) {
  const row = document.getElementById(`x-${at}`);
  const link = row?.querySelector("a[data-expand]");
  if (link) {
    toggle(link);
    link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
  }
}
