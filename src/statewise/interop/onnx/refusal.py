"""The error that says why a layer can't be written as ONNX."""


def refused(layer, why: str, instead: str = "") -> ValueError:
    """Return the error: which layer, why not, and what is possible instead."""
    name = getattr(layer, "name", type(layer).__name__)
    end = f". {instead}." if instead else "."
    return ValueError(
        f"Layer {name!r} ({type(layer).__name__}) can't be written as ONNX: {why}{end}"
    )
