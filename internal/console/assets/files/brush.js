// Dragging over a chart chooses a time. Markup: .chart[data-brush] has data-from and data-to (milliseconds since 1970) and
// data-form, the ID of the form whose fields since and until are set; svg has the width of data-from to data-to.
// By keyboard: the chart has the focus, arrows move the edge, Shift+arrows widen, Enter takes it, Escape gives it up.

class Brush {
  constructor(chart) {
    this.chart = chart;
    this.svg = chart.querySelector("svg");
    const box = this.svg.viewBox.baseVal;
    this.width = box.width;
    this.mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    this.mark.setAttribute("class", "brush");
    this.mark.setAttribute("y", box.y);
    this.mark.setAttribute("height", box.height);
    this.mark.setAttribute("visibility", "hidden");
    this.svg.append(this.mark);
    this.steps = Number(chart.dataset.steps) || 60;
    this.live = chart.querySelector("[aria-live]");
    this.svg.addEventListener("pointerdown", (e) => this.down(e));
    this.svg.addEventListener("pointermove", (e) => this.moved(e));
    this.svg.addEventListener("pointerup", (e) => this.up(e));
    this.svg.addEventListener("pointercancel", () => this.clear());
    this.svg.addEventListener("click", (e) => { if (this.dragged) e.preventDefault(); }, true);
    this.svg.addEventListener("dragstart", (e) => e.preventDefault());
    chart.addEventListener("keydown", (e) => this.key(e));
  }

  x(e) {
    const r = this.svg.getBoundingClientRect();
    return Math.max(0, Math.min(1, (e.clientX - r.left) / r.width));
  }

  down(e) {
    if (e.button !== 0) return;
    this.dragged = false;
    this.begin = this.end = this.x(e);
    this.pointer = e.pointerId;
  }

  moved(e) {
    if (this.pointer !== e.pointerId) return;
    this.end = this.x(e);
    if (!this.dragged && Math.abs(this.end - this.begin) * this.svg.getBoundingClientRect().width < 4) return;
    if (!this.dragged) this.svg.setPointerCapture(e.pointerId);
    this.dragged = true;
    this.draw();
  }

  up(e) {
    if (this.pointer !== e.pointerId) return;
    this.pointer = undefined;
    if (this.dragged) this.take();
  }

  key(e) {
    if (e.target !== this.chart) return;
    const step = 1 / this.steps;
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      const move = e.key === "ArrowLeft" ? -step : step;
      this.begin ??= 0;
      this.end ??= step;
      if (!e.shiftKey) this.begin = Math.max(0, Math.min(1 - step, this.begin + move));
      this.end = Math.max(this.begin + step, Math.min(1, this.end + move));
      this.draw();
    } else if (e.key === "Enter" && this.end !== undefined) {
      this.take();
    } else if (e.key === "Escape") {
      this.clear();
    } else {
      return;
    }
    e.preventDefault();
  }

  times() {
    const from = Number(this.chart.dataset.from), to = Number(this.chart.dataset.to);
    const a = Math.min(this.begin, this.end), b = Math.max(this.begin, this.end);
    return [new Date(from + a * (to - from)), new Date(from + b * (to - from))];
  }

  draw() {
    const a = Math.min(this.begin, this.end), b = Math.max(this.begin, this.end);
    this.mark.setAttribute("x", a * this.width);
    this.mark.setAttribute("width", Math.max(0, b - a) * this.width);
    this.mark.setAttribute("visibility", "visible");
    const [since, until] = this.times();
    const words = `${since.toISOString().slice(0, 19).replace("T", " ")} to ${until.toISOString().slice(0, 19).replace("T", " ")} UTC`;
    if (this.live) this.live.textContent = words;
  }

  clear() {
    this.begin = this.end = this.pointer = undefined;
    this.mark.setAttribute("visibility", "hidden");
    if (this.live) this.live.textContent = "";
  }

  take() {
    const form = document.getElementById(this.chart.dataset.form);
    const [since, until] = this.times();
    for (const [name, time] of [["since", since], ["until", until]]) {
      let field = form.elements.namedItem(name);
      if (!field || field.tagName === "SELECT") {
        if (field) field.disabled = true;
        field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        form.append(field);
      }
      field.value = time.toISOString();
    }
    form.requestSubmit();
  }
}

function start() {
  for (const chart of document.querySelectorAll("[data-brush]:not([data-ready])")) {
    chart.dataset.ready = "";
    new Brush(chart);
  }
}
start();
document.addEventListener("htmx:afterSettle", start);
