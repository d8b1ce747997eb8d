// The numbers of the series, as the page keeps them: two bytes each, told apart by series.

const MISSING = 65535;
const TOP = 65534;

export function openNumbers(text, series, names) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const [windows, horizon] = series.shape;
  const block = windows * horizon;
  const perSeries = block * (names.length + 2 * series.levels.length);
  const begins = [0];
  for (const length of series.lengths) begins.push(begins[begins.length - 1] + length + perSeries);

  // What was known and what came, and each forecast by window and step; NaN where it is missing.
  return function read(i) {
    const { low, high, lengths, stamps, levels } = series;
    let at = begins[i];
    const take = (count) => {
      const values = new Array(count);
      for (let k = 0; k < count; k++, at++) {
        const code = view.getUint16(2 * at, true);
        values[k] = code === MISSING ? NaN : low[i] + (code / TOP) * (high[i] - low[i]);
      }
      return values;
    };
    const byWindow = () => Array.from({ length: windows }, () => take(horizon));
    const values = take(lengths[i]);
    const points = Object.fromEntries(names.map((name) => [name, byWindow()]));
    const bands = levels.map((level) => ({ level, low: byWindow(), high: byWindow() }));
    const first = series.beyond ? lengths[i] : lengths[i] - block;
    const places = stamps.at[i];
    const stamp = (k) => stamps.texts[typeof places === "number" ? places + k : places[k]];
    return { values, points, bands, first, windows, horizon, stamp, count: first + block };
  };
}
