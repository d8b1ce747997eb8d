"""A model's live step as one C++ header: `export_cpp`."""

from statewise.interop.cpp.exporting import export_cpp

__all__ = ["export_cpp"]
