// Draws the unrolled picture as an SVG, to the width there is.

import { drawn } from "./dom.js";
import { picture } from "./picture.js";
import { glyph, HALF } from "./glyphs.js";

// Labels stand at the left where the whole picture fits beside them, and on the arrows otherwise.
const BESIDE = { labels: 246, before: 46, slot: [62, 96], row: 86, top: 10, characters: 32 };
const ABOVE = { labels: 0, before: 42, slot: [60, 84], row: 106, top: 20, characters: 40 };
const LEAST_WIDTH_BESIDE = 560;
const AFTER = { open: 46, closed: 8 }; // at the right, with and without something that comes out
const HEADINGS = { batch: ["this batch", "next batch"], loop: ["known steps", "closed loop"] };
const CORNER = 7;

/**
 * Return an SVG of a choice, so many pixels wide, or wider where that is too little.
 *
 * `title` and `description` say it in words.
 */
export function draw(net, room, { title, description }) {
  const { look, shape, free, taken } = fit(net, room);
  const slot = Math.max(look.slot[0], Math.min(look.slot[1], free / shape.columns));
  const hasHeadings = shape.boxes.some(({ part }) => part === 1);
  const top = look.top + (hasHeadings ? 24 : 0);
  const width = Math.max(room, Math.ceil(taken + shape.columns * slot));
  const size = { width, height: top + shape.rows.length * look.row };
  const at = {
    look,
    slot,
    x: (column) => look.labels + look.before + (column + 0.5) * slot,
    y: (row) => top + (shape.rows.length - 1 - row + 0.5) * look.row + (look === ABOVE ? 14 : 0),
  };
  const svg = drawn("svg", {
    class: "unrolled",
    role: "img",
    "aria-labelledby": "unrolled-title unrolled-words",
    viewBox: `0 0 ${size.width} ${size.height}`,
    width: size.width,
    height: size.height,
  });
  svg.append(
    drawn("title", { id: "unrolled-title" }, title),
    drawn("desc", { id: "unrolled-words" }, description),
    drawn("defs", {}, ["flow", "state", "fedback"].map(arrowHead)),
  );
  if (hasHeadings) svg.append(...headings(shape, at, HEADINGS[net.after], size));
  const half = (place) => halfOf(shape, place);
  svg.append(...shape.links.map((link) => arrow(link, at, half, net.after === "loop")));
  svg.append(...shape.boxes.map((box) => glyph(box, at.x(box.column), at.y(box.row))));
  shape.rows.forEach((row, index) => svg.append(...label(row, index, at, size)));
  return svg;
}

/** Choose where the labels stand, and the picture for the room that leaves. */
function fit(net, width) {
  const isOpen = net.layers.some(({ stateful, bidirectional }) => stateful || bidirectional);
  const after = isOpen ? AFTER.open : AFTER.closed;
  const attempt = (look) => {
    const taken = look.labels + look.before + after;
    const free = width - taken;
    return { look, free, taken, shape: picture(net, free / look.slot[0]) };
  };
  const beside = attempt(BESIDE);
  const isWhole = !beside.shape.boxes.some(({ kind }) => kind === "gap");
  if (width >= LEAST_WIDTH_BESIDE && isWhole) return beside;
  const above = attempt(ABOVE);
  const gains = above.shape.columns > beside.shape.columns + 1.5;
  return width >= LEAST_WIDTH_BESIDE && !gains ? beside : above;
}

function halfOf(shape, { row, column }) {
  const box = shape.boxes.find((other) => other.row === row && other.column === column);
  return HALF[box?.kind ?? "gap"];
}

function arrowHead(name) {
  return drawn(
    "marker",
    {
      id: `head-${name}`,
      class: `head ${name}`,
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 9,
      markerHeight: 9,
      markerUnits: "userSpaceOnUse",
      orient: "auto-start-reverse",
    },
    drawn("path", { d: "M0 0.6 L7.4 4 L0 7.4 Z" }),
  );
}

