// How shapes and numbers are said.

/** Say a shape: (batch 32, time steps 3, features 1). */
export function say(shape, batch) {
  const parts = [`batch ${batch}`];
  if ("steps" in shape) parts.push(`time steps ${shape.steps}`);
  if ("features" in shape) parts.push(`features ${shape.features}`);
  return `(${parts.join(", ")})`;
}

/** Say a number of things: 1 step, 2 steps. */
export function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** Say a list: a, b and c. */
export function listed(parts) {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;
}
