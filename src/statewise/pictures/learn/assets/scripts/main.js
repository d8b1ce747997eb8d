// The page: what is chosen, and everything that follows from it.

import { builder } from "./builder.js";
import { choose, fromAddress, toAddress } from "./config.js";
import { code } from "./code.js";
import { element, grouped } from "./dom.js";
import { draw } from "./drawing.js";
import { call } from "./layers.js";
import { analyse } from "./network.js";
import { WAYS, run } from "./plans.js";
import { picture } from "./picture.js";
import { QUESTIONS } from "./questions.js";
import { sentences } from "./sentences.js";
import { tanksPanel } from "./tanks.js";
import { say } from "./words.js";

const place = (id) => document.getElementById(id);
const numbers = JSON.parse(place("tank-lstm").textContent);
const page = { net: choose({}), question: null, dialect: "keras" };
const form = builder(place("builder"), (net) => update(net));
const panel = tanksPanel(place("panel"), numbers);

/** Show another choice everywhere but in the form, where it was made. */
function update(net) {
  page.net = net;
  const found = analyse(net);
  const said = sentences(net, found);
  place("name").textContent = found.name ?? "doesn't fit";
  place("name").classList.toggle("wrong", found.error !== null);
  place("sentences").replaceChildren(...said.map((words) => element("p", {}, words)));
  showError(found.error);
  form.mark(found.error);
  showPicture();
  showWeights(found);
  showCode();
  const shape = found.output
    ? `Output ${say(found.output, net.batch)}, ${grouped(found.total)} weights.`
    : "";
  announce(found.error ? found.error.text : `${found.name}. ${shape}`);
  remember();
}

function showPicture() {
  const found = analyse(page.net);
  const title = found.name ?? "A network that doesn't fit";
  const description = found.error ? found.error.text : sentences(page.net, found).join(" ");
  const frame = place("picture");
  frame.replaceChildren(draw(page.net, Math.max(280, frame.clientWidth), { title, description }));
  // Where the picture is wider than its frame, the keyboard must be able to move it.
  if (frame.scrollWidth > frame.clientWidth) frame.setAttribute("tabindex", "0");
  else frame.removeAttribute("tabindex");
}

function showError(error) {
  const box = place("error");
  box.hidden = error === null;
  if (!error) return box.replaceChildren();
  const mend = () => {
    const net = error.fix.change(page.net);
    form.show(net);
    update(net);
    place("name").focus();
  };
  const button = error.fix
    ? element("button", { type: "button", class: "action", on: { click: mend } }, error.fix.label)
    : null;
  return box.replaceChildren(...[element("p", {}, error.text), button].filter(Boolean));
}

function showWeights({ rows, total, error }) {
  const lines = rows.map(({ layer, shape, weights }) =>
    element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        element("code", {}, call(layer)),
        element("span", { class: "shape" }, say(shape, page.net.batch)),
      ),
      element("td", { class: "formula" }, weights.formula),
      element("td", { class: "number" }, grouped(weights.count)),
    ),
  );
  place("weights").replaceChildren(...lines);
  place("total").textContent =
    error && rows.length < page.net.layers.length ? "\u2013" : grouped(total);
}

function showCode() {
  const text = code(page.net, page.dialect);
  const pieces = text
    .split(/(#.*)/)
    .map((piece) => (piece.startsWith("#") ? element("span", { class: "comment" }, piece) : piece));
  place("code").replaceChildren(...pieces);
  for (const button of document.querySelectorAll("[data-dialect]")) {
    button.setAttribute("aria-pressed", button.dataset.dialect === page.dialect ? "true" : "false");
  }
}

let waiting = null;

/** Say it to a screen reader, once the typing has paused. */
function announce(words) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    place("status").textContent = words;
  }, 400);
}

/** Keep the choice in the address, so that it can be bookmarked and sent. */
function remember() {
  const { question, net } = page;
  const isAsAsked = question && JSON.stringify(question.net) === JSON.stringify(net);
  history.replaceState(null, "", `#${isAsAsked ? question.id : toAddress(net)}`);
}

