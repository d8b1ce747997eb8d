"""The recurrence in C++: XLA custom calls, a step for live streams, and Adam's update beside them.

The extension is built with the package (``pip install .``) where there is a C++ compiler. For a
source checkout that is used from where it stands, CMakeLists.txt says how to build it in place.
Everything else works without it: `statewise.recurrence.call` then runs the reference. `recurrence`
makes a differentiable function of the calls, over several devices with `sharding`; `exporting`
writes them in XLA's own operations where a program goes elsewhere.
"""

from statewise.recurrence.native.adam import adam
from statewise.recurrence.native.extension import available, log_if_missing, unavailable_reason
from statewise.recurrence.native.live import Dense, live_step
from statewise.recurrence.native.rows import keys_are, stack_rows

__all__ = [
    "Dense",
    "adam",
    "available",
    "keys_are",
    "live_step",
    "log_if_missing",
    "stack_rows",
    "unavailable_reason",
]
