// The questions that people ask, each with an answer and a choice that shows it.
//
// { id, title, answer, net, tries: [{ label, change(net) }], way }: `way` is how the small LSTM is
// run, where its numbers are part of the answer.

import { choose } from "./config.js";
import { make } from "./layers.js";

const lstm = (units, options) => make("LSTM", { units, ...options });
const gru = (units, options) => make("GRU", { units, ...options });
const dense = (units) => make("Dense", { units });
const EVERY = { return_sequences: true };
const STATEFUL = { stateful: true };

/** Change one option of one layer. */
function setting(index, options) {
  return (net) => ({
    ...net,
    layers: net.layers.map((layer, i) => (i === index ? { ...layer, ...options } : layer)),
  });
}

function data(values) {
  return (net) => ({ ...net, ...values });
}

export const QUESTIONS = [
  {
    id: "axes",
    title: "What are samples, time steps and features?",
    answer:
      "Three oil tanks, five hourly readings, two gauges: a batch of 3 samples, 5 time steps, 2 features, in this order. There is one input box for each time step, and in it one dot for each feature. The batch isn't drawn: it says how many such sequences run side by side, each for itself.",
    net: choose({ batch: 3, steps: 5, features: 2, layers: [lstm(4, EVERY)] }),
    tries: [
      { label: "8 time steps", change: data({ steps: 8 }) },
      { label: "4 features", change: data({ features: 4 }) },
      { label: "a batch of 32", change: data({ batch: 32 }) },
    ],
  },
  {
    id: "look-back",
    title: "look_back = 3: many-to-one, with three pink boxes?",
    answer:
      "Yes. Three time steps are three input boxes, and also three green ones: the same cell, used once for each of them. Only the last output goes on to Dense(1), so it is many-to-one. The 4 units are no boxes: they are how wide the state is.",
    net: choose({ batch: 1, steps: 3, features: 1, layers: [lstm(4), dense(1)] }),
    tries: [
      { label: "look_back = 6", change: data({ steps: 6 }) },
      {
        label: "(batch, 1, 3) instead: one step, three features",
        change: data({ steps: 1, features: 3 }),
      },
    ],
  },
  {
    id: "features",
    title: "Two stocks: when do features matter?",
    answer:
      "Features are what is known at the same moment. Two stocks as two features enter one cell together, and one state is about both, so that one can help to foresee the other. Two stocks as two samples, a batch of 2, share the weights and nothing else. Eight kinds of market data of one stock are 8 features: the box gets wider, not the chain longer.",
    net: choose({ batch: 1, steps: 5, features: 2, layers: [lstm(4), dense(2)] }),
    tries: [
      {
        label: "as two samples",
        change: (net) => ({ ...net, batch: 2, features: 1, layers: [lstm(4), dense(1)] }),
      },
      {
        label: "8 features",
        change: (net) => ({ ...net, batch: 1, features: 8, layers: [lstm(4), dense(1)] }),
      },
    ],
  },
  {
    id: "return-sequences",
    title: "What does return_sequences change?",
    answer:
      "Not what is calculated, only what is handed on. The cell is used at every step in any case; with return_sequences=True its output of each step goes on, without it the last one alone, and the others are dropped (the small crosses). A recurrent layer on top of another one needs every step.",
    net: choose({ steps: 5, features: 2, layers: [lstm(4, EVERY), dense(1)] }),
    tries: [
      { label: "return_sequences=False", change: setting(0, { return_sequences: false }) },
      { label: "return_sequences=True", change: setting(0, EVERY) },
      {
        label: "two LSTMs, the first without it",
        change: data({ layers: [lstm(4), lstm(4), dense(1)] }),
      },
    ],
  },
  {
    id: "stateful",
    title: "What does stateful=True do?",
    answer:
      "It keeps the state between batches. Row 1 of the next batch goes on where row 1 of this batch stopped, row 2 where row 2 stopped: the two pictures become one long chain. Without it each batch starts at zero.",
    net: choose({
      batch: 3,
      steps: 3,
      features: 2,
      after: "batch",
      more: 3,
      layers: [lstm(4, { ...EVERY, ...STATEFUL })],
    }),
    tries: [
      { label: "stateful=False", change: setting(0, { stateful: false }) },
      { label: "stateful=True", change: setting(0, STATEFUL) },
    ],
    way: "stateful",
  },
  {
    id: "reset",
    title: "Batch of 1, reset after each epoch: why stateful at all? Why shuffle=False?",
    answer:
      "The point lies within the epoch: its 93 windows are 93 batches of one row, and the state goes from each to the next, through the whole series. It is reset only where the series begins again. shuffle=False keeps the parts in their order; shuffled, each would go on from the memory of a stranger.",
    net: choose({
      batch: 1,
      steps: 3,
      features: 1,
      after: "batch",
      more: 3,
      layers: [lstm(4, STATEFUL), dense(1)],
    }),
    tries: [{ label: "the training loop, in the code", change: data({ after: "nothing" }) }],
  },
  {
    id: "stocks",
    title: "400 stocks, stateful: which batch size?",
    answer:
      "400. The batch size of a stateful network is the number of sequences that run side by side; it need not be 1. Each day is one batch of 400 rows, one time step and the day's features, and the state of every stock waits in its row for the next day.",
    net: choose({
      batch: 400,
      steps: 1,
      features: 8,
      after: "batch",
      more: 1,
      layers: [lstm(32, STATEFUL), dense(1)],
    }),
    tries: [
      { label: "a week in a batch", change: data({ steps: 5, more: 5 }) },
      { label: "stateful=False", change: setting(0, { stateful: false }) },
    ],
  },
  {
    id: "parts",
    title: "A batch of 2 steps, then one of 3: the same as 5?",
    answer:
      "Yes, if the layer is stateful and each tank stays in its row: two steps and then three give the very numbers of five in one pass. The batches need not be equally long. Below, the trained LSTM does it with real numbers.",
    net: choose({
      batch: 3,
      steps: 2,
      features: 2,
      after: "batch",
      more: 3,
      layers: [lstm(4, { ...EVERY, ...STATEFUL }), dense(2)],
    }),
    tries: [{ label: "stateful=False", change: setting(0, { stateful: false }) }],
    way: "stateful",
  },
  {
    id: "windows",
    title: "Windows, or the whole sequence?",
    answer:
      "A window is a sample by itself: whatever happened before its first step is lost, since its state starts at zero. Windows make many samples of one series, and limit what can be learned to their length. If you have whole sequences, use them whole, or in stateful parts that don't overlap.",
    net: choose({ batch: 3, steps: 3, features: 2, layers: [lstm(4), dense(2)] }),
    tries: [
      {
        label: "whole sequences of 200 steps",
        change: data({ batch: 8, steps: 200, layers: [lstm(4, EVERY), dense(2)] }),
      },
      {
        label: "stateful parts instead",
        change: data({
          after: "batch",
          more: 3,
          layers: [lstm(4, { ...EVERY, ...STATEFUL }), dense(2)],
        }),
      },
    ],
    way: "windows",
  },
  {
    id: "repeat",
    title: "One-to-many, by repeating the input",
    answer:
      "A recurrent layer needs an input at each step. If there is only one vector for all of them, RepeatVector copies it. The copies are alike, and the outputs differ all the same, because the state does.",
    net: choose({
      input: "vector",
      features: 3,
      layers: [make("RepeatVector", { n: 5 }), lstm(4, EVERY), dense(1)],
    }),
    tries: [
      { label: "without RepeatVector", change: data({ layers: [lstm(4, EVERY), dense(1)] }) },
    ],
  },
  {
    id: "feed-back",
    title: "One-to-many, by feeding the output back",
    answer:
      "One step goes in, and from then on each output is the next input. No layer does that: it is a loop around the model, for which the state must be carried from step to step. An output must be as wide as an input.",
    net: choose({
      batch: 1,
      steps: 1,
      features: 2,
      after: "loop",
      more: 5,
      layers: [lstm(2, EVERY)],
    }),
    tries: [
      { label: "LSTM(4) alone", change: data({ layers: [lstm(4, EVERY)] }) },
      { label: "LSTM(4) and Dense(2)", change: data({ layers: [lstm(4, EVERY), dense(2)] }) },
    ],
  },
  {
    id: "forecast",
    title: "How do I forecast beyond the known steps?",
    answer:
      "Train on the next step: the target is the series itself, one step ahead. Then run over all known steps, not for the outputs but for the state at their end; the last output is the first forecast. Feed it back, and so on, without a reset in between.",
    net: choose({
      batch: 1,
      steps: 3,
      features: 2,
      after: "loop",
      more: 4,
      layers: [lstm(4, EVERY), dense(2)],
    }),
    tries: [{ label: "72 known hours, 24 ahead", change: data({ steps: 72, more: 24 }) }],
    way: "forecast",
  },
  {
    id: "autoencoder",
    title: "What is an autoencoder?",
    answer:
      "A many-to-one encoder, and on top of it a one-to-many decoder. The encoder squeezes the sequence into one vector, the code; RepeatVector gives it to every step of the decoder, which makes the sequence again. Train it with fit(x, x).",
    net: choose({
      steps: 5,
      features: 2,
      layers: [
        lstm(8, EVERY),
        lstm(4),
        make("RepeatVector", { n: 5 }),
        lstm(8, EVERY),
        make("TimeDistributed", { units: 2 }),
      ],
    }),
    tries: [{ label: "a decoder of 3 steps", change: setting(2, { n: 3 }) }],
  },
  {
    id: "time-distributed",
    title: "Dense or TimeDistributed(Dense)? The word model",
    answer:
      "Either: after return_sequences=True both work on each step by itself, with the same weights, and give the same numbers. In the word model an Embedding makes a vector of each word's number, two GRUs go through them, and at each step Dense gives a score to every word.",
    net: choose({
      input: "words",
      steps: 6,
      layers: [
        make("Embedding", { input_dim: 10000, output_dim: 128 }),
        gru(512, EVERY),
        gru(128, EVERY),
        make("TimeDistributed", { units: 10000 }),
      ],
    }),
    tries: [
      {
        label: "Dense instead",
        change: (net) => ({ ...net, layers: net.layers.toSpliced(-1, 1, dense(10000)) }),
      },
      { label: "without Embedding", change: (net) => ({ ...net, layers: net.layers.slice(1) }) },
    ],
  },
  {
    id: "both-ways",
    title: "What does Bidirectional do?",
    answer:
      "It runs one layer forwards and another one backwards, and puts their outputs side by side: twice as many features. Each output then knows the whole sequence, the later steps too. So it can't be used for what is still arriving.",
    net: choose({
      steps: 5,
      features: 2,
      layers: [lstm(4, { ...EVERY, bidirectional: true }), dense(1)],
    }),
    tries: [
      { label: "return_sequences=False", change: setting(0, { return_sequences: false }) },
      { label: "feed the outputs back?", change: data({ after: "loop" }) },
    ],
  },
  {
    id: "steps",
    title: "How are the steps calculated?",
    answer:
      "At each step an LSTM has the new input x and its state: the last output h and the memory c. It makes four small sums of them, squeezes three to taps between 0 and 1, and with these keeps some of the old memory and lets some of the new in. Below you can go through it with real numbers; choose a gate to see its sum.",
    net: choose({ batch: 1, steps: 5, features: 2, layers: [lstm(4, EVERY), dense(2)] }),
    tries: [],
    way: "whole",
  },
];
