// Small helpers to make elements of HTML and SVG.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element; an attribute that is false or null is left out, `on` holds listeners. */
export function element(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Make an SVG element, like `element`. */
export function drawn(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

/** Write a number with spaces of a comma between thousands: 1,234. */
export function grouped(number) {
  return number.toLocaleString("en-US");
}

/** Write a measured or calculated number with so many decimals, with a real minus sign. */
export function decimal(number, places) {
  const text = number.toFixed(places);
  const isZero = Number(text) === 0;
  return (isZero ? text.replace("-", "") : text).replace("-", "\u2212");
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}
