"""All public names with their arguments and defaults, as the page docs/names.md.

python scripts/public_names.py            print the page
python scripts/public_names.py --write    write it
"""

import argparse
import importlib
import inspect
from pathlib import Path

import statewise

PAGE = Path(__file__).parents[1] / "docs" / "names.md"
SOURCE = Path(statewise.__file__).parent
OLD = {"keras1"}  # old places of names, kept for a release
FOLDERS = sorted({path.parent.name for path in SOURCE.glob("[!_]*/__init__.py")} - OLD)
_HEAD = """# All public names

What each folder offers, with arguments and defaults (a star stands before those that are given by
name). Made by `python scripts/public_names.py --write`; a test compares. Names of Keras that
`statewise.layers` and `statewise.interop.keras1` hand on are left out, and so are methods that
Keras's class has with the same arguments.
"""


def offered() -> dict[str, dict[str, object]]:
    """Return the public names of each folder."""
    found = {}
    for folder in FOLDERS:
        module = importlib.import_module(f"statewise.{folder}")
        found[folder] = {name: getattr(module, name) for name in sorted(module.__all__)}
    return found


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for folder, names in offered().items():
        parts.append(f"\n## statewise.{folder}\n\n| name | arguments |\n|---|---|\n")
        shown: dict[str, list[tuple[str, str]]] = {}
        for name in sorted(names, key=lambda one: (one != "Model", one)):
            (first, told), *methods = _rows(name, names[name])
            parts.append(f"| `{first}` | {_code(told)} |\n")
            alike = next((other for other, those in shown.items() if methods == those != []), None)
            if alike:
                parts.append(f"| | methods: those of `{alike}` |\n")
                continue
            shown[name] = methods
            parts += [f"| `{name}.{one}` | {_code(arguments)} |\n" for one, arguments in methods]
    return "".join(parts)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _rows(name: str, value: object):
    if not (inspect.isclass(value) or callable(value)):
        kind = "module" if inspect.ismodule(value) else type(value).__name__
        yield name, f"({kind})"
        return
    yield name, _arguments(value)
    if not inspect.isclass(value):
        return
    ours = [kind for kind in value.__mro__ if kind.__module__.startswith("statewise.")]
    members = {one: vars(kind)[one] for kind in reversed(ours) for one in vars(kind)}
    for method in sorted(members):
        member = members[method]
        if method.startswith("_") or _as_keras_has_it(value, method, member):
            continue
        if isinstance(member, property):
            if not (member.__doc__ or "").startswith("The old name"):
                yield method, ""
        elif isinstance(member, (classmethod, staticmethod)):
            yield method, _arguments(getattr(value, method))
        elif inspect.isfunction(member):
            yield method, _arguments(member, bound=True)


def _as_keras_has_it(kind: type, method: str, member: object) -> bool:
    """Whether Keras's own classes have such a member, with the same arguments."""
    for base in kind.__mro__:
        if base.__module__.startswith("keras.") and method in vars(base):
            theirs = vars(base)[method]
            both = inspect.isfunction(member) and inspect.isfunction(theirs)
            return not both or _arguments(member) == _arguments(theirs)
    return False


def _arguments(value, bound: bool = False) -> str:
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):  # of what is written in C
        return "..."
    parts, named = [], False
    for parameter in parameters[1:] if bound else parameters:
        if parameter.kind == parameter.KEYWORD_ONLY and not named:
            named = True
            parts.append("*")
        if parameter.kind == parameter.VAR_POSITIONAL:
            named = True
        parts.append(_told(parameter))
    return ", ".join(parts)


def _told(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return stars + parameter.name
    default = repr(parameter.default)
    return f"{parameter.name}={'...' if ' at 0x' in default or '<' in default else default}"


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    else:
        print(page())


if __name__ == "__main__":
    main()
