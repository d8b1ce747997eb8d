// How the data were cut, as a bar in proportion to the longest series, and in words.

import { el, svg } from "./dom.js";
import { counted } from "./words.js";

export function drawCut(holder, list, cut) {
  const { steps, windows, horizon, validation } = cut;
  const held = windows * horizon;
  const ahead = windows ? 0 : horizon;
  const known = steps - held;
  const width = Math.max(holder.clientWidth, 240);
  const scale = (width - 2) / (steps + ahead);
  const root = svg("svg", { viewBox: `0 0 ${width} 64`, role: "img", style: "height: 64px" });
  const bar = (from, to, kind, text) => {
    const x = 1 + from * scale;
    const wide = Math.max((to - from) * scale - 1.5, 1);
    root.append(svg("rect", { class: kind, x, y: 8, width: wide, height: 34, rx: 3 }));
    if (text && wide > 7.2 * text.length + 10) {
      const plain = kind === "part-ahead" ? null : "in";
      root.append(svg("text", { class: plain, x: x + wide / 2, y: 29, "text-anchor": "middle" }, text));
    }
  };
  bar(0, known - validation, "part-learn", "learned from");
  if (validation) bar(known - validation, known, "part-validation", "validation");
  for (let w = 0; w < windows; w++) {
    bar(known + w * horizon, known + (w + 1) * horizon, "part-window", windows > 1 ? `${w + 1}` : "held out");
  }
  if (ahead) bar(steps, steps + ahead, "part-ahead", "forecast");
  root.append(
    svg("text", { x: 1, y: 59 }, "step 1"),
    svg("text", { x: width - 1, y: 59, "text-anchor": "end" }, `${(steps + ahead).toLocaleString("en-GB")}`),
  );
  root.setAttribute("aria-label", `Of ${steps} steps, ${known} known, ${validation} of them for validation, ${held} held out`);
  holder.replaceChildren(root);

  const swatch = (name, text, ...more) => el(
    "li", {}, el("b", { style: `color: var(--line-${name})` }, text), ...more,
  );
  const chosen = "decides how level and season are handled and how long is trained; then the network learns from all that is known.";
  const way = cut.refit
    ? "The network learned anew before each of them."
    : "The network learned once, before the first of them, and was shown the steps of each as they had come.";
  list.replaceChildren(...[
    swatch(1, "Learned from: ", `${counted(cut.learned, "series")}`.replace("seriess", "series"), `, of up to ${counted(known, "known step")} each. Scaling is fitted there too, and nowhere else.`),
    swatch(2, "Validation: ", `the last ${counted(validation, "step")} of what is known, in ${counted(cut.validated, "window")} over all series; it ${chosen}`),
    windows
      ? swatch(0, "Held out: ", `the last ${counted(held, "step")} of each series, in ${counted(windows, "window")} of ${counted(horizon, "step")}. No value there had a part in any choice. `, windows > 1 || cut.refit ? way : "")
      : swatch(0, "Forecast: ", `${counted(horizon, "step")} beyond the end of each series.`),
  ]);
}
