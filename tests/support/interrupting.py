"""Interrupts a call before each of its bytecodes, as a signal or another thread might."""

import sys
from pathlib import Path

import statewise

SOURCE = str(Path(statewise.__file__).parent)


class Interrupter:
    """Raises KeyboardInterrupt before the n-th bytecode that a call runs in this package.

    Stricter than Python itself, which looks for signals at some bytecodes only.

    Args:
        parts: folders of the package, all of it by default.
    """

    def __init__(self, *parts):
        self._folders = tuple(f"{SOURCE}/{part}" for part in parts)
        self._left = None
        self.count = 0

    def run(self, call, at=None):
        """Call and interrupt before bytecode ``at``; return whether that was reached.

        With None nothing is interrupted; then `count` is how many there were.
        """
        self.count, self._at = 0, at
        sys.settrace(self._enter)
        try:
            call()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(None)
        return False

    def _enter(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(self._folders):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame, event, argument):
        if event == "opcode":
            if self.count == self._at:
                raise KeyboardInterrupt  # Python then traces no further: there's one interruption
            self.count += 1
        return self._step
