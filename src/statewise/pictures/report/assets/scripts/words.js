// Numbers as a person writes them.

// Four digits, or all those before the point.
export function number(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  const digits = size === 0 ? 0 : Math.min(Math.max(3 - Math.floor(Math.log10(size)), 0), 6);
  return value.toLocaleString("en-GB", {
    minimumFractionDigits: Math.min(digits, 3), maximumFractionDigits: digits,
  });
}

// The marks of an axis: round numbers, and as many digits as tell them apart.
export function ticks(low, high, most) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + (step / power === 2.5 ? 1 : 0));
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i++) {
    const value = i * step || 0; // never -0
    const far = Math.abs(value) >= 1e7 || (digits > 5 && value !== 0);
    const text = far ? value.toExponential(1) : value.toLocaleString("en-GB", {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
    found.push({ value, text });
  }
  return found;
}

export function counted(count, noun) {
  return `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;
}
