// A live tail: rows of a table that the server made come as server-sent events; the newest is on top.

const list = document.getElementById("tail");
const state = document.getElementById("tail-state");
const pause = document.getElementById("tail-pause");
const left = document.getElementById("tail-dropped");
const empty = document.getElementById("tail-empty");
const most = 500; // rows that are kept
let stream, dropped = 0, paused = false;
let waiting = []; // rows that came since the last frame, or while it is paused

function say(text, kind) {
  state.textContent = text;
  state.className = `badge dot js-only ${kind}`;
}

function count() {
  const parts = [];
  if (dropped) parts.push(`${dropped} left out: more came than anybody reads`);
  if (paused && waiting.length) parts.push(`${waiting.length} waiting`);
  left.textContent = parts.join(", ");
}

function draw() {
  if (paused || waiting.length === 0) return;
  const rows = waiting.splice(0);
  // The server has escaped every value in a row.
  const html = rows.reverse().join("");
  htmx.swap(list, html, { swapStyle: "afterbegin" });
  let n = list.children.length;
  while (n-- > most) list.lastElementChild.remove();
  empty.hidden = true;
}

function open() {
  stream?.close();
  stream = new EventSource(list.dataset.events);
  stream.addEventListener("open", () => say(paused ? "paused" : "live", paused ? "outline" : "good"));
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) say("not live: reload the page", "bad");
    else say("connecting again", "warn");
  });
  stream.addEventListener("row", (event) => {
    waiting.push(event.data);
    if (waiting.length > most) { waiting.shift(); dropped++; }
    if (paused) count(); else requestAnimationFrame(draw);
  });
  stream.addEventListener("dropped", (event) => { dropped += Number(event.data) || 0; count(); });
}

pause?.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.querySelector("span").textContent = paused ? "Go on" : "Pause";
  say(paused ? "paused" : "live", paused ? "outline" : "good");
  count();
  draw();
});
document.getElementById("tail-clear")?.addEventListener("click", () => {
  list.replaceChildren();
  waiting = [];
  dropped = 0;
  count();
});
// Somebody who opens a row wants it to stay where it is.
list?.addEventListener("click", (event) => {
  if (event.target.closest("[data-opens]") && !paused) pause.click();
});
addEventListener("pagehide", () => stream?.close());
if (list) open();
