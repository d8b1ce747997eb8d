"""What the tests of the recurrence share."""

import pytest

from statewise.recurrence import native


@pytest.fixture(
    params=native.extension.extension().instruction_sets() if native.available() else []
)
def module(request):
    """Return the extension with each of its instruction sets in use."""
    extension = native.extension.extension()
    before = extension.instruction_set()
    extension.use_instruction_set(request.param)
    yield extension
    extension.use_instruction_set(before)
    extension.set_thread_count(0)
