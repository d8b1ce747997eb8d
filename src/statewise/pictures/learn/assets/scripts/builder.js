// The form on which one chooses the data, what comes after the batch, and the layers.

import { COUNTS, MOST_LAYERS, countFault } from "./config.js";
import { element } from "./dom.js";
import { KINDS, call, make } from "./layers.js";

const INPUTS = { sequence: "sequence", vector: "one vector", words: "words" };
const AFTERS = {
  nothing: "nothing",
  batch: "the next batch, of",
  loop: "the outputs fed back, to forecast",
};

/**
 * Fill `place` with the form, and call `changed(net)` when something else is chosen.
 *
 * Returns { show(net), mark(error) }: to show another choice, and the error of a layer.
 */
export function builder(place, changed) {
  let net = null;
  const change = (next) => {
    net = next;
    changed(next);
  };
  const rebuild = (next, focus) => {
    show(next);
    changed(next);
    place.querySelector(`[data-key="${focus}"]`)?.focus();
  };
  // What a listener needs: the present choice, and the two ways to change it.
  const desk = { net: () => net, change, rebuild };

  function show(next) {
    net = next;
    place.replaceChildren(dataFields(desk), layerFields(desk), afterFields(desk));
  }

  function mark(error) {
    for (const card of place.querySelectorAll(".layer")) {
      const isWrong = error !== null && Number(card.dataset.index) === error.layer;
      card.classList.toggle("wrong", isWrong);
      card.querySelector(".layer-error").textContent = isWrong
        ? "This layer doesn't fit: see the picture."
        : "";
    }
  }

  return { show, mark };
}

function dataFields(desk) {
  const net = desk.net();
  const choose = (input) => {
    const after = input === "vector" ? "nothing" : desk.net().after;
    desk.rebuild({ ...desk.net(), input, after }, `input-${input}`);
  };
  const names = [
    "batch",
    ...(net.input === "vector" ? [] : ["steps"]),
    ...(net.input === "words" ? [] : ["features"]),
  ];
  return element(
    "fieldset",
    { class: "group" },
    element("legend", {}, "Input"),
    element(
      "div",
      { class: "segments" },
      Object.entries(INPUTS).map(([value, words]) =>
        radio({ name: "input", value, words, checked: net.input === value, choose }),
      ),
    ),
    element(
      "div",
      { class: "counts" },
      names.map((name) => dataCount(desk, name)),
    ),
  );
}

function dataCount(desk, name) {
  const { label, most } = COUNTS[name];
  const store = (value) => desk.change({ ...desk.net(), [name]: value });
  return count({ key: name, label, most, value: desk.net()[name], store });
}

function afterFields(desk) {
  const net = desk.net();
  const closed = net.input === "vector";
  const choose = (after) => desk.rebuild({ ...desk.net(), after }, `after-${after}`);
  const lines = Object.entries(AFTERS).map(([value, words]) => {
    const isChosen = net.after === value;
    const choice = radio({
      name: "after",
      value,
      words,
      checked: isChosen,
      choose,
      disabled: closed && value !== "nothing",
    });
    const more = isChosen && value !== "nothing" ? dataCount(desk, "more") : null;
    return element("div", { class: "after" }, choice, more);
  });
  const why = closed
    ? element("p", { class: "hint" }, "A vector has no time steps that could go on.")
    : null;
  return element(
    "fieldset",
    { class: "group" },
    element("legend", {}, "After this batch comes"),
    lines,
    why,
  );
}

function layerFields(desk) {
  const { layers } = desk.net();
  const full = layers.length >= MOST_LAYERS;
  const add = (kind) => {
    const now = desk.net();
    desk.rebuild({ ...now, layers: [...now.layers, make(kind)] }, `kind-${now.layers.length}`);
  };
  const adders = Object.keys(KINDS).map((kind) =>
    element(
      "button",
      {
        type: "button",
        class: "chip",
        disabled: full,
        "data-key": `add-${kind}`,
        "aria-label": `Add ${kind}`,
        on: { click: () => add(kind) },
      },
      `+ ${kind}`,
    ),
  );
  return element(
    "fieldset",
    { class: "group" },
    element("legend", {}, "Layers"),
    element(
      "ol",
      { class: "layers" },
      layers.map((layer, index) => card(desk, layer, index)),
    ),
    element("div", { class: "chips", role: "group", "aria-label": "Add a layer" }, adders),
    full
      ? element("p", { class: "hint" }, `${MOST_LAYERS} layers are the most that this page draws.`)
      : null,
  );
}

function card(desk, layer, index) {
  const replace = (options) => {
    const now = desk.net();
    return {
      ...now,
      layers: now.layers.map((old, i) => (i === index ? { ...old, ...options } : old)),
    };
  };
  const { counts, switches } = KINDS[layer.kind];
  return element(
    "li",
    { class: "layer", "data-index": index },
    element(
      "div",
      { class: "layer-head" },
      kindChoice(desk, layer, index),
      moves(desk, layer, index),
    ),
    element(
      "div",
      { class: "counts" },
      counts.map(({ name, label, most }) =>
        count({
          key: `${name}-${index}`,
          label,
          most,
          value: layer[name],
          of: `layer ${index + 1}`,
          store: (value) => desk.change(replace({ [name]: value })),
        }),
      ),
    ),
    switches.length
      ? element(
          "div",
          { class: "switches" },
          switches.map(({ name, label }) =>
            element(
              "label",
              { class: "switch" },
              element("input", {
                type: "checkbox",
                "data-key": `${name}-${index}`,
                checked: layer[name],
                "aria-label": `${label}, layer ${index + 1}`,
                on: { change: (event) => desk.change(replace({ [name]: event.target.checked })) },
              }),
              element("code", {}, label),
            ),
          ),
        )
      : null,
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

function radio({ name, value, words, checked, choose, disabled = false }) {
  const input = element("input", {
    type: "radio",
    name,
    value,
    checked,
    disabled,
    "data-key": `${name}-${value}`,
    on: { change: () => choose(value) },
  });
  return element("label", { class: "choice" }, input, element("span", {}, words));
}

/** A field for a whole number; of what isn't one it says so, and the last good one stays. */
function count({ key, label, most, value, store, of = null }) {
  const id = `count-${key}`;
  let stored = value;
  const fault = element("span", { class: "field-error", id: `${id}-error` });
  const read = (event) => {
    const given = event.target.value.trim() === "" ? NaN : Number(event.target.value);
    const wanted = countFault(given, most);
    event.target.toggleAttribute("aria-invalid", false);
    if (wanted) event.target.setAttribute("aria-invalid", "true");
    fault.textContent = wanted ? `${wanted}; shown is ${stored}` : "";
    if (wanted) return;
    stored = given;
    store(given);
  };
  const input = element("input", {
    id,
    type: "number",
    min: 1,
    max: most,
    step: 1,
    value,
    inputmode: "numeric",
    "data-key": key,
    "aria-describedby": `${id}-error`,
    "aria-label": of ? `${label}, ${of}` : null,
    on: { input: read },
  });
  return element("div", { class: "count" }, element("label", { for: id }, label), input, fault);
}
