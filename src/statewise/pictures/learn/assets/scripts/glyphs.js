// The boxes of the unrolled picture. Each kind has a shape of its own beside its colour.

import { drawn } from "./dom.js";

const MOST_DOTS = 4;

/** Half of each box's width and height; `lane` is how far its two directions are off the middle. */
export const HALF = {
  input: { x: 20, y: 22, lane: 0 },
  fed: { x: 20, y: 22, lane: 0 },
  words: { x: 20, y: 22, lane: 0 },
  output: { x: 20, y: 22, lane: 0 },
  cell: { x: 24, y: 18, lane: 0 },
  twoway: { x: 24, y: 24, lane: 11 },
  dense: { x: 23, y: 15, lane: 0 },
  copy: { x: 20, y: 15, lane: 0 },
  embedding: { x: 23, y: 15, lane: 0 },
  gap: { x: 12, y: 12, lane: 0 },
};
const ROUNDING = { cell: 18, twoway: 16, dense: 2, embedding: 2 };

/** Draw a box around its middle. */
export function glyph(box, x, y) {
  const { kind, row, part, step } = box;
  const group = drawn("g", {
    class: `box ${kind}`,
    transform: `translate(${x} ${y})`,
    "data-kind": kind,
    "data-row": row,
    "data-part": part,
    "data-step": step ?? "",
  });
  if (kind === "gap") group.append(text(0, 5, "\u00b7 \u00b7 \u00b7", "dots"));
  else if (kind === "twoway") group.append(...twoWay(box));
  else group.append(frame(kind), ...contents(box));
  return group;
}

function frame(kind) {
  const half = HALF[kind];
  return drawn("rect", {
    class: "frame",
    x: -half.x,
    y: -half.y,
    width: 2 * half.x,
    height: 2 * half.y,
    rx: ROUNDING[kind] ?? 7,
  });
}

function contents({ kind, text: name, number, features }) {
  if (!["input", "fed", "output", "words"].includes(kind)) return [text(0, 4, name, "name")];
  const letter =
    number === null
      ? [text(0, 0, name, "letter")]
      : [text(0, 0, name, "letter", drawn("tspan", { class: "number", dy: 4 }, `${number}`))];
  if (kind === "words") return [...letter, text(0, 15, "word", "small")];
  const inner =
    kind === "output"
      ? [drawn("rect", { class: "inner", x: -17, y: -19, width: 34, height: 38, rx: 4 })]
      : [];
  return [...inner, ...letter, ...dots(features)];
}

/** One dot for each feature; where there are too many, their number. */
function dots(features) {
  if (features > MOST_DOTS) return [text(0, 15, `\u00d7${short(features)}`, "small")];
  const places = Array.from({ length: features }, (_, i) => (i - (features - 1) / 2) * 8);
  return places.map((cx) => drawn("circle", { class: "feature", cx, cy: 12, r: 2.6 }));
}

function twoWay({ text: name }) {
  return [
    frame("twoway"),
    drawn("line", { class: "middle", x1: -24, x2: 24, y1: 0, y2: 0 }),
    text(0, -7, `\u2190 ${name}`, "small"),
    text(0, 15, `${name} \u2192`, "small"),
  ];
}

function text(x, y, words, type, ...more) {
  return drawn("text", { x, y, class: type, "text-anchor": "middle" }, words, ...more);
}

/** A number for a small box: 10,000 is 10K. */
function short(number) {
  return number.toLocaleString("en-US", { notation: "compact" });
}
