// Keeps a page new: server-sent events have the IDs of elements as their names, and what is to be in them as their data. The
// server made that from its own templates, in which every value is escaped. Markup: [data-live] names the stream.

import { toast } from "./app.js";

const page = document.querySelector("[data-live]");
const state = document.getElementById("live");
const parts = ["figures", "chart", "verdicts", "health", "active"];
let stream;
let lost = 0;

function say(text, kind) {
  if (!state) return;
  state.textContent = text;
  state.className = `badge dot js-only ${kind}`;
}

function open() {
  close();
  stream = new EventSource(page.dataset.live);
  stream.addEventListener("open", () => { lost = 0; say("live", "good"); });
  stream.addEventListener("error", () => {
    lost++;
    if (stream.readyState === EventSource.CLOSED) {
      say("not live", "bad");
      if (lost === 1) toast("The connection was refused. Reload the page to sign in again.", "bad");
      return;
    }
    say("connecting again", "warn"); // the browser does
  });
  for (const name of parts) {
    stream.addEventListener(name, (event) => {
      const place = document.getElementById(name);
      // Nobody's pointer or focus is taken away.
      if (!place || place.contains(document.activeElement)) return;
      htmx.swap(place, event.data, { swapStyle: "innerHTML" });
    });
  }
}

function close() {
  stream?.close();
  stream = undefined;
}

// A page that nobody sees asks for nothing.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") { open(); return; }
  close();
  say("paused", "outline");
});
addEventListener("pagehide", close);
if (document.visibilityState === "visible") open();
