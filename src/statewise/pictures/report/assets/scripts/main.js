// Puts the report on the page.

import { drawChart } from "./chart.js";
import { drawCut } from "./cut.js";
import { byId, el, svg } from "./dom.js";
import { makeFinder } from "./finder.js";
import { drawLines } from "./lines.js";
import { openNumbers } from "./numbers.js";
import { color, DASHES } from "./plot.js";
import { writeAgain, writeHead, writeNotes, writeTable } from "./texts.js";
import { number } from "./words.js";

const content = JSON.parse(byId("content").textContent);
const { series, names } = content;
const read = openNumbers(byId("numbers").textContent, series, names);
const shown = new Set(names.slice(0, 3));
let current = 0;

function drawSeries() {
  drawChart(byId("chart"), byId("reading"), read(current), names, shown);
}

function choose(i) {
  current = i;
  byId("key").textContent = series.keys[i];
  const told = names.filter((name) => series.errors[name]).map((name) => `${name} ${number(series.errors[name][i])}`);
  byId("errors").textContent = told.length ? `${series.measure}: ${told.join(", ")}` : "";
  drawSeries();
}

function drawRest() {
  const { steps, losses, tried, chosen } = content;
  if (steps) {
    drawLines(byId("steps"), names.map((name, look) => ({
      name, look, points: steps.lines[name].map((value, k) => [k + 1, value]),
    })), { across: "step ahead", up: steps.measure, whole: true });
  }
  drawLines(byId("losses"), [{
    name: "", look: 1, points: losses.map((value, k) => [k + 1, value]),
  }], { across: "epoch", up: "loss" });
  const ways = Object.entries(tried).filter(([, points]) => points.length);
  if (ways.length) {
    const best = (points) => Math.min(...points.map(([, v]) => (v === null ? Infinity : v)));
    const limit = 2 * Math.min(...ways.map(([, points]) => best(points)));
    const lines = ways.map(([name, points]) => ({
      name: name === chosen ? "chosen" : "", look: name === chosen ? 0 : -1, title: name,
      // What went astray would flatten the rest.
      points: points.map(([epoch, v]) => [epoch, v !== null && v <= limit ? v : null]),
    }));
    lines.sort((a, b) => b.look - a.look);
    drawLines(byId("tried"), lines, { across: "epoch", up: "validation error" });
    const least = [...ways].sort((a, b) => best(a[1]) - best(b[1]))
      .map(([name, points]) => `${name} ${number(best(points))}`);
    byId("chosen").textContent = `Each line is one way to handle level and season; what errs more than twice the best is left out. Least errors: ${least.join("; ")}. Chosen: ${chosen}.`;
  }
  byId("tried").closest("section").hidden = !ways.length;
  drawCut(byId("cut"), byId("cut-words"), content.cut);
}

writeHead(content);
writeNotes(content.notes);
writeAgain(content);
byId("measured").hidden = !content.table;
if (content.table) writeTable(content.table);
byId("names").replaceChildren(...names.map((name, i) => {
  const line = svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, svg("line", {
    x1: 1, x2: 25, y1: 5, y2: 5, stroke: color(i), "stroke-width": i ? 2 : 3,
    "stroke-dasharray": DASHES[i % 6] || null,
  }));
  const chip = el("button", { type: "button", class: "chip", "aria-pressed": String(shown.has(name)) }, line, name);
  chip.addEventListener("click", () => {
    if (!shown.delete(name)) shown.add(name);
    chip.setAttribute("aria-pressed", String(shown.has(name)));
    drawSeries();
  });
  return chip;
}));
makeFinder(series, names, choose);
drawRest();

let waiting = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    drawSeries();
    drawRest();
  });
});
document.documentElement.dataset.ready = "true";
