"""Every public name says what it does, and shows it in an example that runs."""

import dataclasses
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import public_names
import statewise

SOURCE = Path(statewise.__file__).parent
FOLDERS = public_names.FOLDERS


NAMES = {
    f"{folder}.{name}": value
    for folder, names in public_names.offered().items()
    for name, value in names.items()
}


def is_ours(value) -> bool:
    described = inspect.isclass(value) or inspect.isroutine(value)
    return described and value.__module__.startswith("statewise.")


def is_plain_data(value) -> bool:
    """Whether a class only names its parts, or an error: there is nothing to show."""
    if not inspect.isclass(value):
        return False
    methods = [name for name in vars(value) if not name.startswith("_")]
    methods = [name for name in methods if inspect.isroutine(vars(value)[name])]
    named = hasattr(value, "_fields") or dataclasses.is_dataclass(value)
    return issubclass(value, (Exception, Warning)) or (named and not methods)


OURS = {name: value for name, value in NAMES.items() if is_ours(value)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_is_for_and_what_it_offers(folder):
    module = importlib.import_module(f"statewise.{folder}")
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__) > 0


@pytest.mark.parametrize("name", OURS)
def test_a_public_name_has_a_docstring(name):
    assert vars(OURS[name]).get("__doc__") or getattr(OURS[name], "__doc__", None)


@pytest.mark.parametrize("name", [name for name in OURS if not is_plain_data(OURS[name])])
def test_a_public_name_shows_an_example(name):
    tests = doctest.DocTestFinder().find(OURS[name], name)
    assert any(test.examples for test in tests), f"{name} has no doctest"


def test_the_front_door_offers_what_it_names():
    for name in statewise.__all__:
        assert getattr(statewise, name) is not None


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE))
)
def test_no_paths_of_one_machine(path):
    found = re.findall(r"(?<![\w.])/(?:work|home|tmp|root|Users)/\S*", path.read_text("utf-8"))
    assert found == []


def test_the_page_of_all_public_names_is_up_to_date():
    assert public_names.PAGE.read_text("utf-8") == public_names.page(), (
        "python scripts/public_names.py --write"
    )
