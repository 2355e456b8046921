// A list that goes on keeps its place: how many rows were loaded, and which one was opened, is in the address, so that going
// back shows the same rows again. Markup: tbody[data-place]; rows have IDs, and [data-row] is the link that opens one.

const most = 1000; // rows in one answer

function keep(change) {
  const here = new URL(location.href);
  change(here);
  if (here.href !== location.href) history.replaceState(history.state, "", here);
}

document.addEventListener("htmx:afterSettle", (event) => {
  const list = event.target.closest?.("tbody[data-place]") ?? document.querySelector("tbody[data-place]");
  if (!list) return;
  const rows = list.querySelectorAll("tr[id]").length;
  keep((here) => {
    if (rows > Number(list.dataset.place)) here.searchParams.set("rows", String(Math.min(most, rows)));
  });
});

document.addEventListener("click", (event) => {
  const row = event.target.closest("tbody[data-place] a[data-row]")?.closest("tr[id]");
  if (row) keep((here) => { here.hash = row.id; });
}, true);

// The row that was opened is where the focus is again, whether the page is loaded anew or was kept by the browser.
addEventListener("pageshow", () => {
  const opened = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (!opened?.matches("tbody[data-place] tr")) return;
  opened.scrollIntoView({ block: "center" });
  opened.querySelector("[data-row]")?.focus({ preventScroll: true });
});
