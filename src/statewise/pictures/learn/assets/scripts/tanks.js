// The panel on which a small trained LSTM goes through a tank's hours, one step at a time.

import { chart } from "./chart.js";
import { decimal, element } from "./dom.js";
import { gateSum, gateTable } from "./gates.js";
import { WAYS, run } from "./plans.js";

const PACE = 1000; // milliseconds a step
const FAST_PACE = 160; // where there are many

/** Fill `place` with the panel; returns { show(way) }. */
export function tanksPanel(place, numbers) {
  const look = { way: "whole", tank: 0, now: 0, chosen: { gate: "f", unit: 0 }, timer: null };
  const parts = frame(numbers, look, {
    way: (way) => start({ way }),
    tank: (tank) => start({ tank }),
    seek: (now) => {
      stop();
      go(now);
    },
    play: () => (look.timer ? stop() : play()),
  });
  let steps = [];

  function start(change) {
    stop();
    Object.assign(look, change);
    steps = run(numbers, numbers.tanks[look.tank], WAYS[look.way].plan(numbers));
    // The other ways show their point where they end.
    look.now = look.way === "whole" ? 0 : steps.length - 1;
    render();
  }

  function go(now) {
    look.now = Math.max(0, Math.min(steps.length - 1, now));
    render();
  }

  function play() {
    if (look.now === steps.length - 1) look.now = -1;
    const next = () => {
      go(look.now + 1);
      if (look.now === steps.length - 1) stop();
    };
    look.timer = setInterval(next, steps.length > 20 ? FAST_PACE : PACE);
    next();
  }

  function stop() {
    clearInterval(look.timer);
    look.timer = null;
    parts.playing(false);
  }

  function choose(gate, unit) {
    look.chosen = { gate, unit };
    render();
    place.querySelector(`[data-gate="${gate}${unit}"]`).focus();
  }

  function render() {
    const made = steps[look.now];
    const names = numbers.features.map((name, k) => `${name}, ${UNITS[k]}`);
    const width = Math.max(280, parts.chart.clientWidth);
    parts.playing(look.timer !== null);
    parts.at(look, steps.length);
    parts.chart.replaceChildren(
      chart({ steps, now: look.now, tank: numbers.tanks[look.tank], names }, width),
    );
    parts.words.replaceChildren(...stepWords(steps, look, numbers).filter(Boolean));
    parts.table.replaceChildren(gateTable(made, look.chosen, choose));
    parts.sum.replaceChildren(gateSum(numbers.weights, made, look.chosen));
  }

  place.replaceChildren(...parts.all);
  start({});
  new ResizeObserver(() => render()).observe(parts.chart);
  return { show: (way) => start({ way }) };
}

const UNITS = ["kPa", "\u00b0C"];

/** The parts of the panel that stay: the choices, the buttons, and places for the rest. */
function frame(numbers, look, act) {
  const ways = element(
    "select",
    { id: "way", on: { change: (event) => act.way(event.target.value) } },
    Object.entries(WAYS).map(([name, { title }]) => element("option", { value: name }, title)),
  );
  const tanks = element(
    "select",
    { id: "tank", on: { change: (event) => act.tank(Number(event.target.value)) } },
    numbers.tanks.map((_, k) => element("option", { value: k }, `tank ${"ABC"[k]}`)),
  );
  const slider = element("input", {
    type: "range",
    id: "now",
    min: 0,
    value: 0,
    "aria-label": "Step",
    on: { input: (event) => act.seek(Number(event.target.value)) },
  });
  const button = (words, sign, click) =>
    element(
      "button",
      { type: "button", class: "icon big", "aria-label": words, title: words, on: { click } },
      sign,
    );
  const play = button("Play the steps", "\u25b6", act.play);
  const hint = element("p", { class: "hint", id: "way-words" });
  const region = (name) => element("div", { class: name });
  const parts = {
    chart: region("chart-place"),
    words: element("div", { class: "step-words", role: "status" }),
    table: region("table-place"),
    sum: region("sum-place"),
  };
  return {
    ...parts,
    playing: (is) => {
      play.textContent = is ? "\u275a\u275a" : "\u25b6";
      play.setAttribute("aria-label", is ? "Pause" : "Play the steps");
      parts.words.setAttribute("aria-live", is ? "off" : "polite"); // not to talk over itself
    },
    at: ({ way, tank, now }, count) => {
      ways.value = way;
      tanks.value = tank;
      slider.max = count - 1;
      slider.value = now;
      slider.setAttribute("aria-valuetext", `step ${now + 1} of ${count}`);
      hint.textContent = WAYS[way].words;
    },
    all: [
      element(
        "div",
        { class: "controls" },
        element("label", { class: "pick" }, element("span", {}, "run over"), ways),
        element("label", { class: "pick" }, element("span", {}, "of"), tanks),
        element(
          "div",
          { class: "player", role: "group", "aria-label": "Steps" },
          button("First step", "\u21e4", () => act.seek(0)),
          button("One step back", "\u2190", () => act.seek(look.now - 1)),
          play,
          button("One step on", "\u2192", () => act.seek(look.now + 1)),
          slider,
        ),
      ),
      hint,
      parts.chart,
      chartKey(),
      parts.words,
      parts.table,
      parts.sum,
    ],
  };
}

function chartKey() {
  const entry = (type, words) => element("span", { class: `key ${type}` }, words);
  return element(
    "p",
    { class: "keys", "aria-hidden": "true" },
    entry("measured", "measured"),
    entry("unseen", "measured, but not shown to the LSTM"),
    entry("said", "what the LSTM said, an hour before"),
  );
}

/** Say what goes in and what comes out at this step, and what it is to be compared with. */
function stepWords(steps, look, numbers) {
  const { hour, heading, fed, begins, given, x, said } = steps[look.now];
  const tank = numbers.tanks[look.tank];
  const part = heading ?? steps.slice(0, look.now).findLast((one) => one.heading).heading;
  const measure = (values) =>
    values.map((value, k) => `${decimal(value, 1)} ${UNITS[k]}`).join(" and ");
  const source = fed ? "its own last output" : "measured";
  const truth = tank[hour + 1];
  return [
    element(
      "h3",
      {},
      `Step ${look.now + 1} of ${steps.length}: hour ${hour + 1}`,
      element("span", { class: "tag" }, part),
    ),
    element(
      "p",
      {},
      `In goes ${measure(given)} (${source}), scaled to ${x.map((value, k) => `x${k + 1} = ${decimal(value, 2)}`).join(", ")}. `,
      begins ? "The state is zero: it remembers nothing." : "The state is that of the step before.",
    ),
    element(
      "p",
      {},
      `Out comes, for hour ${hour + 2}: `,
      element("strong", {}, measure(said)),
      truth ? `. Measured were ${measure(truth)}.` : ".",
    ),
    compare(steps, look, numbers, measure),
  ];
}

/** At the fifth hour, compare with the run in one pass. */
function compare(steps, { now, tank, way }, numbers, measure) {
  const { hour, y } = steps[now];
  if (hour !== 4 || !["stateful", "stateless", "windows"].includes(way)) return null;
  const whole = run(numbers, numbers.tanks[tank], WAYS.whole.plan(numbers))[hour];
  const isSame = y.every((value, k) => Math.abs(value - whole.y[k]) < 1e-9);
  return element(
    "p",
    { class: "compare" },
    isSame
      ? "In one pass over the five hours it says the very same."
      : `In one pass over the five hours it says ${measure(whole.said)}: here it knows nothing of hours 1 and 2.`,
  );
}
