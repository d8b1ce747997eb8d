// The form on which one chooses the data, what comes after the batch, and the layers.

import { card } from "./cards.js";
import { COUNTS, MOST_LAYERS } from "./config.js";
import { element } from "./dom.js";
import { count, radio } from "./fields.js";
import { KINDS, make } from "./layers.js";

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
