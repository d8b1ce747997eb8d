// The fields of the form.

import { countFault } from "./config.js";
import { element } from "./dom.js";

/** A radio button with its words; `choose(value)` is called when it's chosen. */
export function radio({ name, value, words, checked, choose, disabled = false }) {
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

/**
 * A field for a whole number, with buttons for the mouse.
 *
 * Of what isn't such a number it says so, and the last good one stays. `of` names what it belongs
 * to where there are several of its kind.
 */
export function count({ key, label, most, value, store, of = null }) {
  const id = `count-${key}`;
  let stored = value;
  const fault = element("span", { class: "field-error", id: `${id}-error` });
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
    on: { input: () => read() },
  });
  const read = () => {
    const given = input.value.trim() === "" ? NaN : Number(input.value);
    const wanted = countFault(given, most);
    fault.textContent = wanted ? `${wanted}; shown is ${stored}` : "";
    if (wanted) return input.setAttribute("aria-invalid", "true");
    input.removeAttribute("aria-invalid");
    stored = given;
    return store(given);
  };
  // The arrow keys do the same in the field, so the buttons are no stops for the keyboard.
  const nudge = (by, sign) => {
    const click = () => {
      input.value = Math.max(1, Math.min(most, stored + by));
      read();
    };
    const silent = { tabindex: -1, "aria-hidden": "true" };
    return element("button", { type: "button", "data-nudge": by, ...silent, on: { click } }, sign);
  };
  return element(
    "div",
    { class: "count" },
    element("label", { for: id }, label),
    element("div", { class: "stepper" }, nudge(-1, "\u2212"), input, nudge(1, "+")),
    fault,
  );
}

/** A box to tick, named after an option of a layer. */
export function toggle({ key, label, of, on, change }) {
  const input = element("input", {
    type: "checkbox",
    "data-key": key,
    checked: on,
    "aria-label": `${label}, ${of}`,
    on: { change },
  });
  return element("label", { class: "switch" }, input, element("code", {}, label));
}
