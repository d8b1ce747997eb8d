// The unrolled picture as a structure: which boxes stand where, and what leads from one to another.
//
// Places are { row, column }: row 0 is the input, the last row the output, columns are counted in
// boxes. Long sequences are shortened in the middle. `drawing.js` makes an SVG of it.

import { analyse, follow, inputShape } from "./network.js";
import { call, carries, isRecurrent } from "./layers.js";
import { say } from "./words.js";

const BETWEEN = 0.8; // columns between the batch and what comes after it

/**
 * Return { rows, boxes, links, columns } for a choice, in at most `room` columns.
 *
 * A row is { title, words, error }. A box is { kind, row, column, part, step, text, features };
 * kinds are input, fed, words, cell, twoway, dense, copy, embedding, output and gap. A link is
 * { kind, from, to }, where for `start` and `end` one side is missing, and `text` says what.
 */
export function picture(net, room) {
  const found = analyse(net);
  const parts = partsOf(net);
  const shared = share(parts, room);
  const drawn = { rows: rowsOf(net, found), boxes: [], links: [], columns: 0 };
  let offset = 0;
  let before = null;
  parts.forEach((part, index) => {
    const place = { ...part, index, offset, most: shared[index], before };
    const lines = linesOf(net, place);
    placeBoxes(drawn, lines, place);
    climb(drawn, lines, place);
    lines.forEach((line, row) => line.recurrent && passState(drawn, net, line, row, place, parts));
    offset += Math.max(...lines.map((line) => line.slots.length)) + BETWEEN;
    before = lines;
  });
  drawn.columns = offset - BETWEEN;
  if (net.after === "loop" && !found.error) feedBack(drawn);
  return drawn;
}

/** What is drawn side by side: the batch, and the next one or the steps of the closed loop. */
function partsOf(net) {
  const batch = { net, first: 0, fed: false };
  const isFed = net.after === "loop";
  const more = isFed ? net.more - 1 : net.more; // the last known step gives the first forecast
  if (net.after === "nothing" || more < 1 || net.input === "vector") return [batch];
  return [batch, { net: { ...net, steps: more }, first: net.steps, fed: isFed }];
}

/** Share the columns between the parts, each of which needs as many as its longest row. */
function share(parts, room) {
  const needed = parts.map(({ net }) => {
    const input = inputShape(net, net.steps);
    const shapes = [input, ...follow(net, input).rows.map(({ shape }) => shape)];
    return Math.max(...shapes.map(({ steps }) => steps ?? 1));
  });
  if (parts.length === 1) return [Math.max(3, room)];
  const both = room - BETWEEN;
  const first = Math.min(needed[0], Math.max(Math.floor(both / 2), both - needed[1]));
  const kept = Math.max(3, Math.floor(first));
  return [kept, Math.max(3, Math.floor(both - Math.min(kept, needed[0])))];
}

function rowsOf(net, found) {
  const rows = [{ title: "input", words: say(found.input, net.batch), error: false }];
  for (const { layer, shape } of found.rows) {
    rows.push({ title: call(layer), words: say(shape, net.batch), error: false });
  }
  const index = found.error?.layer;
  if (found.rows.length < net.layers.length) {
    rows.push({ title: call(net.layers[index]), words: "doesn't fit", error: true });
  } else {
    rows.push({ title: "output", words: say(found.rows.at(-1).shape, net.batch), error: false });
  }
  return rows;
}

/** The rows of one part, from the input up: { kind, layer, slots, recurrent, shape, at }. */
function linesOf(net, place) {
  const input = inputShape(place.net, place.net.steps);
  const { rows, error } = follow(place.net, input);
  const inputKind = place.fed ? "fed" : net.input === "words" ? "words" : "input";
  const lines = [lineOf(inputKind, input, input, null, place, place.offset)];
  for (const { layer, from, shape } of rows) {
    const at = lines[lines.length - 1].at;
    lines.push(lineOf(kindOf(layer), isRecurrent(layer) ? from : shape, shape, layer, place, at));
  }
  if (!error) {
    const { shape, at } = lines[lines.length - 1];
    lines.push(lineOf("output", shape, shape, null, place, at));
  }
  return lines;
}

/** One row: `drawn` is the shape of its boxes, `shape` what it hands on, `at` a vector's column. */
function lineOf(kind, drawnShape, shape, layer, place, at) {
  const recurrent = layer !== null && isRecurrent(layer);
  const isVector = drawnShape.kind === "vector";
  const slots = isVector
    ? [{ column: at, step: 1 }]
    : shortened(drawnShape.steps, place.most).map((step, i) => ({
        column: place.offset + i,
        step,
      }));
  const handsOn = shape.kind === "vector" ? slots[slots.length - 1].column : place.offset;
  return { kind, layer, slots, recurrent, shape, at: handsOn, isVector };
}

