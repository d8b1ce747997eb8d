// What both kinds of drawings share: scales, axes, lines with gaps.

import { svg } from "./dom.js";
import { ticks } from "./words.js";

export const DASHES = ["", "2 3", "7 3", "9 3 2 3", "5 2 1 2 1 2", "12 3"];

export function color(i) {
  return `var(--line-${Math.min(i, 5)})`;
}

export function range(values, pad) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * pad;
  return [low - room, high + room];
}

// A path that leaves gaps where a value is missing; a value alone between gaps is a dot.
export function path(points) {
  let text = "";
  let pen = "M";
  for (const [x, y] of points) {
    if (!Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}${pen === "M" ? "h0" : ""}`;
    pen = "L";
  }
  return text;
}

export function area(xs, low, high) {
  const there = xs.map((x, k) => [x, low[k], high[k]]).filter(([, a, b]) => a === a && b === b);
  if (!there.length) return "";
  const up = there.map(([x, a]) => `${x.toFixed(1)} ${a.toFixed(1)}`);
  const back = there.reverse().map(([x, , b]) => `${x.toFixed(1)} ${b.toFixed(1)}`);
  return `M${up.join("L")}L${back.join("L")}Z`;
}

// The frame of a drawing: its size, its scales, and the marks of the upright axis.
export function frame(holder, [low, high], margin) {
  const width = Math.max(holder.clientWidth, 240);
  const height = Math.max(holder.clientHeight, 160);
  const marks = ticks(low, high, height > 300 ? 6 : 4);
  const longest = Math.max(...marks.map((mark) => mark.text.length), 1);
  const left = 14 + 7 * longest;
  const box = { left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  for (const mark of marks) {
    const at = y(mark.value).toFixed(1);
    root.append(
      svg("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }),
      svg("text", { x: box.left - 8, y: at, dy: "0.35em", "text-anchor": "end" }, mark.text),
    );
  }
  root.append(svg("line", {
    class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom,
  }));
  return { root, box, y, width, height };
}

// Move labels apart that would overlap, keeping their order.
export function spread(labels, gap, top, bottom) {
  const placed = [...labels].sort((a, b) => a.y - b.y);
  placed.forEach((label, i) => {
    label.y = Math.max(label.y, i ? placed[i - 1].y + gap : top);
  });
  for (let i = placed.length - 1; i >= 0; i--) {
    const limit = i === placed.length - 1 ? bottom : placed[i + 1].y - gap;
    placed[i].y = Math.min(placed[i].y, limit);
  }
  return placed;
}
