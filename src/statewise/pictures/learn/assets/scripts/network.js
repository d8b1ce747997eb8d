// What a network does to its input: the shape after each layer, the weights, the picture's name.

import { misfit, loopFault } from "./errors.js";
import { fits, isRecurrent, output, weights } from "./layers.js";

/**
 * Follow the shapes through a network.
 *
 * Returns { input, rows, output, error, total, name }. A row is { layer, from, shape, weights };
 * there are rows up to the first layer that doesn't fit. `error` is { layer, text, fix } or null;
 * `name` is null where there is an error.
 */
export function analyse(net) {
  const input = inputShape(net, net.steps);
  const { rows, error: fault } = follow(net, input);
  const last = fault ? null : rows[rows.length - 1].shape;
  const error = fault ?? (net.after === "loop" ? loopFault(net, input, last) : null);
  const total = rows.reduce((sum, row) => sum + row.weights.count, 0);
  return { input, rows, output: last, error, total, name: error ? null : nameOf(net, input, rows) };
}

/** The shape of the input, with so many time steps. */
export function inputShape({ input, features }, steps) {
  if (input === "sequence") return { kind: "sequence", steps, features };
  return input === "vector" ? { kind: "vector", features } : { kind: "words", steps };
}

/** Follow the shapes: { rows, error }. */
export function follow(net, input) {
  const rows = [];
  let shape = input;
  for (const [index, layer] of net.layers.entries()) {
    if (!fits(layer, shape)) return { rows, error: misfit(net, index, shape) };
    const after = output(layer, shape);
    rows.push({ layer, from: shape, shape: after, weights: weights(layer, shape) });
    shape = after;
  }
  return { rows, error: null };
}

function nameOf(net, input, rows) {
  const last = rows[rows.length - 1].shape;
  const manyIn = (input.steps ?? 1) > 1;
  const ahead = net.after === "loop" ? net.more - 1 : 0;
  const manyOut = (last.steps ?? 1) + ahead > 1;
  const squeezed = rows.some(({ layer, shape }) => isRecurrent(layer) && shape.kind === "vector");
  if (manyIn && manyOut && squeezed) return "encoder-decoder";
  return `${manyIn ? "many" : "one"}-to-${manyOut ? "many" : "one"}`;
}
