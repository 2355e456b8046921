// The pages of session rules: the form follows what is written, and rules are dragged to another place.

const editor = () => document.getElementById("editor");

// What is written is tried beside the form, some time after the last key. The event draft asks for it.
const pause = 500; // milliseconds
let timer = 0;
let tried = "";

function written() {
  const form = editor();
  if (!form) return "";
  const data = new FormData(form);
  for (const name of ["csrf", "step", "mode"]) data.delete(name);
  return new URLSearchParams(data).toString();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const now = written();
    if (now === tried) return;
    tried = now;
    document.body.dispatchEvent(new CustomEvent("draft"));
  }, pause);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("#editor");
  if (!form) return;
  form.dataset.dirty = "";
  // What was wrong with it is not known any more.
  if (event.target.getAttribute("aria-invalid")) {
    event.target.removeAttribute("aria-invalid");
    const error = document.getElementById(`${event.target.id}-error`);
    if (error) error.textContent = "";
  }
  soon();
});
document.addEventListener("change", (event) => { if (event.target.closest?.("#editor")) soon(); });
document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.elt?.id === "editor") soon(); });
if (editor()) tried = written();

// Leaving a form that was written in asks first, unless it was saved.
let leaving = false;
document.addEventListener("htmx:beforeOnLoad", (event) => { leaving ||= Boolean(event.detail.xhr.getResponseHeader("HX-Redirect")); });
document.addEventListener("submit", (event) => { leaving ||= event.target.id === "editor" && !event.defaultPrevented; });
addEventListener("beforeunload", (event) => { if (!leaving && editor()?.dataset.dirty !== undefined) event.preventDefault(); });

// A fault of the text leads to its line.
document.addEventListener("click", (event) => {
  if (event.target.closest("a[data-leave]")) leaving = true;
  const link = event.target.closest("a[data-line]");
  const text = link && document.getElementById("yaml");
  if (text) {
    event.preventDefault();
    const lines = text.value.split("\n");
    const at = Math.min(lines.length, Number(link.dataset.line)) - 1;
    const from = lines.slice(0, at).reduce((n, line) => n + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(from, from + lines[at].length);
  }
  // A fault of a control leads to the step that it is in.
  const fault = event.target.closest("a[data-fault]");
  const control = fault && document.getElementById(fault.dataset.fault);
  if (control) {
    event.preventDefault();
    const section = control.closest(".s1, .s2, .s3");
    for (const step of ["1", "2", "3"]) {
      if (section?.classList.contains(`s${step}`)) {
        const form = editor();
        form.dataset.step = step;
        form.elements.step.value = step;
        for (const [i, item] of [...form.querySelectorAll(".steps > li")].entries()) {
          if (String(i + 1) === step) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
        }
      }
    }
    for (let outer = control.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    control.scrollIntoView({ block: "center" });
    control.focus();
  }
});

// A rule is dragged by its handle: rows make room while it moves, and the place is sent when it is dropped. Escape puts it
// back. The buttons beside the handle do the same by keyboard.
let drag = null;

function drop(keep) {
  if (!drag) return;
  const { row, next, body } = drag;
  row.classList.remove("dragging");
  document.body.classList.remove("drags");
  drag = null;
  if (!keep) {
    body.insertBefore(row, next);
    return;
  }
  if (row.nextElementSibling === next) return;
  const other = row.nextElementSibling ?? row.previousElementSibling;
  const place = row.nextElementSibling ? "before" : "after";
  const form = document.getElementById("order");
  const button = document.createElement("button");
  button.hidden = true;
  button.name = "do";
  button.value = `put ${row.dataset.name} ${place} ${other.dataset.name}`;
  form.append(button);
  button.click(); // and not requestSubmit: htmx sends the value of the button that was clicked
}

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-handle]");
  if (!handle || event.button !== 0 || document.querySelector("#order.htmx-request")) return; // one after the other
  event.preventDefault();
  const row = handle.closest("tr");
  drag = { row, next: row.nextElementSibling, body: row.parentElement, pointer: event.pointerId };
  row.classList.add("dragging");
  document.body.classList.add("drags");
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { row, body } = drag;
  const over = [...body.children].find((other) => {
    const box = other.getBoundingClientRect();
    return other !== row && event.clientY >= box.top && event.clientY < box.bottom;
  });
  if (!over) return;
  const box = over.getBoundingClientRect();
  const below = event.clientY > box.top + box.height / 2;
  body.insertBefore(row, below ? over.nextElementSibling : over);
});
document.addEventListener("pointerup", (event) => { if (drag && event.pointerId === drag.pointer) drop(true); });
document.addEventListener("pointercancel", () => drop(false));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) drop(false); });
// The row is another one when the list was replaced meanwhile.
document.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.target?.id === "rules") drop(false); });

// htmx knows of a button that is new only some time after it is there; who is quicker is heard too.
document.addEventListener("htmx:configRequest", (event) => {
  const { formData, triggeringEvent } = event.detail;
  const button = triggeringEvent?.submitter;
  if (button?.name && !formData.has(button.name)) formData.set(button.name, button.value);
});

// A button that cannot move its rule any further stays where it is.
document.addEventListener("click", (event) => { if (event.target.closest("[form=order][aria-disabled=true]")) event.preventDefault(); }, true);
// What identifiers did is counted anew for the rows that are there now.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt?.id === "rules") document.body.dispatchEvent(new CustomEvent("rules"));
});
