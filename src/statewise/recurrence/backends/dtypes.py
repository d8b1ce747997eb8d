"""In which dtype a call is computed, by that of its arrays."""

from statewise.recurrence.call import Call

# By the dtype of the arrays.
COMPUTED_IN = {
    "float32": "float32",
    "float64": "float64",
    "bfloat16": "float32",
    "float16": "float32",
}


def computed_in(call: Call) -> str | None:
    """Return the dtype that a call is computed in natively, or None where none serves its arrays.

    Arrays of 16 bits are computed with, and a state carried from step to step, in float32; what
    comes out has 16 bits again. In bfloat16 what enters a product is rounded to it, on a processor
    that multiplies it faster.
    """
    dtypes = call.dtypes
    return COMPUTED_IN.get(dtypes[0]) if len(dtypes) == 1 else None
