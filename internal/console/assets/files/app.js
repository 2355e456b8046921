// What every page has: theme, toasts, times, copying, dialogs, keyboard. Pages add modules of their own.

const storage = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { /* not kept then */ } },
};

// toast says something that goes away by itself. kind is good, warn, bad or empty.
export function toast(text, kind = "") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const one = document.createElement("div");
  one.className = `notice ${kind}`;
  one.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("div");
  words.className = "grow";
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "quiet small icon";
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  close.addEventListener("click", () => one.remove());
  one.append(words, close);
  place.append(one);
  while (place.children.length > 4) place.firstElementChild.remove();
  if (kind !== "bad") setTimeout(() => one.remove(), 6000);
}

function setTheme(theme) {
  storage.set("theme", theme === "system" ? null : theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  showTheme();
}

function showTheme() {
  const now = document.documentElement.dataset.theme || "system";
  for (const b of document.querySelectorAll("[data-theme-choice]")) b.setAttribute("aria-pressed", String(b.dataset.themeChoice === now));
}

document.addEventListener("click", async (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) setTheme(choice.dataset.themeChoice);

  // data-copy has the text, or data-copy-from the ID of an element that has it.
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    const text = copy.dataset.copy ?? document.getElementById(copy.dataset.copyFrom)?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      toast(copy.dataset.copied || "Copied.", "good");
    } catch {
      toast("The browser does not let this page copy.", "warn");
    }
  }

  // data-dialog opens the dialog of that ID; data-close closes the one it is in.
  const opens = event.target.closest("[data-dialog]");
  if (opens) {
    event.preventDefault();
    document.getElementById(opens.dataset.dialog)?.showModal();
  }
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  }

  // A click beside an open menu closes it.
  for (const menu of document.querySelectorAll("details.menu[open], .who > details[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open], .who > details[open]")) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  }
  if (event.key === "?") document.getElementById("keys")?.showModal();
  if (event.key === "j" || event.key === "k") moveRow(event.key === "j" ? 1 : -1, event);
  const goto = pending === "g" && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  pending = event.key;
  if (goto) goto.click();
});
let pending = "";

// moveRow moves the focus among the links that stand for rows: j down, k up; Enter follows them as any link.
function moveRow(step, event) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (rows.length === 0) return;
  event.preventDefault();
  const at = rows.findIndex((r) => r === document.activeElement || r.closest("tr")?.contains(document.activeElement));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// A form whose select or checkbox has data-submit is sent when that changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form?.requestSubmit();
});

// Times say how long ago they were, and keep doing so. data-ago asks for it.
const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
export function ago(then, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 2) return "now";
  for (const [size, name] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${name} ago`;
  return "now";
}
function tick() {
  for (const t of document.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.parse(t.dateTime));
    if (t.textContent !== text) t.textContent = text;
  }
}
setInterval(tick, 5000);

// What htmx could not do is said, and never swallowed.
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) { location.reload(); return; }
  toast(xhr.getResponseHeader("Seshat-Problem") || `The server answers with ${xhr.status}.`, "bad");
});
document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. What you see may be old.", "bad"));
document.addEventListener("htmx:timeout", () => toast("The server takes too long.", "bad"));
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.kind));
document.addEventListener("htmx:afterSettle", tick);

showTheme();
tick();
