// Keeps a page new: server-sent events have the IDs of elements as their names, and what is to be in them as their data. The
// server made that from its own templates, in which every value is escaped. Markup: [data-live] names the stream.

import { toast } from "./app.js";

const page = document.querySelector("[data-live]");
const state = document.getElementById("live");
const parts = ["figures", "chart", "verdicts", "health", "active"];
let stream;
let again; // the timer of the next attempt
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
    say("not live, connecting again", "warn");
    // The browser comes again by itself where the connection broke, and gives up where something else was answered: by a proxy
    // whose server is away, or by a server that is not ready.
    if (stream.readyState === EventSource.CLOSED) retry();
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
  clearTimeout(again);
  stream?.close();
  stream = undefined;
}

// Tries again, after one second, two, four, up to half a minute, unless nobody is signed in any more.
function retry() {
  clearTimeout(again);
  again = setTimeout(async () => {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => undefined);
    if (answer?.type === "opaqueredirect" || answer?.status === 401) {
      say("not live", "bad");
      toast("You are not signed in any more. Reload the page to sign in again.", "bad");
      return;
    }
    if (document.visibilityState === "visible") open();
  }, Math.min(1000 * 2 ** lost++, 30_000));
}

// A page that nobody sees asks for nothing.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") { open(); return; }
  close();
  say("paused", "outline");
});
addEventListener("pagehide", close);
if (document.visibilityState === "visible") open();
