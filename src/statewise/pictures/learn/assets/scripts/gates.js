// The table of one step: every gate of every unit, and the sum behind the one that is chosen.

import { decimal, element } from "./dom.js";
import { GATES, terms } from "./lstm.js";

const SAID = {
  i: { name: "input gate i", what: "how much of the new goes in", squash: "sigmoid" },
  f: { name: "forget gate f", what: "how much of the old is kept", squash: "sigmoid" },
  g: { name: "candidate g", what: "what would go in", squash: "tanh" },
  o: { name: "output gate o", what: "how much is shown", squash: "sigmoid" },
};

/** Return the table; `chosen` is { gate, unit }, `choose(gate, unit)` is called for another one. */
export function gateTable(made, chosen, choose) {
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "unit"),
    GATES.map((gate) =>
      element("th", { scope: "col" }, SAID[gate].name, element("small", {}, SAID[gate].what)),
    ),
    element("th", { scope: "col" }, "memory c", element("small", {}, "before \u2192 after")),
    element("th", { scope: "col" }, "output h", element("small", {}, "the new state")),
  );
  const rows = made.c.map((_, unit) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, `${unit + 1}`),
      GATES.map((gate) => element("td", {}, gateButton(made, gate, unit, chosen, choose))),
      element(
        "td",
        { class: "memory" },
        `${decimal(made.before.c[unit], 3)} \u2192 `,
        bar(made.c[unit], 2.5, "c", unit),
      ),
      element("td", {}, bar(made.h[unit], 1, "h", unit)),
    ),
  );
  return element(
    "table",
    { class: "gates" },
    element("caption", { class: "hidden" }, "The gates and the state of each unit after this step"),
    element("thead", {}, head),
    element("tbody", {}, rows),
  );
}

/** Return the chosen gate's sum with this step's numbers, and what becomes of it. */
export function gateSum(weights, made, { gate, unit }) {
  const parts = terms(weights, made.x, made.before, gate, unit);
  const sum = parts.reduce((total, { value, weight }) => total + value * weight, 0);
  const n = unit + 1;
  const written = parts.flatMap(({ name, value, weight }, k) => [
    k ? " + " : "",
    element(
      "span",
      { class: "term", title: name },
      name === "bias"
        ? `bias ${decimal(weight, 2)}`
        : `${name} ${decimal(value, 2)} \u00d7 ${decimal(weight, 2)}`,
    ),
  ]);
  const { squash, what, name } = SAID[gate];
  return element(
    "div",
    { class: "sum" },
    element("p", { class: "sum-name" }, element("strong", {}, `${name}, unit ${n}`), `: ${what}`),
    element("p", {}, "sum = ", written, ` = ${decimal(sum, 3)}`),
    element(
      "p",
      {},
      `${gate}${n} = ${squash}(${decimal(sum, 3)}) = `,
      element("strong", {}, decimal(made[gate][unit], 3)),
    ),
    element(
      "p",
      {},
      `c${n} = f ${decimal(made.f[unit], 3)} \u00d7 old c ${decimal(made.before.c[unit], 3)} + i ${decimal(made.i[unit], 3)} \u00d7 g ${decimal(made.g[unit], 3)} = `,
      element("strong", {}, decimal(made.c[unit], 3)),
    ),
    element(
      "p",
      {},
      `h${n} = o ${decimal(made.o[unit], 3)} \u00d7 tanh(${decimal(made.c[unit], 3)}) = `,
      element("strong", {}, decimal(made.h[unit], 3)),
    ),
  );
}

function gateButton(made, gate, unit, chosen, choose) {
  const isChosen = chosen.gate === gate && chosen.unit === unit;
  return element(
    "button",
    {
      type: "button",
      class: "gate",
      "aria-pressed": isChosen ? "true" : "false",
      "data-gate": `${gate}${unit}`,
      "aria-label": `${SAID[gate].name}, unit ${unit + 1}: ${decimal(made[gate][unit], 3)}`,
      on: { click: () => choose(gate, unit) },
    },
    bar(made[gate][unit], 1, gate, unit),
  );
}

/** A number on a bar: from the left where it can't be negative, from the middle where it can. */
function bar(value, most, name, unit) {
  const bothSides = name === "g" || name === "c" || name === "h";
  const part = Math.min(1, Math.abs(value) / most);
  const made = element(
    "span",
    {
      class: `bar ${bothSides ? "signed" : ""} ${value < 0 ? "negative" : ""}`,
      "data-value": `${name}${unit}`,
    },
    decimal(value, 3),
  );
  made.style.setProperty("--part", part.toFixed(3));
  return made;
}
