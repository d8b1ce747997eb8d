"""The house: imports run from a higher floor to a lower one, never back and never sideways."""

from pathlib import Path

import pytest

import house
from house import FLOORS, NO_FLOOR

SOURCE = house.SOURCE
FORBIDDEN = {
    "recurrence": {"keras"},
    "sequences": {"jax", "jaxlib", "keras"},
    "datasets": {"jax", "jaxlib", "keras"},
}
# Longer than 300 lines, each for a reason.
LONG = {
    "_keras_compat.py": "one place for all that leans on Keras is its purpose",
    "sequences/lanes.py": "one class and the function that makes it, two thirds of it docstrings",
}
MODULES = house.modules()


def faults(path: Path) -> list[str]:
    """Return what is wrong with a module's imports, a line for each."""
    here, found = house.room(path, SOURCE), []
    for line, name in house.imported(path, SOURCE):
        where = f"{path.relative_to(SOURCE)}:{line} imports {name}"
        top, *rest = name.split(".")
        if top in FORBIDDEN.get(here, ()):
            found.append(f"{where}, which {here} does without")
        if top != "statewise":
            continue
        if not rest or rest[0] not in FLOORS:
            found.append(f"{where}: import from the folder that has it")
        elif rest[0] != here and any(_is_private(part) for part in rest[1:]):
            found.append(f"{where}, which is {rest[0]}'s own")
        elif rest[0] != here and FLOORS[rest[0]] >= FLOORS[here]:
            there = f"{rest[0]} is on floor {FLOORS[rest[0]]}, {here} on floor {FLOORS[here]}"
            found.append(f"{where}: {there}")
    return found


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_every_module_has_a_floor():
    assert MODULES
    assert {house.room(path) for path in MODULES} == FLOORS.keys() | NO_FLOOR


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_run_downwards(path):
    if house.room(path) not in NO_FLOOR:
        assert faults(path) == []


@pytest.mark.parametrize(
    ("place", "text", "fault"),
    [
        ("recurrence/a.py", "from statewise.layers import LSTM", "floor 2"),
        ("sequences/a.py", "import statewise.recurrence", "floor 1"),
        ("sequences/a.py", "from ..recurrence import scan", "floor 1"),
        ("layers/a.py", "def f():\n    from statewise import models", "floor 3"),
        ("layers/a.py", "import statewise", "import from the folder"),
        ("layers/a.py", "from statewise import LSTM", "import from the folder"),
        ("sequences/a.py", "import jax.numpy as jnp", "does without"),
        ("recurrence/a.py", "from keras import ops", "does without"),
        ("models/a.py", "from statewise.layers import LSTM", None),
        ("models/a.py", "from .b import c", None),
        ("tasks/a.py", "from statewise.sequences._groups import group_values", "sequences's own"),
        ("tasks/a.py", "from statewise.sequences import _groups", "sequences's own"),
        ("sequences/a.py", "from statewise.sequences._groups import group_values", None),
        ("cli/deep/a.py", "from ..b import c\nimport jax", None),
    ],
)
def test_the_test_itself_finds_faults(tmp_path, monkeypatch, place, text, fault):
    path = tmp_path / "statewise" / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    found = faults(path)
    assert (found == []) if fault is None else (len(found) == 1 and fault in found[0])


def test_modules_are_short_or_say_why_not():
    lengths = {
        path.relative_to(SOURCE / "statewise").as_posix(): len(path.read_text("utf-8").splitlines())
        for path in MODULES
    }
    assert {name: lines for name, lines in lengths.items() if lines > 300}.keys() == LONG.keys()


def test_the_drawing_of_the_house_is_that_of_its_imports():
    page = house.PAGE.read_text("utf-8")
    assert house.page_with(house.drawing(), page) == page, "python scripts/house.py --write"
