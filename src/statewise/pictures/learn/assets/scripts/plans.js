// Ways to run the small LSTM over a tank: what it is given at each step, and where it begins anew.
//
// A plan is a list of { hour, fed, begins, heading }: which hour it is given, whether that is its
// own last output instead of the measurement, whether the state starts at zero before this step,
// and the batch or the window that begins here.

import { step, zeroState } from "./lstm.js";

const WHOLE = 5;
const WINDOW = 3;

/** The ways, by name; each gives { title, words, plan(numbers), compared }. */
export const WAYS = {
  whole: {
    title: "5 hours in one pass",
    words: "One sequence of five time steps. The state starts at zero, and goes from step to step.",
    plan: () => hours(0, WHOLE, "one batch of 5 steps"),
  },
  stateful: {
    title: "2 hours, then 3: stateful",
    words:
      "Two batches of the same sequence. The second goes on with the state that the first ended with.",
    plan: () => [...hours(0, 2, "batch 1: 2 steps"), ...hours(2, 3, "batch 2: 3 steps", false)],
  },
  stateless: {
    title: "2 hours, then 3: not stateful",
    words:
      "The same two batches, but the state is forgotten in between: hours 3 to 5 begin at zero.",
    plan: () => [...hours(0, 2, "batch 1: 2 steps"), ...hours(2, 3, "batch 2: 3 steps")],
  },
  windows: {
    title: "windows of 3 hours",
    words:
      "Three overlapping windows, each a sample by itself: every one begins at zero and knows nothing of the hours before it.",
    plan: () => [0, 1, 2].flatMap((first) => hours(first, WINDOW, `window ${first + 1}`)),
  },
  forecast: {
    title: "3 days known, 1 day forecast",
    words:
      "First it runs over 72 known hours, for the state's sake. Then each output is the next input, for 24 hours that it has not seen.",
    plan: ({ known, ahead }) => [
      ...hours(0, known, `warm-up: ${known} known hours`),
      ...hours(known, ahead - 1, "closed loop", false).map((one) => ({ ...one, fed: true })),
    ],
  },
};

/**
 * Run the LSTM over one tank's measurements (hours, 2).
 *
 * Returns a list, for each step of the plan: the plan's entry, the input `x` (scaled) and `given`
 * (as measured), the state `before`, all of `step`, and `said`, the next hour in the tank's units.
 */
export function run(numbers, tank, plan) {
  const { weights, units, shift, scale } = numbers;
  const scaled = (values) => values.map((value, k) => (value - shift[k]) / scale[k]);
  const unscaled = (values) => values.map((value, k) => value * scale[k] + shift[k]);
  let state = zeroState(units);
  let last = null;
  return plan.map((entry) => {
    const before = entry.begins ? zeroState(units) : state;
    const x = entry.fed ? last : scaled(tank[entry.hour]);
    const made = step(weights, x, before);
    state = { h: made.h, c: made.c };
    last = made.y;
    return { ...entry, x, given: unscaled(x), before, ...made, said: unscaled(made.y) };
  });
}

function hours(first, count, heading, begins = true) {
  return Array.from({ length: count }, (_, k) => ({
    hour: first + k,
    fed: false,
    begins: begins && k === 0,
    heading: k === 0 ? heading : null,
  }));
}
