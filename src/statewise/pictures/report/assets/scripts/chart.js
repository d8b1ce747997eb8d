// The picture of one series: what was known, what came, what was forecast, and how surely.

import { el, svg } from "./dom.js";
import { area, color, DASHES, frame, path, range } from "./plot.js";
import { number } from "./words.js";

export function drawChart(holder, reading, series, names, shown) {
  const { values, points, bands, first, windows, horizon, count } = series;
  const visible = names.filter((name) => shown.has(name));
  const withBands = shown.has("model") ? bands : [];
  const inSight = [values, ...visible.map((name) => points[name].flat())].flat();
  const [low, high] = range(inSight, 0.06);
  // An interval that is far wider than all else would flatten it: such a one is cut at the edge.
  const ends = withBands.flatMap((band) => [band.low.flat(), band.high.flat()].flat());
  const room = 0.4 * (high - low);
  const limits = range([low, high, ...ends.map((v) => Math.min(Math.max(v, low - room), high + room))], 0.02);

  const { root, box, y, height } = frame(holder, limits, { top: 12, right: 12, bottom: 30 });
  const x = (k) => box.left + 6 + ((box.right - box.left - 12) * k) / Math.max(count - 1, 1);
  const inBox = (value) => Math.min(Math.max(y(value), box.top), box.bottom);

  const begin = first ? (x(first - 1) + x(first)) / 2 : x(0);
  root.append(svg("rect", {
    class: "held", x: begin, y: box.top, width: Math.max(box.right - begin, 0), height: box.bottom - box.top,
  }));
  root.prepend(root.lastChild);
  for (let w = 1; w < windows; w++) {
    const at = (x(first + w * horizon - 1) + x(first + w * horizon)) / 2;
    root.append(svg("line", { class: "grid", x1: at, x2: at, y1: box.top, y2: box.bottom }));
  }

  const steps = (w) => Array.from({ length: horizon }, (_, k) => x(first + w * horizon + k));
  [...withBands].reverse().forEach((band) => {
    for (let w = 0; w < windows; w++) {
      root.append(svg("path", {
        d: area(steps(w), band.low[w].map(inBox), band.high[w].map(inBox)),
        fill: color(0), "fill-opacity": band.level < 90 ? 0.24 : 0.13, "data-level": band.level,
      }));
    }
  });
  root.append(
    svg("path", { class: "known", d: path(values.slice(0, first).map((v, k) => [x(k), y(v)])) }),
    svg("path", {
      class: "truth", "data-name": "truth",
      d: path(values.slice(Math.max(first - 1, 0)).map((v, k) => [x(Math.max(first - 1, 0) + k), y(v)])),
    }),
  );
  [...visible].reverse().forEach((name) => {
    const i = names.indexOf(name);
    for (let w = 0; w < windows; w++) {
      const line = points[name][w].map((v, k) => [x(first + w * horizon + k), y(v)]);
      root.append(svg("path", {
        class: "path", d: path(line), stroke: color(i), "stroke-dasharray": DASHES[i % 6] || null,
        "stroke-width": i ? 1.5 : 2.6, "data-name": name,
      }));
      if (horizon === 1 && Number.isFinite(line[0][1])) {
        root.append(svg("circle", { cx: line[0][0], cy: line[0][1], r: i ? 2 : 3, fill: color(i) }));
      }
    }
  });
  drawTime(root, x, box, height, series);
  const words = series.values.length > first ? "held out" : "beyond the end";
  root.append(svg("text", { x: begin + 6, y: box.top + 12 }, words));
  root.setAttribute("aria-label", `A chart of ${count} steps, the last ${windows * horizon} ${words}`);

  const cursor = svg("line", { class: "cursor", y1: box.top, y2: box.bottom, visibility: "hidden" });
  root.append(cursor);
  const tell = (k) => {
    cursor.setAttribute("x1", x(k));
    cursor.setAttribute("x2", x(k));
    cursor.setAttribute("visibility", "visible");
    reading.replaceChildren(...readAt(series, names, visible, withBands, k));
  };
  root.addEventListener("pointermove", (event) => {
    const across = event.clientX - root.getBoundingClientRect().left - x(0);
    const k = Math.round((across / (x(count - 1) - x(0) || 1)) * (count - 1));
    tell(Math.min(Math.max(k, 0), count - 1));
  });
  root.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    reading.replaceChildren(hint(series));
  });
  reading.replaceChildren(hint(series));
  holder.replaceChildren(root);
}

function hint({ stamp, first, count, bands }) {
  const known = first ? `Known up to ${stamp(first - 1)}, ` : "";
  const levels = bands.map((band) => band.level).join(" and ");
  const shaded = bands.length ? ` Shaded: where ${levels} % of the values should lie.` : "";
  return el("span", {}, `${known}forecast ${stamp(first)} to ${stamp(count - 1)}.${shaded} Point at the picture to read values.`);
}

function readAt(series, names, visible, bands, k) {
  const { values, points, first, horizon, stamp } = series;
  const parts = [el("b", {}, stamp(k))];
  const swatch = (fill) => el("span", { class: "swatch", style: `background: ${fill}` });
  if (k < values.length) {
    parts.push(swatch(k < first ? "var(--muted)" : "var(--truth)"), `${k < first ? "known" : "truth"} ${number(values[k])}`);
  }
  if (k < first) return parts;
  const w = Math.floor((k - first) / horizon);
  const step = (k - first) % horizon;
  for (const name of visible) {
    parts.push(swatch(color(names.indexOf(name))), `${name} ${number(points[name][w][step])}`);
  }
  for (const band of bands) {
    parts.push(` · ${band.level} %: ${number(band.low[w][step])} to ${number(band.high[w][step])}`);
  }
  return parts;
}

// Some stamps under the axis, as many as have room; of months, without the day.
function drawTime(root, x, box, height, { stamp: whole, count }) {
  const months = Array.from({ length: count }, (_, k) => whole(k)).every((text) => /^\d{4}-\d\d-01$/.test(text));
  const stamp = (k) => (months ? whole(k).slice(0, 7) : whole(k));
  const longest = Math.max(stamp(0).length, stamp(count - 1).length);
  const most = Math.max(2, Math.floor((box.right - box.left) / (longest * 7 + 44)));
  const marks = Math.min(most, count);
  for (let i = 0; i < marks; i++) {
    const k = Math.round((i * (count - 1)) / Math.max(marks - 1, 1));
    const anchor = i === 0 ? "start" : i === marks - 1 ? "end" : "middle";
    root.append(
      svg("line", { class: "axis", x1: x(k), x2: x(k), y1: box.bottom, y2: box.bottom + 5 }),
      svg("text", { x: x(k), y: height - 8, "text-anchor": marks === 1 ? "middle" : anchor }, stamp(k)),
    );
  }
}
