// The layers one can choose: their options, what they take, what they hand on, their weights.
//
// A shape is { kind: "sequence", steps, features }, { kind: "vector", features } or
// { kind: "words", steps }: numbers of words, one for each step, which only an Embedding can read.

const GATES = { SimpleRNN: 1, GRU: 3, LSTM: 4 };
const UNITS = { name: "units", label: "units", start: 4, most: 4096 };
const RECURRENT = {
  counts: [UNITS],
  switches: [
    { name: "return_sequences", label: "return_sequences" },
    { name: "stateful", label: "stateful" },
    { name: "bidirectional", label: "Bidirectional" },
  ],
  takes: "sequence",
  output: (layer, shape) => {
    const features = layer.units * (layer.bidirectional ? 2 : 1);
    return layer.return_sequences
      ? { kind: "sequence", steps: shape.steps, features }
      : { kind: "vector", features };
  },
  weights: recurrentWeights,
};
const DENSE = { counts: [{ ...UNITS, start: 1 }], switches: [], weights: denseWeights };

/** Every kind of layer, by its name. */
export const KINDS = {
  SimpleRNN: RECURRENT,
  GRU: RECURRENT,
  LSTM: RECURRENT,
  Dense: {
    ...DENSE,
    takes: "numbers",
    output: (layer, shape) => ({ ...shape, features: layer.units }),
  },
  TimeDistributed: {
    ...DENSE,
    title: "TimeDistributed(Dense)",
    takes: "sequence",
    output: (layer, shape) => ({ ...shape, features: layer.units }),
  },
  RepeatVector: {
    counts: [{ name: "n", label: "times", start: 5, most: 10000 }],
    switches: [],
    takes: "vector",
    output: (layer, shape) => ({ kind: "sequence", steps: layer.n, features: shape.features }),
    weights: () => ({ count: 0, formula: "nothing to learn: it copies" }),
  },
  Embedding: {
    counts: [
      { name: "input_dim", label: "words", start: 1000, most: 1000000 },
      { name: "output_dim", label: "size", start: 8, most: 4096 },
    ],
    switches: [],
    takes: "words",
    output: (layer, shape) => ({
      kind: "sequence",
      steps: shape.steps,
      features: layer.output_dim,
    }),
    weights: ({ input_dim, output_dim }) => ({
      count: input_dim * output_dim,
      formula: `words ${input_dim} × size ${output_dim}`,
    }),
  },
};

/** Whether a layer goes through time steps with a state. */
export function isRecurrent(layer) {
  return layer.kind in GATES;
}

/** What a recurrent layer carries from step to step. */
export function carries(layer) {
  return layer.kind === "LSTM" ? "h, c" : "h";
}

/** Make a layer of a kind, with the options given and the usual ones otherwise. */
export function make(kind, options = {}) {
  const layer = { kind };
  for (const { name, start } of KINDS[kind].counts) layer[name] = start;
  for (const { name } of KINDS[kind].switches) layer[name] = false;
  return { ...layer, ...options };
}

/** Write a layer as it is written in Python: LSTM(4, return_sequences=True). */
export function call(layer, prefix = "") {
  const parts = KINDS[layer.kind].counts.map(({ name }) => `${layer[name]}`);
  for (const name of ["return_sequences", "stateful"]) if (layer[name]) parts.push(`${name}=True`);
  const inner = layer.kind === "TimeDistributed" ? "Dense" : layer.kind;
  const text = `${prefix}${inner}(${parts.join(", ")})`;
  if (layer.kind === "TimeDistributed") return `${prefix}TimeDistributed(${text})`;
  return layer.bidirectional ? `${prefix}Bidirectional(${text})` : text;
}

/** Whether a layer can read a shape. */
export function fits(layer, shape) {
  const { takes } = KINDS[layer.kind];
  return takes === shape.kind || (takes === "numbers" && shape.kind !== "words");
}

/** What a layer hands on for a shape that fits. */
export function output(layer, shape) {
  return KINDS[layer.kind].output(layer, shape);
}

/** The number of weights and how it comes about: { count, formula }. */
export function weights(layer, shape) {
  return KINDS[layer.kind].weights(layer, shape);
}

function recurrentWeights(layer, { features }) {
  const { kind, units, bidirectional } = layer;
  const gates = GATES[kind];
  const biases = kind === "GRU" ? 2 : 1; // Keras's GRU has one for the input, one for the state
  const directions = bidirectional ? 2 : 1;
  const factors = [
    bidirectional ? "2 directions" : null,
    gates > 1 ? `${gates} gates` : null,
    `units ${units}`,
    `(features ${features} + units ${units} + ${biases} bias${biases > 1 ? "es" : ""})`,
  ];
  return {
    count: directions * gates * units * (features + units + biases),
    formula: factors.filter(Boolean).join(" × "),
  };
}

function denseWeights({ units }, { features }) {
  return {
    count: units * (features + 1),
    formula: `units ${units} × (features ${features} + 1 bias)`,
  };
}
