// The card of one layer in the form: its kind, its options, and the buttons that move it.

import { element } from "./dom.js";
import { count, toggle } from "./fields.js";
import { KINDS, call, make } from "./layers.js";

/** Return the card of a layer; `desk` is what the form gives its parts. */
export function card(desk, layer, index) {
  const replace = (options) => {
    const now = desk.net();
    return {
      ...now,
      layers: now.layers.map((old, i) => (i === index ? { ...old, ...options } : old)),
    };
  };
  const { counts, switches } = KINDS[layer.kind];
  const fields = counts.map(({ name, label, most }) =>
    count({
      key: `${name}-${index}`,
      label,
      most,
      value: layer[name],
      of: `layer ${index + 1}`,
      store: (value) => desk.change(replace({ [name]: value })),
    }),
  );
  const options = switches.map(({ name, label }) => {
    const change = (event) => desk.change(replace({ [name]: event.target.checked }));
    return toggle({
      key: `${name}-${index}`,
      label,
      of: `layer ${index + 1}`,
      on: layer[name],
      change,
    });
  });
  return element(
    "li",
    { class: "layer", "data-index": index, "data-kind": layer.kind },
    element("div", { class: "layer-head" }, kindChoice(desk, layer, index)),
    element(
      "div",
      { class: "layer-row" },
      element("div", { class: "counts" }, fields),
      moves(desk, layer, index),
    ),
    options.length ? element("div", { class: "switches" }, options) : null,
    element("p", { class: "layer-error" }),
  );
}

function kindChoice(desk, layer, index) {
  const choose = (event) => {
    const now = desk.net();
    const { kind: _, ...same } = now.layers[index];
    const made = make(event.target.value);
    for (const name of Object.keys(made)) if (name in same) made[name] = same[name];
    desk.rebuild({ ...now, layers: now.layers.with(index, made) }, `kind-${index}`);
  };
  return element(
    "select",
    {
      "data-key": `kind-${index}`,
      "aria-label": `Kind of layer ${index + 1}`,
      on: { change: choose },
    },
    Object.entries(KINDS).map(([kind, { title }]) =>
      element("option", { value: kind, selected: kind === layer.kind }, title ?? kind),
    ),
  );
}

/** The buttons that move a layer up or down, or take it out. */
function moves(desk, layer, index) {
  const count = desk.net().layers.length;
  const name = `layer ${index + 1}, ${call(layer)}`;
  const move = (by) => {
    const layers = [...desk.net().layers];
    layers.splice(index + by, 0, ...layers.splice(index, 1));
    const to = index + by;
    const way = by < 0 ? "up" : "down";
    const isAtEnd = by < 0 ? to === 0 : to === count - 1;
    desk.rebuild({ ...desk.net(), layers }, isAtEnd ? `kind-${to}` : `${way}-${to}`);
  };
  const remove = () => {
    const layers = desk.net().layers.toSpliced(index, 1);
    desk.rebuild({ ...desk.net(), layers }, `kind-${Math.min(index, layers.length - 1)}`);
  };
  const button = (key, sign, words, disabled, click) =>
    element(
      "button",
      {
        type: "button",
        class: "icon",
        "data-key": `${key}-${index}`,
        "aria-label": `${words} ${name}`,
        title: words,
        disabled,
        on: { click },
      },
      sign,
    );
  return element(
    "div",
    { class: "moves" },
    button("up", "\u2191", "Move up:", index === 0, () => move(-1)),
    button("down", "\u2193", "Move down:", index === count - 1, () => move(1)),
    button("remove", "\u2715", "Remove", count === 1, remove),
  );
}
