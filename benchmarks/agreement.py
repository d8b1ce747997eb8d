"""Whether the sides computed the same: a time for something else is no time.

All sides begin with the same weights and see the same batches. After the first epoch each tells its
loss, and those with Keras's layout of the weights how far these went: some random projections of
each array's change, so that a row holds numbers and not networks. They are held against our own
reference, a plain ``lax.scan``. (Not against stock Keras, which on JAX forgets a stateful layer's
state between the batches of ``fit``; the tests hold the reference against it, and against NumPy.)
"""

import numpy as np

REFERENCE = "statewise, reference"
# What the order of sums makes of an epoch in float32. Wrong gradients were 2 to 100 % off.
LOSS, CHANGE = 2e-4, 1e-2
_PROJECTIONS = 8


def moved(before: list[np.ndarray], after: list[np.ndarray]) -> list[list[float]]:
    """Return random projections of each array's change, the same ones in every process."""
    found = []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        change = np.asarray(new, "float64").ravel() - np.asarray(old, "float64").ravel()
        rng = np.random.default_rng(number)
        found.append([float(rng.normal(size=change.size) @ change) for _ in range(_PROJECTIONS)])
    return found


def disagreement(row: dict, reference: dict) -> str | None:
    """Say how a measurement's results differ from the reference's, or None if by rounding only."""
    if "points" in row:  # a curve
        said = [
            (point, disagreement(found, reference["results"].get(point, {})))
            for point, found in row.get("results", {}).items()
        ]
        return "; ".join(f"at {point}: {text}" for point, text in said if text) or None
    texts = []
    ours, theirs = row.get("loss"), reference.get("loss")
    if ours is not None and theirs is not None and not abs(ours - theirs) <= LOSS * abs(theirs):
        texts.append(f"loss {ours:.6g}, the reference's {theirs:.6g}")
    if row.get("moved") and reference.get("moved"):
        pairs = zip(row["moved"], reference["moved"], strict=True)
        off = max(
            float(np.linalg.norm(np.subtract(a, b)) / (np.linalg.norm(b) + 1e-30)) for a, b in pairs
        )
        if not off <= CHANGE:
            texts.append(f"the weights' change {off:.1%} off")
    return ", ".join(texts) or None


def mark(rows: list[dict]) -> list[dict]:
    """Return the rows, those marked whose results aren't the reference's.

    Ours have an ``error`` instead of times, others say in ``differs`` what is other.
    """
    references = {row["job"]: row for row in rows if row["side"] == REFERENCE}
    marked = []
    for row in rows:
        reference = references.get(row["job"])
        text = None
        if reference is not None and row is not reference and "error" not in row:
            text = disagreement(row, reference)
        if text and row["side"].startswith("statewise"):
            head = {name: row[name] for name in ("setting", "round", "job", "side")}
            row = head | {"error": f"**WRONG RESULTS**: {text}", "wrong": True}
        elif text:
            row = row | {"differs": text}
        marked.append(row)
    return marked
