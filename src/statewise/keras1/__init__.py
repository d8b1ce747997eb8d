"""The old place of `statewise.interop.keras1`, kept for one release.

Whatever is imported from here, parts of it included, is what stands there.
"""

import sys
import warnings

from statewise.interop import keras1

__all__ = keras1.__all__

warnings.warn(
    "statewise.keras1 is now statewise.interop.keras1; the old name goes with the next release",
    FutureWarning,
    stacklevel=2,
)
for _name, _module in list(sys.modules.items()):
    if _name.startswith(keras1.__name__):
        sys.modules[__name__ + _name.removeprefix(keras1.__name__)] = _module