function ask(question) {
  page.question = question;
  form.show(question.net);
  update(question.net);
  if (question.way) panel.show(question.way);
  place("question").textContent = question.title;
  place("answer").textContent = question.answer;
  const tries = question.tries.map(({ label, change }) =>
    element(
      "button",
      { type: "button", class: "chip", on: { click: () => attempt(change) } },
      label,
    ),
  );
  const back = element(
    "button",
    { type: "button", class: "chip quiet", on: { click: () => attempt(() => question.net) } },
    "as it was",
  );
  place("tries").replaceChildren(
    ...(tries.length ? [element("span", { class: "hint" }, "Try: "), ...tries, back] : []),
  );
  place("to-panel").hidden = !question.way;
  for (const button of document.querySelectorAll("[data-question]")) {
    button.toggleAttribute("aria-current", false);
    if (button.dataset.question === question.id) button.setAttribute("aria-current", "true");
  }
}

function attempt(change) {
  const net = change(page.net);
  form.show(net);
  update(net);
}

function askNext(by) {
  const at = QUESTIONS.indexOf(page.question);
  ask(QUESTIONS[(at + by + QUESTIONS.length) % QUESTIONS.length]);
}

/** Show what the address says; where it says nothing that can be understood, say so. */
function readAddress() {
  const text = location.hash.slice(1);
  const question = QUESTIONS.find(({ id }) => id === text);
  ask(question ?? QUESTIONS[0]);
  if (question || !text) return;
  try {
    const net = fromAddress(text);
    form.show(net);
    update(net);
  } catch (error) {
    place("notice").hidden = false;
    place("notice").textContent =
      `The address of this page holds no network that can be shown (${error.message}), so it begins with the first question.`;
  }
}

async function copy() {
  const text = code(page.net, page.dialect);
  try {
    await navigator.clipboard.writeText(text);
    place("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(place("code")); // a page from a file may not be allowed to
    place("copied").textContent = document.execCommand("copy")
      ? "Copied."
      : "Selected: press Ctrl+C to copy.";
  }
}

/** Say what the small LSTM is, and how good. */
function aboutNumbers() {
  const { units, trained_on: seen, known, ahead, error } = numbers;
  const [off, naive] = [error.forecast, error.naive].map((of) => `${of[1].toFixed(1)} \u00b0C off`);
  return [
    `An LSTM(${units}) and a Dense(2) have learned from ${seen.tanks} simulated tanks,`,
    `${seen.hours} hours each, what pressure and temperature will be in the next hour.`,
    `These tanks it has never seen. Given ${known} hours, its temperatures for the ${ahead} hours`,
    `after them are ${off} on average; \u201cit stays as it is\u201d would be ${naive}.`,
    "Every number here is calculated by this page, with the weights of the network.",
  ].join(" ");
}

const questionList = place("question-list");
const wide = matchMedia("(min-width: 1180px)");
const openWhereWide = () => {
  questionList.open = wide.matches;
};
openWhereWide();
wide.addEventListener("change", openWhereWide);

place("about-numbers").textContent = aboutNumbers();
place("questions").append(
  ...QUESTIONS.map((question) => {
    const click = () => {
      ask(question);
      openWhereWide();
      place("question").focus();
    };
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", "data-question": question.id, on: { click } },
        question.title,
      ),
    );
  }),
);
place("previous").addEventListener("click", () => askNext(-1));
place("next").addEventListener("click", () => askNext(1));
place("copy").addEventListener("click", copy);
for (const button of document.querySelectorAll("[data-dialect]")) {
  button.addEventListener("click", () => {
    page.dialect = button.dataset.dialect;
    place("copied").textContent = "";
    showCode();
  });
}
new ResizeObserver(() => showPicture()).observe(place("picture"));
addEventListener("hashchange", readAddress);
readAddress();

// For the curious at the console, and for tests.
globalThis.statewise = {
  page,
  numbers,
  analyse,
  picture,
  code,
  run: (way, tank) => run(numbers, numbers.tanks[tank], WAYS[way].plan(numbers)),
};
