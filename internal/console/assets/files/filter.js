// The filter field: completes names and values, and marks what is wrong before the form is sent.
// Markup: .filter[data-dataset] > input[role=combobox][aria-controls] + ul[role=listbox][hidden] + .error

const wait = 120; // milliseconds after the last key

class Filter {
  constructor(box) {
    this.box = box;
    this.input = box.querySelector("input");
    this.list = box.querySelector("[role=listbox]");
    this.error = box.querySelector(".error");
    this.items = [];
    this.at = -1;
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("keydown", (e) => this.key(e));
    this.input.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
    this.list.addEventListener("mousedown", (e) => {
      const option = e.target.closest("[role=option]");
      if (!option) return;
      e.preventDefault();
      this.take(Number(option.dataset.index));
    });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async get(path, filter) {
    const query = new URLSearchParams({ dataset: this.box.dataset.dataset, filter });
    this.abort?.abort();
    this.abort = new AbortController();
    const answer = await fetch(`/api/v1/filters/${path}?${query}`, { signal: this.abort.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async ask() {
    const text = this.input.value.slice(0, this.input.selectionStart);
    try {
      const suggestions = await this.get("suggest", text);
      this.from = suggestions.from;
      this.to = text.length;
      this.show(suggestions.items.filter((item) => item !== text.slice(this.from)));
      const checked = await this.get("check", this.input.value);
      // A word that is being written is not wrong yet.
      this.mark(!checked.valid && this.items.length === 0 ? checked : null);
    } catch (e) {
      if (e.name !== "AbortError") this.hide();
    }
  }

  mark(wrong) {
    this.input.setAttribute("aria-invalid", String(Boolean(wrong)));
    this.error.replaceChildren();
    if (!wrong) return;
    const where = document.createElement("pre");
    const before = [...this.input.value].slice(0, Math.max(0, (wrong.column || 1) - 1)).length;
    where.textContent = `${this.input.value}\n${" ".repeat(before)}^`;
    const words = document.createElement("span");
    words.textContent = wrong.message + (wrong.hint ? ` — ${wrong.hint}` : "");
    this.error.append(where, words);
  }

  show(items) {
    this.items = items.slice(0, 50);
    this.at = -1;
    this.list.replaceChildren(...this.items.map((item, i) => {
      const option = document.createElement("li");
      option.setAttribute("role", "option");
      option.id = `${this.list.id}-${i}`;
      option.dataset.index = i;
      option.textContent = item;
      option.setAttribute("aria-selected", "false");
      return option;
    }));
    this.list.hidden = this.items.length === 0;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
  }

  hide() { this.show([]); }

  move(step) {
    if (this.items.length === 0) return;
    this.at = (this.at + step + this.items.length) % this.items.length;
    [...this.list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === this.at)));
    const option = this.list.children[this.at];
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  take(i) {
    const item = this.items[i];
    const rest = this.input.value.slice(this.to);
    this.input.value = this.input.value.slice(0, this.from) + item + rest;
    const caret = this.from + item.length;
    this.input.setSelectionRange(caret, caret);
    this.hide();
    this.input.focus();
    this.soon();
  }

  key(e) {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      if (this.list.hidden) { this.ask(); } else { this.move(e.key === "ArrowDown" ? 1 : -1); }
      e.preventDefault();
    } else if (e.key === "Escape" && !this.list.hidden) {
      this.hide();
      e.stopPropagation();
      e.preventDefault();
    } else if ((e.key === "Enter" || e.key === "Tab") && !this.list.hidden && this.at >= 0) {
      this.take(this.at);
      e.preventDefault();
    }
  }
}

function start(root) {
  for (const box of root.querySelectorAll(".filter[data-dataset]:not([data-ready])")) {
    box.dataset.ready = "";
    new Filter(box);
  }
}
start(document);
document.addEventListener("htmx:afterSettle", () => start(document));
