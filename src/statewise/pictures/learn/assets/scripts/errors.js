// What is wrong when a network can't be, in words: which layer, what it wants, what came; and how
// it can be mended, where there is an obvious way: { layer, text, fix: { label, change } }.

import { KINDS, call, isRecurrent, make } from "./layers.js";
import { say } from "./words.js";

const WANTS = {
  sequence: "a sequence: (batch, time steps, features)",
  vector: "one vector for each sample: (batch, features)",
  words: "numbers of words: (batch, time steps), chosen as the input",
  numbers: "measurements: (batch, features) or (batch, time steps, features)",
};

/** Say that a layer can't read what comes to it. */
export function misfit(config, index, shape) {
  const layer = config.layers[index];
  const where = `Layer ${index + 1}, ${call(layer)},`;
  const from = index ? `layer ${index}, ${call(config.layers[index - 1])},` : "the input";
  const came = `What came from ${from} is ${say(shape, config.batch)}`;
  const text = `${where} wants ${WANTS[KINDS[layer.kind].takes]}. ${came}${why(config, index, shape)}`;
  return { layer: index, text, fix: mend(config, index, shape) };
}

/** Say why outputs can't be fed back, or return null where they can. */
export function loopFault(config, input, output) {
  const { layers } = config;
  const found = (test) => layers.findIndex(test);
  if (input.kind !== "sequence") {
    return fault(
      null,
      "Outputs can be fed back only where the input is a sequence of measurements; for words, one must be chosen first from the scores of all.",
    );
  }
  const repeat = found((layer) => layer.kind === "RepeatVector");
  const twoWays = found((layer) => layer.bidirectional);
  if (repeat >= 0 || twoWays >= 0) {
    const index = repeat >= 0 ? repeat : twoWays;
    return fault(
      index,
      `Layer ${index + 1}, ${call(layers[index])}, needs all time steps at once, so the network can't go on one step at a time. Outputs can't be fed back here.`,
    );
  }
  if (output.kind !== "sequence") {
    const index = layers.findLastIndex((layer) => isRecurrent(layer));
    const text = `To be fed back, there must be an output at each step, and layer ${index + 1}, ${call(layers[index])}, hands on the last one alone.`;
    return fault(index, text, returnSequences(index));
  }
  if (output.features !== input.features) {
    const text = `To be fed back, an output must be as wide as an input: the input has features ${input.features}, the output has features ${output.features}.`;
    return fault(null, text, {
      label: `Add Dense(${input.features}) at the end`,
      change: (net) => ({
        ...net,
        layers: [...net.layers, make("Dense", { units: input.features })],
      }),
    });
  }
  return null;
}

function fault(layer, text, fix = null) {
  return { layer, text, fix };
}

function why(config, index, shape) {
  const { takes } = KINDS[config.layers[index].kind];
  if (shape.kind === "words")
    return ": numbers that only name words. An Embedding makes vectors of them.";
  if (takes === "words") return ": measurements, not names of words.";
  if (takes === "vector") return ": it has time steps already, so there is nothing to repeat.";
  const before = config.layers[index - 1];
  if (before && isRecurrent(before))
    return ", without time steps, because return_sequences=False drops all but the last.";
  return ", without time steps.";
}

function mend(config, index, shape) {
  const { takes } = KINDS[config.layers[index].kind];
  const before = config.layers[index - 1];
  if (shape.kind === "words") return insert(index, make("Embedding"));
  if (takes === "words" && index === 0) {
    return { label: "Make the input words", change: (net) => ({ ...net, input: "words" }) };
  }
  if (takes === "sequence" && before && isRecurrent(before)) return returnSequences(index - 1);
  if (takes === "sequence") return insert(index, make("RepeatVector"));
  if (takes === "vector" && before && isRecurrent(before))
    return option(index - 1, "return_sequences", false);
  if (takes === "vector" && !before) {
    return {
      label: "Make the input one vector",
      change: (net) => ({ ...net, input: "vector", after: "nothing" }),
    };
  }
  return null;
}

function insert(index, layer) {
  return {
    label: `Put ${call(layer)} before it`,
    change: (net) => ({ ...net, layers: net.layers.toSpliced(index, 0, layer) }),
  };
}

function returnSequences(index) {
  return option(index, "return_sequences", true);
}

function option(index, name, value) {
  return {
    label: `Set ${name}=${value ? "True" : "False"} on layer ${index + 1}`,
    change: (net) => ({
      ...net,
      layers: net.layers.map((layer, i) => (i === index ? { ...layer, [name]: value } : layer)),
    }),
  };
}
