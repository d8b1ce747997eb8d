// Returns [how many places were looked at, [[text, ratio], ...] of those with too little contrast]:
// WCAG 2.2 AA, 4.5 for what is written and 3 for what is drawn. The body of a function.

const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
function luminance([r, g, b]) {
  const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}
function ratio(a, b) {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}
function ground(element) {
  const box = element.closest(".box");
  if (box && element.ownerSVGElement) {
    const frame = box.querySelector(".inner") ?? box.querySelector(".frame");
    if (frame) return rgba(getComputedStyle(frame).fill);
  }
  for (let at = element; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] > 0.99) return colour;
  }
  throw new Error("no ground");
}
const found = [];
let looked = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
  if (["SCRIPT", "STYLE", "OPTION", "title", "desc"].includes(element.tagName)) continue;
  if (element.closest(":disabled, .hidden")) continue;
  const style = getComputedStyle(element);
  const ink = rgba(element.ownerSVGElement ? style.fill : style.color);
  looked += 1;
  const value = ratio(ink, ground(element));
  if (value < 4.5) found.push([walker.currentNode.textContent, value]);
}
for (const frame of document.querySelectorAll(".box .frame")) {
  const around = ground(frame.closest("svg").parentElement);
  const value = ratio(rgba(getComputedStyle(frame).stroke), around);
  looked += 1;
  if (value < 3) found.push([frame.parentElement.getAttribute("class"), value]);
}
for (const line of document.querySelectorAll("svg .line, svg .cross, svg .series")) {
  const around = ground(line.closest("svg").parentElement);
  const value = ratio(rgba(getComputedStyle(line).stroke), around);
  looked += 1;
  if (value < 3) found.push([line.outerHTML, value]);
}
return [looked, found];
