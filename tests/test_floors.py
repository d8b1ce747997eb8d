"""The house: imports run from a higher floor to a lower one, never back and never sideways."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FLOORS = {
    "_renamed": 0,
    "_runtime": 0,
    "_version": 0,
    "_whole_files": 0,
    "recurrence": 1,
    "sequences": 1,
    "datasets": 1,
    "layers": 2,
    "models": 3,
    "tasks": 4,
    "streams": 4,
    "interop": 4,
    "keras1": 4,
    "pictures": 5,
    "cli": 6,
}
FORBIDDEN = {
    "recurrence": {"keras"},
    "sequences": {"jax", "jaxlib", "keras"},
    "datasets": {"jax", "jaxlib", "keras"},
}
# The front door only names what it offers, and the module that python -m runs only the command.
NO_FLOOR = {"__init__", "__main__"}
MODULES = sorted(SOURCE.glob("statewise/**/*.py"))


def room(path: Path) -> str:
    """Return the folder, or the module, right under ``statewise/`` to which a file belongs."""
    return path.relative_to(SOURCE / "statewise").parts[0].removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str]]:
    """Return the line and the full dotted name of everything that a module imports, anywhere."""
    package = list(path.relative_to(SOURCE).with_suffix("").parts[:-1])
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parts = package[: len(package) - node.level + 1]
                origin = ".".join([*parts, *filter(None, [origin])])
            found += [(node.lineno, f"{origin}.{alias.name}") for alias in node.names]
    return found


def faults(path: Path) -> list[str]:
    """Return what is wrong with a module's imports, a line for each."""
    here, found = room(path), []
    for line, name in imported(path):
        where = f"{path.relative_to(SOURCE)}:{line} imports {name}"
        top, *rest = name.split(".")
        if top in FORBIDDEN.get(here, ()):
            found.append(f"{where}, which {here} does without")
        if top != "statewise":
            continue
        if not rest or rest[0] not in FLOORS:
            found.append(f"{where}: import from the folder that has it")
        elif rest[0] != here and FLOORS[rest[0]] >= FLOORS[here]:
            there = f"{rest[0]} is on floor {FLOORS[rest[0]]}, {here} on floor {FLOORS[here]}"
            found.append(f"{where}: {there}")
    return found


def test_every_module_has_a_floor():
    assert MODULES
    assert {room(path) for path in MODULES} <= FLOORS.keys() | NO_FLOOR


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_run_downwards(path):
    if room(path) not in NO_FLOOR:
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
