// The network in Python: with Keras alone, and with statewise.

import { analyse, inputShape } from "./network.js";
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

function data(net, found) {
  const { input, output, name } = found;
  const x = `x = ${zeros(net.batch, input)}  # yours: ${axes(input)}`;
  if (net.after !== "nothing") return x;
  const isSame = input.steps === output.steps && input.features === output.features;
  if (name === "encoder-decoder" && isSame) return `${x}\ny = x  # to say its input again`;
  if (!isScores(net)) return `${x}\ny = ${zeros(net.batch, output)}  # yours: the targets`;
  const target = { kind: "words", steps: output.steps };
  return `${x}\ny = ${zeros(net.batch, target)}  # yours: the numbers of the right words`;
}

function model(net, { input }, plan) {
  const steps = plan.open ? "None" : input.steps;
  const dims = [steps, input.features].filter((dim) => dim !== undefined);
  const type = input.kind === "words" ? ', dtype="int32"' : "";
  const isFixed = plan.stateful && plan.dialect === "keras";
  const shape = isFixed ? `batch_shape=${tuple([net.batch, ...dims])}` : tuple(dims);
  const openly = plan.open ? "  # None: any number of time steps" : "";
  const note = isFixed ? "  # stateful: the batch is fixed" : openly;
  const first = `layers.Input(${shape}${type}),${note}`;
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
  const epoch = indented(`${reset(plan)}\n${fit(", shuffle=False")}`);
  return `for epoch in range(100):\n${epoch}\n${shape}`;
}

function nextBatch(net, { dialect, chosen }) {
  const next = zeros(net.batch, inputShape(net, net.more));
  const run = (x) =>
    dialect === "keras" ? `model(${x})` : `model.predict(${x}, batch_size=${net.batch}, verbose=0)`;
  const note = dialect === "keras" && chosen ? "  # predict() would lose the state on JAX" : "";
  const second = chosen ? "goes on where x stopped" : "starts at zero again";
  return [
    `x_next = ${next}  # the steps that follow, same rows`,
    ...(chosen ? [reset({ dialect })] : []),
    `first = ${run("x")}${note}`,
    `second = ${run("x_next")}  # ${second}`,
  ].join("\n");
}

function loop(net, plan) {
  if (plan.dialect === "statewise") {
    return `forecast = model.forecast(x, horizon=${net.more})  # warm-up over x, then closed loop`;
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
  return [
    "for layer in model.layers:  # the sequences begin anew",
    '    if hasattr(layer, "reset_state"):',
    "        layer.reset_state()",
  ].join("\n");
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

/** An array for a shape, of numbers of words where these are wanted. */
function zeros(batch, { kind, steps, features }) {
  const dims = [batch, steps, features].filter((dim) => dim !== undefined);
  return `np.zeros(${tuple(dims)}${kind === "words" ? ', "int32"' : ""})`;
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
