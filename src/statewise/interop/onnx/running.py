"""ONNX Runtime, where it's installed: what a file is compared with the model by."""

from importlib import import_module
from typing import Any


def runtime_session(made: bytes) -> Any:
    """Return a session of ONNX Runtime for a model's bytes, or None where it isn't installed."""
    try:
        runtime = import_module("onnxruntime")
    except ImportError:
        return None
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # its warnings are on optimisations
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(made, options, providers=["CPUExecutionProvider"])
