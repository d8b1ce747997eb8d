"""Files that Keras wrote, of any of its versions, read into models of this package: `load`.

``loading`` tells a file's form from its first bytes. ``archives`` reads ``.keras`` files, by Keras,
with its classes exchanged for ours (``today``). The files of Keras 1 and 2 are read here: their
HDF5 (``hdf5``), their configurations into layers and graphs of today (``old_fields``,
``old_layers``, ``old_graph``, ``time_major``), their arrays (``old_arrays``; the layouts stand in
`statewise.interop.weights`) and how they were trained (``old_training``).
"""

from statewise.interop.keras_files.faults import FileWarning
from statewise.interop.keras_files.loading import load

__all__ = ["FileWarning", "load"]
