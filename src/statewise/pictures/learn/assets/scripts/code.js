// The network in Python: with Keras alone, and with statewise.

import { analyse } from "./network.js";
import { call, isRecurrent } from "./layers.js";
import { say } from "./words.js";

/** Write a program that runs as it stands; `dialect` is "keras" or "statewise". */
export function code(net, dialect) {
  const found = analyse(net);
  if (found.error) return `# This can't be run:\n${comment(found.error.text)}\n`;
  const plan = plans(net, dialect);
  const parts = [imports(net, plan), data(net, found), model(net, found, plan)];
  if (net.after === "nothing") parts.push(compiled(net));
  parts.push(use(net, found, plan));
  return `${parts.join("\n\n")}\n`;
}

/** What follows from a choice: whether the state is kept, how open the time axis is. */
function plans(net, dialect) {
  const chosen = net.layers.some((layer) => layer.stateful);
  // With Keras alone the loop goes through stateful layers; statewise carries the state itself.
  const forLoop = net.after === "loop" && dialect === "keras";
  const open = net.after === "loop" || (net.after === "batch" && net.more !== net.steps);
  return { dialect, chosen, forLoop, stateful: chosen || forLoop, open };
}

function imports(net, { dialect }) {
  if (dialect === "keras") return "import keras\nimport numpy as np\nfrom keras import layers";
  const loss = isScores(net) ? "\nimport keras" : ""; // after statewise, which chooses its engine
  return `import numpy as np\nfrom statewise import Sequential, layers${loss}`;
}

function data(net, { input, output }) {
  const needsTargets = net.after === "nothing";
  const dims = [net.batch, input.steps, input.features].filter((dim) => dim !== undefined);
  const type = input.kind === "words" ? ', "int32"' : "";
  const target = isScores(net) ? { ...output, features: undefined } : output;
  const out = [net.batch, target.steps, target.features].filter((dim) => dim !== undefined);
  const x = `x = np.zeros(${tuple(dims)}${type})  # yours: ${axes(input)}`;
  if (!needsTargets) return x;
  return [
    x,
    `y = np.zeros(${tuple(out)}${isScores(net) ? ', "int32"' : ""})  # yours: ${isScores(net) ? "the right word's number" : "the targets"}`,
  ].join("\n");
}

function model(net, { input }, plan) {
  const steps = plan.open ? "None" : input.steps;
  const dims = [steps, input.features].filter((dim) => dim !== undefined);
  const type = input.kind === "words" ? ', dtype="int32"' : "";
  const fixed = plan.stateful && !(plan.dialect === "statewise");
  const first = fixed
    ? `layers.Input(batch_shape=${tuple([net.batch, ...dims])}${type}),  # stateful: the batch is fixed`
    : `layers.Input(${tuple(dims)}${type}),${plan.open ? "  # None: any number of time steps" : ""}`;
  const rest = net.layers.map((layer) => {
    const written = plan.forLoop && isRecurrent(layer) ? { ...layer, stateful: true } : layer;
    return `${call(written, "layers.")},`;
  });
  const lines = [first, ...rest].map((line) => `        ${line}`).join("\n");
  const name = plan.dialect === "keras" ? "keras.Sequential" : "Sequential";
  return `model = ${name}(\n    [\n${lines}\n    ]\n)`;
}

function compiled(net) {
  if (!isScores(net)) return 'model.compile(loss="mse", optimizer="adam")';
  return [
    "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    'model.compile(loss=loss, optimizer="adam")',
  ].join("\n");
}

function use(net, found, plan) {
  if (net.after === "loop") return loop(net, plan);
  if (net.after === "batch") return nextBatch(net, plan);
  const fit = (extra) => `model.fit(x, y, batch_size=${net.batch}${extra}, verbose=0)`;
  const shape = `print(model.output_shape)  # ${say(found.output, net.batch)}`;
  if (!plan.chosen) return `${fit("")}\n${shape}`;
  return `for epoch in range(100):\n${indented(reset(plan))}\n    ${fit(", shuffle=False")}\n${shape}`;
}

function nextBatch(net, plan) {
  const dims = net.input === "words" ? [net.batch, net.more] : [net.batch, net.more, net.features];
  const type = net.input === "words" ? ', "int32"' : "";
  const next = `x_next = np.zeros(${tuple(dims)}${type})  # the steps that follow, same rows`;
  const call_ =
    plan.dialect === "keras" ? "model(x)" : `model.predict(x, batch_size=${net.batch}, verbose=0)`;
  const note =
    plan.dialect === "keras" && plan.chosen ? "  # predict() would lose the state on JAX" : "";
  const second = plan.chosen ? "  # goes on where x stopped" : "  # starts at zero again";
  const before = plan.chosen ? [reset(plan)] : [];
  return [
    next,
    ...before,
    `first = ${call_}${note}`,
    `second = ${call_.replace("(x", "(x_next")}${second}`,
  ].join("\n");
}

function loop(net, plan) {
  if (plan.dialect === "statewise") {
    return `forecast = model.forecast(x, steps=${net.more})  # warm-up over x, then closed loop`;
  }
  const lines = [
    reset(plan),
    "outputs = model(x)  # warm-up over the known steps",
    "last = outputs[:, -1:]",
    "forecast = [last]",
  ];
  if (net.more > 1) {
    lines.push(
      `for _ in range(${net.more - 1}):`,
      "    last = model(last)  # each output is the next input",
      "    forecast.append(last)",
    );
  }
  return [...lines, "forecast = keras.ops.concatenate(forecast, axis=1)"].join("\n");
}

function reset({ dialect }) {
  if (dialect === "statewise") return "model.reset_states()  # the sequences begin anew";
  return 'for layer in model.layers:  # the sequences begin anew\n    if hasattr(layer, "reset_state"):\n        layer.reset_state()';
}

/** Whether the outputs are scores of words, to be compared with the right word's number. */
function isScores(net) {
  const last = net.layers[net.layers.length - 1];
  return (
    net.input === "words" &&
    (last.kind === "Dense" || last.kind === "TimeDistributed") &&
    last.units > 1
  );
}

function axes({ kind }) {
  return {
    sequence: "batch, time steps, features",
    vector: "batch, features",
    words: "batch, time steps",
  }[kind];
}

function tuple(dims) {
  return `(${dims.join(", ")}${dims.length === 1 ? "," : ""})`;
}

function indented(text) {
  return text.replace(/^/gm, "    ");
}

function comment(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (`${lines[lines.length - 1]} ${word}`.length > 76) lines.push("");
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines.map((line) => `#${line}`).join("\n");
}
