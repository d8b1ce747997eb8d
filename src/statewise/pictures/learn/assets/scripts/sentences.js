// What a network does, in sentences: those that stand beside the picture.

import { call, carries, isRecurrent } from "./layers.js";
import { counted, listed } from "./words.js";

/** Say what the picture shows; [] where there is an error. */
export function sentences(net, found) {
  if (found.error) return [];
  return [reach(net, found), memory(net, found), ...loop(net), ...remarks(net, found)].filter(
    Boolean,
  );
}

function reach(net, { input, output, rows, name }) {
  const entering = input.kind === "vector" ? "One vector goes in" : going(input.steps);
  if (name === "encoder-decoder") {
    const code = rows.find(({ layer, shape }) => isRecurrent(layer) && shape.kind === "vector");
    const vector = `one vector of ${counted(code.shape.features, "number")}`;
    const made = `${counted(output.steps, "step")} made from it`;
    return `${entering}, all of them squeezed into ${vector}, and ${made}.`;
  }
  const first = rows.find(({ layer }) => isRecurrent(layer));
  const used = first
    ? `; the same ${first.layer.kind} cell is used ${times(first.from.steps)}`
    : "";
  return `${entering}${used}; ${leaving(output, rows)}.`;
}

function leaving(output, rows) {
  const last = rows.findLast(({ layer }) => isRecurrent(layer));
  if (last && last.shape.kind === "vector" && last.from.steps > 1) {
    return "only its last output is handed on, the others are dropped";
  }
  return output.kind === "vector" ? "one output comes out" : coming(output.steps);
}

function going(number) {
  return `${counted(number, "step")} ${number === 1 ? "goes" : "go"} in`;
}

function coming(number) {
  return `${counted(number, "output")} ${number === 1 ? "comes" : "come"} out`;
}

function memory(net, { rows }) {
  const layers = rows.map(({ layer }) => layer).filter(isRecurrent);
  if (!layers.length)
    return "Nothing is recurrent here: each sample, and each step, is worked on by itself.";
  if (net.after === "loop") return null;
  const kept = layers.filter((layer) => layer.stateful);
  const rowsOf = net.batch === 1 ? "the one row" : `each of the ${net.batch} rows`;
  if (!kept.length)
    return `In every batch the state of ${rowsOf} starts at zero, and is forgotten after the last step.`;
  const what = listed([...new Set(kept.map(carries))]);
  return `The state (${what}) of ${rowsOf} is kept: the next batch goes on where this one stopped, row by row. So the rows must stay in their order (shuffle=False), and reset_states() must be called where new sequences begin.`;
}

function loop(net) {
  if (net.after !== "loop") return [];
  const warm = `First it runs over the ${counted(net.steps, "known step")}, for the state's sake; the last output is the first forecast.`;
  const fed =
    net.more > 1
      ? ` Then each output is the next input, ${times(net.more - 1)}, without a reset in between.`
      : "";
  return [warm + fed];
}

function remarks(net, { rows, name }) {
  const found = [];
  const layers = rows.map(({ layer }) => layer);
  const recurrent = layers.filter(isRecurrent);
  const stateful = recurrent.filter((layer) => layer.stateful);
  if (stateful.length && stateful.length < recurrent.length && net.after !== "loop") {
    const fresh = recurrent.find((layer) => !layer.stateful);
    found.push(
      `Careful: ${call(fresh)} is not stateful, so it starts at zero in every batch while another layer goes on. That is seldom meant.`,
    );
  }
  if (stateful.some((layer) => layer.bidirectional)) {
    found.push(
      "Careful: the half that runs backwards starts at a batch's end with what it kept from the beginning of the batch before. That is seldom meant.",
    );
  }
  if (name === "one-to-one" && recurrent.length && !stateful.length && net.after === "nothing") {
    found.push(
      "With one step and no state kept, nothing is remembered: it's a one-to-one network.",
    );
  }
  if (layers.some(({ kind }) => kind === "TimeDistributed")) {
    found.push(
      "TimeDistributed(Dense) and Dense give the same numbers: both work on each step by itself, with the same weights.",
    );
  }
  return found;
}

function times(number) {
  return { 1: "once", 2: "twice" }[number] ?? `${number} times`;
}