/** The two names above the columns, and the line between them. */
function headings({ boxes }, at, names, { height }) {
  const edge = (part, pick) =>
    pick(...boxes.filter((box) => box.part === part).map((b) => b.column));
  const [end, start] = [edge(0, Math.max), edge(1, Math.min)];
  const middle = at.x((end + start) / 2);
  const text = (x, anchor, words) =>
    drawn("text", { x, y: 16, class: "heading", "text-anchor": anchor }, words);
  return [
    drawn("line", { x1: middle, x2: middle, y1: 4, y2: height - 8, class: "divider" }),
    text(middle - 10, "end", `${names[0]} \u25c2`),
    text(middle + 10, "start", `\u25b8 ${names[1]}`),
  ];
}

/** A row's title and shape: at the left where there is room, on the arrows above it otherwise. */
function label({ title, words, error }, index, at, { width }) {
  const titles = wrapped(title, at.look.characters);
  const lines = [
    ...titles.map((text) => ({ text, type: "title" })),
    { text: words, type: error ? "fault" : "words" },
  ];
  const isWide = at.look === BESIDE;
  const step = 17;
  const middle = at.y(index);
  const first = isWide
    ? middle - ((lines.length - 1) * step) / 2 + 4
    : middle - 32 - (lines.length - 1) * step;
  const made = lines.map(({ text, type }, i) =>
    drawn(
      "text",
      { x: isWide ? 2 : 0, y: first + i * step, class: `label ${type}`, "data-row": index },
      text,
    ),
  );
  if (!error) return made;
  const left = at.look.labels + 8;
  const band = {
    x: left,
    y: middle - 20,
    width: width - left - 8,
    height: 40,
    rx: 8,
    class: "misfit",
  };
  const mark = {
    x: left + band.width / 2,
    y: middle + 5,
    class: "misfit-words",
    "text-anchor": "middle",
  };
  return [
    drawn("rect", band),
    drawn("text", mark, "\u2715 this layer can't read what comes"),
    ...made,
  ];
}

function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(/(?<=[, (])(?=\S)/)) {
    const line = lines[lines.length - 1];
    if (line && `${line}${word}`.trimEnd().length > most) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line + word;
  }
  return lines;
}

function arrow(link, at, half, isLoop) {
  const draw = {
    up: climb,
    fan: turn,
    joint: turn,
    dropped,
    state,
    carried: state,
    zero: start,
    last: start,
    forgotten,
    next,
    fedback,
  }[link.kind];
  const group = drawn("g", { class: `link ${link.kind}`, "data-kind": link.kind });
  group.append(...draw(link, at, half, isLoop));
  return group;
}

function line(d, type) {
  return drawn("path", { d, class: `line ${type}`, "marker-end": `url(#head-${type})` });
}

function note(x, y, words, type = "note", anchor = "middle") {
  return drawn("text", { x, y, class: type, "text-anchor": anchor }, words);
}

function climb({ from, to }, at, half) {
  const x = at.x(from.column);
  return [line(`M${x} ${at.y(from.row) - half(from).y} V${at.y(to.row) + half(to).y + 2}`, "flow")];
}

/** Up, along, and up again. */
function turn({ kind, from, to }, at, half) {
  const [x1, x2] = [at.x(from.column), at.x(to.column) - (kind === "joint" ? 12 : 0)];
  const [y1, y2] = [at.y(from.row) - half(from).y, at.y(to.row) + half(to).y + 2];
  if (Math.abs(x1 - x2) < 1) return [line(`M${x1} ${y1} V${y2}`, "flow")];
  const bend = y2 + (kind === "joint" ? 14 : 17);
  const side = x2 > x1 ? CORNER : -CORNER;
  const sweep = x2 > x1 ? 1 : 0;
  const arc = (s, dx, dy) => `a${CORNER} ${CORNER} 0 0 ${s} ${dx} ${dy}`;
  const first = arc(sweep, side, -CORNER);
  const second = arc(1 - sweep, side, -CORNER);
  return [line(`M${x1} ${y1} V${bend + CORNER} ${first} H${x2 - side} ${second} V${y2}`, "flow")];
}

