"""The house: which floor a room is on, what it imports, and the drawing of it in CONTRIBUTING.md.

    python scripts/house.py            print the drawing
    python scripts/house.py --write    put it into CONTRIBUTING.md

A room is a folder or a module right under ``src/statewise/``.
"""

import argparse
import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- house: made by scripts/house.py -->", "<!-- end of house -->"

FLOORS = {
    "_callers": -1,
    "_renamed": -1,
    "_version": -1,
    "_whole_files": -1,
    "_runtime": 0,
    "recurrence": 1,
    "sequences": 1,
    "datasets": 1,
    "_keras_compat": 1,
    "layers": 2,
    "models": 3,
    "tasks": 4,
    "streams": 4,
    "interop": 4,
    "keras1": 5,
    "pictures": 5,
    "distributed": 5,
    "cli": 6,
}
# The front door only names what it offers, and the module that python -m runs only the command.
NO_FLOOR = {"__init__", "__main__"}


def modules(source: Path = SOURCE) -> list[Path]:
    """Return the paths of all modules."""
    return sorted(source.glob("statewise/**/*.py"))


def room(path: Path, source: Path = SOURCE) -> str:
    """Return the folder, or the module, right under ``statewise/`` to which a file belongs."""
    return path.relative_to(source / "statewise").parts[0].removesuffix(".py")


def imported(path: Path, source: Path = SOURCE) -> list[tuple[int, str]]:
    """Return the line and the full dotted name of everything that a module imports, anywhere."""
    package = list(path.relative_to(source).with_suffix("").parts[:-1])
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


def arrows() -> dict[str, set[str]]:
    """Return the rooms that each room imports from."""
    found: dict[str, set[str]] = {}
    for path in modules():
        here = room(path)
        if here in NO_FLOOR:
            continue
        found.setdefault(here, set())
        for _, name in imported(path):
            top, _, rest = name.partition(".")
            there = rest.split(".")[0]
            if top == "statewise" and there in FLOORS and there != here:
                found[here].add(there)
    return found


def drawing() -> str:
    """Return the house as a Mermaid diagram: the floors, and what each room imports.

    An arrow that a way of several arrows stands for is left out.
    """
    imports = arrows()

    def reached(start: str) -> set[str]:
        below = set(imports.get(start, ()))
        return below.union(*(reached(one) for one in below)) if below else below

    lines = ["flowchart TD"]
    for floor in sorted(set(FLOORS.values()), reverse=True):
        title = "cellar" if floor < 0 else f"floor {floor}"
        lines.append(f'  subgraph {title.replace(" ", "")}["{title}"]')
        lines += [f"    {name}" for name in FLOORS if FLOORS[name] == floor and name in imports]
        lines.append("  end")
    for here in sorted(imports, key=lambda name: -FLOORS[name]):
        by_others = set().union(*(reached(one) for one in imports[here]))
        lines += [f"  {here} --> {there}" for there in sorted(imports[here] - by_others)]
    return "\n".join(lines)


def page_with(drawn: str, page: str) -> str:
    """Return the page with the drawing in its place."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n```mermaid\n{drawn}\n```\n\n{END}{after}"


def main() -> None:
    """Print the drawing, or put it into its page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"put it into {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page_with(drawing(), PAGE.read_text("utf-8")), "utf-8")
    else:
        print(drawing())


if __name__ == "__main__":
    main()
