// The list of series: searched, ordered, and drawn a hundred at a time.

import { byId, el } from "./dom.js";
import { counted, number } from "./words.js";

const PAGE = 100;

export function makeFinder(series, names, choose) {
  const errors = series.errors[names[0]] || [];
  const places = series.keys.map((_, i) => i);
  const orders = [["as in the data", () => places]];
  if (errors.length) {
    const size = (i) => (errors[i] === null ? -Infinity : errors[i]);
    orders.push(["largest error first", () => [...places].sort((a, b) => size(b) - size(a))]);
    orders.push(["smallest error first", () => [...places].sort((a, b) => size(a) - size(b))]);
    const others = names.slice(1).map((name) => series.errors[name]);
    if (others.length) {
      const gain = (i) => size(i) - Math.min(...others.map((other) => (other[i] === null ? Infinity : other[i])));
      orders.push(["worse than naive first", () => [...places].sort((a, b) => gain(b) - gain(a))]);
    }
  }
  orders.push(["by name", () => [...places].sort((a, b) => series.keys[a].localeCompare(series.keys[b], "en", { numeric: true }))]);

  const list = byId("list");
  const search = byId("search");
  const order = byId("order");
  order.replaceChildren(...orders.map(([name], i) => el("option", { value: i }, name)));
  let found = places;
  let drawn = PAGE;
  let current = 0;

  const draw = () => {
    const rows = found.slice(0, drawn).map((i) => {
      const error = errors.length ? number(errors[i]) : "";
      const button = el("button", { type: "button", "aria-current": i === current ? "true" : null },
        el("span", {}, series.keys[i]), el("span", {}, error));
      button.addEventListener("click", () => go(i));
      return el("li", {}, button);
    });
    if (found.length > drawn) {
      const more = el("button", { type: "button", class: "more" }, `Show ${Math.min(PAGE, found.length - drawn)} more`);
      more.addEventListener("click", () => {
        drawn += PAGE;
        draw();
      });
      rows.push(el("li", {}, more));
    }
    list.replaceChildren(...rows);
    const what = errors.length ? `; the number is the ${series.measure} of the model` : "";
    byId("found").textContent = found.length
      ? `${found.length.toLocaleString("en-GB")} of ${counted(places.length, "series").replace("seriess", "series")}${what}`
      : "No series has this in its name.";
  };
  const go = (i) => {
    current = i;
    const at = found.indexOf(i);
    if (at >= drawn) drawn = Math.ceil((at + 1) / PAGE) * PAGE;
    byId("previous").disabled = at <= 0;
    byId("next").disabled = at < 0 || at >= found.length - 1;
    draw();
    choose(i);
  };
  const look = () => {
    const words = search.value.trim().toLowerCase();
    found = orders[order.value][1]().filter((i) => series.keys[i].toLowerCase().includes(words));
    drawn = PAGE;
    list.scrollTop = 0;
    if (found.length) go(found[0]);
    else draw();
  };
  const turn = (by) => {
    const i = found[found.indexOf(current) + by];
    if (i === undefined) return;
    go(i);
    const marked = list.querySelector("[aria-current]");
    if (marked) marked.scrollIntoView({ block: "nearest" });
  };
  search.addEventListener("input", look);
  order.addEventListener("change", look);
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  list.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    turn(by);
    const marked = list.querySelector("[aria-current]");
    if (marked) marked.focus();
  });
  const many = places.length > 1;
  byId("finder").hidden = !many;
  byId("previous").parentElement.hidden = !many;
  byId("browse").classList.toggle("many", many);
  look();
}
