// The arithmetic of an LSTM and of the Dense layer after it, on one sample, as plain numbers.
//
// Weights are laid out as in Keras: the gates' blocks side by side, in the order i, f, c, o.
// Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, 1997, with the forget gate of
// F. Gers, J. Schmidhuber and F. Cummins, 2000.

/** The gates, in the order in which their weights stand. */
export const GATES = ["i", "f", "g", "o"];

/** The state that a sequence begins with: { h, c }, a number for each unit. */
export function zeroState(units) {
  return { h: Array(units).fill(0), c: Array(units).fill(0) };
}

/**
 * Calculate one step.
 *
 * x (features) and the state { h, c } (units) give { i, f, g, o, c, h, y }: the gates, the new
 * state and the output of the Dense layer (outputs).
 */
export function step(weights, x, state) {
  const units = state.h.length;
  const sums = weights.bias.map(
    (bias, column) =>
      bias + dot(x, weights.kernel, column) + dot(state.h, weights.recurrent_kernel, column),
  );
  const gate = (index, squash) => sums.slice(index * units, (index + 1) * units).map(squash);
  const [i, f, g, o] = [gate(0, sigmoid), gate(1, sigmoid), gate(2, Math.tanh), gate(3, sigmoid)];
  const c = state.c.map((old, unit) => f[unit] * old + i[unit] * g[unit]);
  const h = c.map((value, unit) => o[unit] * Math.tanh(value));
  const y = weights.dense_bias.map((bias, column) => bias + dot(h, weights.dense_kernel, column));
  return { i, f, g, o, c, h, y };
}

/** The parts of one gate's sum for one unit: [{ name, value, weight }], the bias last. */
export function terms(weights, x, state, gate, unit) {
  const column = GATES.indexOf(gate) * state.h.length + unit;
  const inputs = x.map((value, k) => ({
    name: `x${k + 1}`,
    value,
    weight: weights.kernel[k][column],
  }));
  const old = state.h.map((value, k) => ({
    name: `h${k + 1}`,
    value,
    weight: weights.recurrent_kernel[k][column],
  }));
  return [...inputs, ...old, { name: "bias", value: 1, weight: weights.bias[column] }];
}

/** 1 / (1 + e^-v): from 0, a closed tap, to 1, an open one. */
export function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}

function dot(values, matrix, column) {
  return values.reduce((sum, value, row) => sum + value * matrix[row][column], 0);
}