function dropped({ from }, at, half) {
  const [x, y] = [at.x(from.column), at.y(from.row) - half(from).y];
  return [
    drawn("path", { d: `M${x} ${y} v-11`, class: "line stub" }),
    drawn("path", { d: `M${x - 4} ${y - 19} l8 8 m0 -8 l-8 8`, class: "cross" }),
    drawn("title", {}, "This output is dropped: return_sequences=False"),
  ];
}

function state({ kind, from, to, text, back }, at, half, isLoop) {
  const side = from.column < to.column ? 1 : -1;
  const y = at.y(from.row) + half(from).lane * (back ? -1 : 1);
  const [x1, x2] = [
    at.x(from.column) + side * half(from).x,
    at.x(to.column) - side * (half(to).x + 2),
  ];
  const parts = [line(`M${x1} ${y} H${x2}`, "state")];
  const middle = (x1 + x2) / 2;
  if (isLoop || back) return parts;
  if (kind === "carried") parts.push(note(middle, y + 17, `${text} kept`, "note strong"));
  else if (half(from).lane === 0 && x2 - x1 > 20) parts.push(note(middle, y - 6, text));
  return parts;
}

/** Where a row of cells begins: at zero, or with what was kept of the last batch. */
function start({ kind, to, text, back }, at, half) {
  const side = back ? 1 : -1; // the cells that run backwards begin at the right
  const y = at.y(to.row) + half(to).lane * (back ? -1 : 1);
  const edge = at.x(to.column) + side * half(to).x;
  const far = edge + side * 20;
  const arrowTo = line(`M${far} ${y} H${edge + side * 2}`, "state");
  if (kind === "zero") {
    const x = far + side * 8;
    return [
      arrowTo,
      drawn("circle", { cx: x, cy: y, r: 8, class: "origin" }),
      note(x, y + 4, text, "note origin-text"),
    ];
  }
  const anchor = back ? "start" : "end";
  const [first, second] = text.split(" ");
  const x = edge + side * 8;
  return [
    arrowTo,
    note(x, y - 7, first, "note strong", anchor),
    note(x, y + 16, second, "note strong", anchor),
  ];
}

function forgotten({ from }, at, half) {
  const [x, y] = [at.x(from.column) + half(from).x, at.y(from.row)];
  return [
    drawn("path", { d: `M${x} ${y} h10`, class: "line stub" }),
    drawn("path", { d: `M${x + 10} ${y - 4} l8 8 m0 -8 l-8 8`, class: "cross" }),
    note(x + 2, y + 20, "forgotten", "note", "start"),
  ];
}

function next({ from, text }, at, half) {
  const [x, y] = [at.x(from.column) + half(from).x, at.y(from.row)];
  const [first, second] = text.split(" ");
  return [
    line(`M${x} ${y} h26`, "state"),
    note(x + 8, y - 7, first, "note strong", "start"),
    note(x + 8, y + 16, second, "note strong", "start"),
  ];
}

/** From an output's right side down between two columns into the next input's left side. */
function fedback({ from, to }, at, half) {
  const [x1, x2] = [at.x(from.column) + half(from).x, at.x(to.column) - half(to).x - 2];
  const [y1, y2] = [at.y(from.row), at.y(to.row)];
  const channel = x2 - Math.min((x2 - x1) / 2, 15);
  const arc = `a${CORNER} ${CORNER} 0 0`;
  return [
    line(
      `M${x1} ${y1} H${channel - CORNER} ${arc} 1 ${CORNER} ${CORNER} V${y2 - CORNER} ${arc} 0 ${CORNER} ${CORNER} H${x2}`,
      "fedback",
    ),
  ];
}
