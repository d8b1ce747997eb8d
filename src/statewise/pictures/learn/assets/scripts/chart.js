// The chart of a tank: what was measured, and what the LSTM has said so far of each next hour.

import { drawn } from "./dom.js";

const HEIGHT = 118;
const EDGE = { left: 44, right: 14, top: 22, bottom: 22 };

/**
 * Return an SVG with a panel for each feature.
 *
 * `steps` are those of `run`, `now` is the one looked at, `tank` the measurements (hours, 2), and
 * `names` the titles of the panels.
 */
export function chart({ steps, now, tank, names }, width) {
  const places = placesOf(steps);
  const most = places[places.length - 1] + 1;
  const x = (place) =>
    EDGE.left + ((place + 0.25) / (most + 0.5)) * (width - EDGE.left - EDGE.right);
  const height = names.length * HEIGHT;
  const svg = drawn("svg", {
    class: "chart",
    role: "img",
    "aria-label": spoken(steps, now, names),
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  });
  svg.append(
    drawn("line", {
      class: "now",
      x1: x(places[now]),
      x2: x(places[now]),
      y1: 4,
      y2: height - EDGE.bottom + 4,
    }),
  );
  names.forEach((name, feature) =>
    svg.append(...panel({ steps, now, tank, places, feature, name, x, width })),
  );
  return svg;
}

/** Where each step stands: one to the right of the last, two where hours are left or repeated. */
function placesOf(steps) {
  const places = [0];
  for (let k = 1; k < steps.length; k += 1) {
    const follows = steps[k].hour === steps[k - 1].hour + 1;
    places.push(places[k - 1] + (follows ? 1 : 2.2));
  }
  return places;
}

function panel({ steps, now, tank, places, feature, name, x, width }) {
  const top = feature * HEIGHT;
  const shown = steps.flatMap(({ hour, said }) => [
    tank[hour][feature],
    tank[hour + 1]?.[feature] ?? said[feature],
    said[feature],
  ]);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const y = (value) =>
    top + EDGE.top + (1 - (value - low) / (high - low || 1)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const isShort = steps.length < 20;
  const parts = [
    drawn("text", { class: "panel-name", x: EDGE.left, y: top + 12 }, name),
    ...[low, high].map((value) =>
      drawn(
        "text",
        { class: "tick", x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" },
        value.toFixed(0),
      ),
    ),
    drawn("line", {
      class: "axis",
      x1: EDGE.left - 4,
      x2: width - EDGE.right,
      y1: top + HEIGHT - EDGE.bottom + 6,
      y2: top + HEIGHT - EDGE.bottom + 6,
    }),
  ];
  for (const [first, last] of stretches(steps, (a, b) => follows(a, b) && a.fed === b.fed)) {
    const measured = range(first, last).map((k) => [x(places[k]), y(tank[steps[k].hour][feature])]);
    parts.push(path(measured, steps[first].fed ? "measured unseen" : "measured"));
    if (isShort)
      parts.push(
        ...measured.map(([cx, cy]) => drawn("circle", { class: "measured-dot", cx, cy, r: 3.5 })),
      );
  }
  for (const [first, last] of stretches(steps, follows)) {
    const said = range(first, Math.min(last, now)).map((k) => [
      x(places[k] + 1),
      y(steps[k].said[feature]),
    ]);
    if (said.length) parts.push(path(said, "said"));
    if (isShort)
      parts.push(
        ...said.map(([cx, cy]) =>
          drawn("path", { class: "said-mark", d: `M${cx} ${cy - 5} l5 5 l-5 5 l-5 -5 Z` }),
        ),
      );
  }
  if (feature === 0) parts.push(...beginnings(steps, places, x));
  else parts.push(...hoursBelow(steps, places, x, top));
  return parts;
}

/** The first and last step of each run of steps that belong together, two by two. */
function stretches(steps, together) {
  const found = [];
  steps.forEach((one, k) => {
    if (k && together(steps[k - 1], one)) found[found.length - 1][1] = k;
    else found.push([k, k]);
  });
  return found;
}

function follows(before, one) {
  return one.hour === before.hour + 1 && !one.begins;
}

function beginnings(steps, places, x) {
  return steps.flatMap(({ begins }, k) => {
    if (!begins) return [];
    const at = x(places[k]) - 9;
    return [
      drawn(
        "text",
        { class: "zero-mark", x: at - 2, y: 14 + EDGE.top, "text-anchor": "end" },
        k ? "0\u2192" : "",
      ),
    ];
  });
}

function hoursBelow(steps, places, x, top) {
  const every = steps.length < 20 ? 1 : 12;
  return steps.flatMap(({ hour }, k) => {
    if ((hour + 1) % every && every > 1) return [];
    return [
      drawn(
        "text",
        { class: "tick", x: x(places[k]), y: top + HEIGHT, "text-anchor": "middle" },
        `${hour + 1}`,
      ),
    ];
  });
}

function path(points, type) {
  return drawn("path", {
    class: `series ${type}`,
    d: points.map(([a, b], k) => `${k ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join(" "),
  });
}

function range(first, last) {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
}

function spoken(steps, now, names) {
  const { hour, said } = steps[now];
  const values = names.map((name, k) => `${name} ${said[k].toFixed(1)}`).join(", ");
  return `Measurements and what the LSTM says of each next hour. After hour ${hour + 1} it says: ${values}.`;
}
