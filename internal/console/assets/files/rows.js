// Rows that open: a link with data-opens loads what is beneath its row, and closes it again. Without scripts it leads there.

document.addEventListener("htmx:beforeRequest", (event) => {
  const link = event.target.closest?.("[data-opens]");
  if (!link) return;
  const row = link.closest("tr");
  if (link.getAttribute("aria-expanded") === "true") {
    event.preventDefault();
    link.setAttribute("aria-expanded", "false");
    if (row.nextElementSibling?.matches("tr.detail")) row.nextElementSibling.remove();
  }
});

document.addEventListener("htmx:afterOnLoad", (event) => {
  const link = event.target.closest?.("[data-opens]");
  if (!link || event.detail.failed) return;
  link.setAttribute("aria-expanded", "true");
});
