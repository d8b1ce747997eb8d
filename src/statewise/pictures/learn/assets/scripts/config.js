// What one chooses on the page: a plain value, checked where it comes from an address.
//
// { input: "sequence" | "vector" | "words", batch, steps, features, layers: [...],
//   after: "nothing" | "batch" | "loop", more }: `more` steps of the next batch, or to forecast.

import { KINDS, make } from "./layers.js";

export const MOST_LAYERS = 12;
export const COUNTS = {
  batch: { label: "batch", most: 100000 },
  steps: { label: "time steps", most: 10000 },
  features: { label: "features", most: 10000 },
  more: { label: "steps", most: 10000 },
};
const INPUTS = ["sequence", "vector", "words"];
const AFTERS = ["nothing", "batch", "loop"];

/** Make a choice from what differs from the usual one. */
export function choose(differences) {
  const usual = { input: "sequence", batch: 32, steps: 5, features: 2, after: "nothing", more: 3 };
  return { ...usual, layers: [make("LSTM")], ...differences };
}

/** Return what is wrong with a count in words, or null. */
export function countFault(value, most) {
  if (Number.isInteger(value) && value >= 1 && value <= most) return null;
  return `a whole number from 1 to ${most}`;
}

/** Write a choice for the address of the page. */
export function toAddress(net) {
  return `net=${encodeURIComponent(JSON.stringify(net))}`;
}

/** Read a choice from the address; throws an Error that says what is wrong. */
export function fromAddress(text) {
  const net = JSON.parse(decodeURIComponent(text.replace(/^net=/, "")));
  member(net?.input, INPUTS, "input");
  member(net.after, AFTERS, "after");
  for (const [name, { most }] of Object.entries(COUNTS)) whole(net[name], most, name);
  if (!Array.isArray(net.layers)) throw new Error("layers is no list");
  whole(net.layers.length, MOST_LAYERS, "the number of layers");
  if (net.input === "vector" && net.after !== "nothing") {
    throw new Error("a vector has no time steps that could go on");
  }
  const { input, after, batch, steps, features, more } = net;
  return { input, after, batch, steps, features, more, layers: net.layers.map(readLayer) };
}

function readLayer(given) {
  member(given?.kind, Object.keys(KINDS), "a layer's kind");
  const { counts, switches } = KINDS[given.kind];
  const layer = make(given.kind);
  for (const { name, most } of counts) layer[name] = whole(given[name], most, name);
  for (const { name } of switches) layer[name] = member(given[name], [true, false], name);
  return layer;
}

function whole(value, most, name) {
  const wanted = countFault(value, most);
  if (wanted) throw new Error(`${name} is ${JSON.stringify(value)}, not ${wanted}`);
  return value;
}

function member(value, choices, name) {
  if (choices.includes(value)) return value;
  throw new Error(`${name} is ${JSON.stringify(value)}, not one of ${choices.join(", ")}`);
}
