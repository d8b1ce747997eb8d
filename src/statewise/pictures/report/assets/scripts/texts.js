// The parts of the page that are words and tables.

import { byId, el } from "./dom.js";
import { color } from "./plot.js";
import { number } from "./words.js";

const LOWEST = new Set(["MAE", "RMSE", "sMAPE", "MASE", "WQL"]);
const MEANINGS = "MAE: mean absolute error, in the unit of the series. RMSE: large misses count more. sMAPE: in percent, 0 to 200. MASE: in parts of the mean seasonal step of each series, as known before. WQL: points and intervals together. In 80 %: how many percent of the truth lie within such intervals; 80 is right.";

export function writeHead({ title, lead, verdict }) {
  byId("title").textContent = title;
  byId("lead").textContent = lead;
  byId("verdict").replaceChildren(...verdict.map((sentence) => {
    const warning = sentence.startsWith("This forecast is");
    return el("p", { class: warning ? "plain" : null }, sentence);
  }));
}

export function writeTable({ columns, rows }) {
  const heading = (name) => (name.startsWith("coverage-") ? `in ${name.slice(9)} %` : name === "sMAPE" ? "sMAPE %" : name);
  const best = columns.map((name, k) => {
    const values = rows.map((row) => row[k + 1]).filter((value) => value !== null);
    return LOWEST.has(name) && rows.length > 1 ? Math.min(...values) : null;
  });
  const body = rows.map(([name, ...values], i) => el("tr", {},
    el("th", { scope: "row" }, el("span", { class: "swatch-line", style: `border-color: ${color(i)}` }), name),
    ...values.map((value, k) => el("td", { class: value !== null && value === best[k] ? "best" : null }, number(value)))));
  byId("table").replaceChildren(
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), ...columns.map((name) => el("th", { scope: "col" }, heading(name))))),
    el("tbody", {}, ...body),
  );
  byId("measures").textContent = `${MEANINGS} The least is marked.`;
}

export function writeAgain({ command, code, settings }) {
  const codes = [["In Python, with data as it was read", code]];
  // Broken where a shell lets one break it.
  if (command) codes.unshift(["The command", command.length > 60 ? command.replaceAll(" --", " \\\n  --") : command]);
  byId("codes").replaceChildren(...codes.map(([label, text]) => {
    const copy = el("button", { type: "button", class: "icon" }, "Copy");
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Select it";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    return el("div", { class: "code" }, el("p", {}, label), el("pre", { tabindex: 0 }, text), copy);
  }));
  byId("settings").replaceChildren(el("tbody", {}, ...settings.map(([name, value]) => (
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value))
  ))));
}

export function writeNotes(notes) {
  byId("notes").replaceChildren(...notes.map((note) => (
    el("li", {}, `${note.charAt(0).toUpperCase()}${note.slice(1)}.`)
  )));
}
