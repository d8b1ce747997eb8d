// Plain drawings of lines: errors by step, losses by epoch. Each line is named at its end.

import { svg } from "./dom.js";
import { color, DASHES, frame, path, range, spread } from "./plot.js";
import { number, ticks } from "./words.js";

// lines: { name, points: [[x, y]], look } with look the number of its colour, -1 for a quiet one.
export function drawLines(holder, lines, { across, up, whole }) {
  const ys = lines.flatMap((line) => line.points.map(([, v]) => v));
  let [low, high] = range(ys, 0.08);
  if (low < 0 && Math.min(...ys.filter(Number.isFinite)) >= 0) low = 0;
  if (whole) low = Math.min(low, 0);
  const named = lines.filter((line) => line.name && line.points.length);
  const longest = Math.max(0, ...named.map((line) => line.name.length));
  const right = Math.min(20 + 7 * longest, holder.clientWidth * 0.4);
  const { root, box, y, height } = frame(holder, [low, high], { top: 22, right, bottom: 40 });
  const xs = lines.flatMap((line) => line.points.map(([v]) => v));
  const from = Math.min(...xs);
  const to = Math.max(...xs);
  const x = (v) => box.left + 4 + ((box.right - box.left - 8) * (v - from)) / (to - from || 1);

  const marks = ticks(from, to, Math.max(2, Math.floor((box.right - box.left) / 42)));
  for (const mark of marks.filter(({ value }) => Number.isInteger(value))) {
    root.append(svg("text", { x: x(mark.value), y: box.bottom + 16, "text-anchor": "middle" }, String(mark.value)));
  }
  root.append(
    svg("text", { x: (box.left + box.right) / 2, y: height - 4, "text-anchor": "middle" }, across),
    svg("text", { x: 0, y: 11 }, up),
  );
  [...lines].reverse().forEach(({ name, points, look }) => {
    const stroke = look < 0 ? "var(--control)" : color(look);
    const at = points.map(([a, b]) => [x(a), y(b === null ? NaN : b)]);
    const title = svg("title", {}, name || up);
    root.append(svg("path", {
      class: "path", d: path(at), stroke, "stroke-width": look === 0 ? 2.6 : 1.6,
      "stroke-dasharray": name && look > 0 ? DASHES[look % 6] : null, "data-name": name || up,
      "stroke-opacity": look < 0 ? 0.55 : 1,
    }, title));
    if (points.length === 1 && Number.isFinite(at[0][1])) {
      root.append(svg("circle", { cx: at[0][0], cy: at[0][1], r: 4, fill: stroke }));
    }
  });
  const labels = named.map(({ name, points, look }) => {
    const last = [...points].reverse().find(([, b]) => b !== null) || [to, low];
    return { name, look, y: y(last[1]) };
  });
  const room = Math.max(4, Math.floor((right - 10) / 6.6));
  for (const label of spread(labels, 15, box.top, box.bottom)) {
    const text = label.name.length > room ? `${label.name.slice(0, room - 1)}…` : label.name;
    root.append(svg("text", {
      class: "label", x: box.right + 8, y: label.y, dy: "0.35em",
      style: `fill: ${label.look < 0 ? "var(--muted)" : color(label.look)}`,
    }, text));
  }
  const best = Math.min(...ys.filter((v) => v !== null && Number.isFinite(v)));
  root.setAttribute("aria-label", `${up} ${across}; the least is ${number(best)}`);
  holder.replaceChildren(root);
}
