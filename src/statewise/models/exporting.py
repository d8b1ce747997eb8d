"""`export`: a model in a file for another runtime."""

import os

from statewise._runtime.exporters import exporter, format_of
from statewise.models.mixin import ModelMixin


class Exporting(ModelMixin):
    """What writes a model for others; to be named before a Keras model in a class's bases."""

    def export(self, filepath, format=None, **options):
        """Write the model for another runtime; the format follows from the file's name.

        ``model.onnx`` is an ONNX file with one LSTM, GRU or RNN operator for each recurrent layer,
        with ``state=True`` with every state as a named input and output; see
        `statewise.interop.export_onnx`. ``model.hpp`` is a C++ header without dependencies; see
        `statewise.interop.export_cpp`. Every other name and format is Keras's, see
        `keras.Model.export`: SavedModel by default, "litert" and more, which need TensorFlow.

        Args:
            filepath: where to.
            format: "onnx", "cpp" or one of Keras's; None for the one of the file's name.
            **options: of the format's function.

        Raises:
            ImportError: where a package of the format isn't installed.
            ValueError: naming the layer that can't be written, and why.
        """
        path = os.fspath(filepath)
        write = exporter(format_of(path) if format is None else format)
        if write is not None:
            return write(self, path, **options)
        return super().export(path, "tf_saved_model" if format is None else format, **options)
