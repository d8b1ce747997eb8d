"""Panels that are larger than memory, read from their files a part at a time."""