/** The steps that are shown, null where some are left out. */
function shortened(steps, most) {
  const all = Array.from({ length: Math.min(steps, most) }, (_, i) => i + 1);
  return steps <= most ? all : [...all.slice(0, most - 2), null, steps];
}

function kindOf(layer) {
  if (layer.bidirectional) return "twoway";
  if (isRecurrent(layer)) return "cell";
  return { RepeatVector: "copy", Embedding: "embedding" }[layer.kind] ?? "dense";
}

function placeBoxes({ boxes }, lines, { index, first }) {
  lines.forEach((line, row) => {
    for (const { column, step } of line.slots) {
      const kind = step === null ? "gap" : line.kind;
      const isNumbered = !line.isVector && ["input", "fed", "words", "output"].includes(line.kind);
      const letter = line.kind === "output" ? "y" : "x";
      const text = line.layer ? nameIn(line.layer) : letter;
      const number = isNumbered && step !== null ? first + step : null;
      boxes.push({
        kind,
        row,
        column,
        part: index,
        step,
        text,
        number,
        features: line.shape.features,
      });
    }
  });
}

function nameIn(layer) {
  if (isRecurrent(layer)) return layer.kind === "SimpleRNN" ? "RNN" : layer.kind;
  return { RepeatVector: "copy", Embedding: "vector" }[layer.kind] ?? "Dense";
}

/** Lead from each row up to the next one. */
function climb({ links }, lines, { index }) {
  for (let row = 0; row + 1 < lines.length; row += 1) {
    const [below, above] = [lines[row], lines[row + 1]];
    const real = below.slots.filter(({ step }) => step !== null);
    const up = (from, to, kind) =>
      links.push({
        kind,
        part: index,
        from: { row, column: from },
        to: { row: row + 1, column: to },
      });
    if (below.shape.kind !== "vector") {
      for (const { column } of real) up(column, column, "up");
      continue;
    }
    if (above.kind === "copy") {
      for (const { column, step } of above.slots) if (step !== null) up(below.at, column, "fan");
      continue;
    }
    up(below.at, below.at, "up");
    if (!below.recurrent) continue;
    const isTwoWay = below.kind === "twoway" && real.length > 1;
    if (isTwoWay) up(real[0].column, below.at, "joint");
    for (const { column } of real.slice(isTwoWay ? 1 : 0, -1)) {
      links.push({ kind: "dropped", part: index, from: { row, column }, to: null });
    }
  }
}

/** Lead the state through a row of cells, into its first one, and out of its last one. */
function passState({ links }, net, line, row, { index, fed, before }, parts) {
  const { layer, slots } = line;
  const add = (kind, from, to, text = null, back = false) => {
    const at = (column) => (column === null ? null : { row, column });
    links.push({ kind, part: index, from: at(from), to: at(to), text, back });
  };
  const [first, last] = [slots[0].column, slots[slots.length - 1].column];
  for (let i = 0; i + 1 < slots.length; i += 1) {
    const [a, b] = [slots[i].column, slots[i + 1].column];
    add("state", a, b, carries(layer));
    if (layer.bidirectional) add("state", b, a, carries(layer), true);
  }
  const carried = fed || layer.stateful;
  const isSecond = index > 0;
  if (isSecond && carried) {
    add("carried", before[row].slots.at(-1).column, first, carries(layer));
  } else {
    const keeps = layer.stateful && net.after !== "loop";
    add(keeps ? "last" : "zero", null, first, keeps ? "last batch" : "0");
  }
  if (layer.bidirectional) {
    add(layer.stateful ? "last" : "zero", null, last, layer.stateful ? "last batch" : "0", true);
  }
  const goesOn = index + 1 < parts.length;
  if (goesOn && net.after === "batch" && !layer.stateful && !layer.bidirectional) {
    add("forgotten", last, null, "forgotten");
  }
  if (!goesOn && layer.stateful && net.after !== "loop" && !layer.bidirectional) {
    add("next", last, null, "next batch");
  }
}

/** Lead each output of the closed loop back to the next input. */
function feedBack({ boxes, links, rows }) {
  const top = rows.length - 1;
  for (const box of boxes.filter(({ kind }) => kind === "fed")) {
    const before = boxes.filter(({ row, column }) => row === top && column < box.column);
    const from = before.reduce((a, b) => (a.column > b.column ? a : b));
    const [output, input] = [from, box].map(({ row, column }) => ({ row, column }));
    links.push({ kind: "fedback", part: 1, from: output, to: input });
  }
}
