// Small line charts as SVG: series of {step, value} on one step axis, with a legend that names the last values.
window.styleCharts = (() => {
  const WIDTH = 560, HEIGHT = 210, LEFT = 38, BOTTOM = 22, TOP = 8, RIGHT = 8;
  const COLORS = ["#7c3aed", "#0891b2", "#ea580c", "#16a34a", "#db2777", "#64748b"];
  const make = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const nice = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

  // rows: [{step, a: 1, b: 2}, …]; names: {a: "label", …}; range: [low, high] or nothing to fit; mark: {step, text}, a line across.
  const draw = (holder, rows, names, { range, title, format = nice, empty = "", mark = null } = {}) => {
    holder.replaceChildren();
    const keys = Object.keys(names).filter((key) => rows.some((row) => Number.isFinite(row[key])));
    if (!rows.length || !keys.length) {
      holder.append(Object.assign(document.createElement("p"), { className: "st-quiet", textContent: empty }));
      return;
    }
    const values = rows.flatMap((row) => keys.map((key) => row[key]).filter(Number.isFinite));
    const [low, high] = range || [0, Math.max(...values) * 1.05 || 1];
    const lastStep = rows[rows.length - 1].step, firstStep = Math.min(rows[0].step, lastStep - 1);
    const x = (step) => LEFT + ((step - firstStep) / (lastStep - firstStep)) * (WIDTH - LEFT - RIGHT);
    const y = (value) => TOP + (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title || "" });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const value = low + share * (high - low);
      svg.append(make("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
      const text = make("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" });
      text.textContent = format(value);
      svg.append(text);
    }
    for (const [step, anchor] of [[firstStep, "start"], [lastStep, "end"]]) {
      const text = make("text", { x: x(step), y: HEIGHT - 5, "text-anchor": anchor });
      text.textContent = step;
      svg.append(text);
    }
    if (mark && mark.step >= firstStep && mark.step <= lastStep) {
      svg.append(make("line", { class: "mark", x1: x(mark.step), x2: x(mark.step), y1: TOP, y2: HEIGHT - BOTTOM }));
      const text = make("text", { x: x(mark.step) + (x(mark.step) > WIDTH / 2 ? -5 : 5), y: HEIGHT - BOTTOM - 6, "text-anchor": x(mark.step) > WIDTH / 2 ? "end" : "start" });
      text.textContent = `${mark.text} (${mark.step})`;
      svg.append(text);
    }
    const legend = Object.assign(document.createElement("div"), { className: "st-legend" });
    keys.forEach((key, index) => {
      const color = COLORS[index % COLORS.length];
      const points = rows.filter((row) => Number.isFinite(row[key]));
      svg.append(make("polyline", { fill: "none", stroke: color, "stroke-width": 2, "stroke-linejoin": "round",
        points: points.map((row) => `${x(row.step).toFixed(1)},${y(row[key]).toFixed(1)}`).join(" ") }));
      if (points.length < 16) for (const row of points) svg.append(make("circle", { cx: x(row.step), cy: y(row[key]), r: 3, fill: color }));
      const entry = Object.assign(document.createElement("span"), { textContent: `${names[key]} ${format(points[points.length - 1][key])}` });
      entry.style.setProperty("--c", color);
      legend.append(entry);
    });
    holder.append(svg, legend);
  };
  return { draw };
})();
