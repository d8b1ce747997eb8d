"""The tables of docs/interop.md: models by ways in and out, and layouts of weights.

    python scripts/interop_table.py            print them
    python scripts/interop_table.py --write    put them into the page

A way whose packages are missing keeps the column that the page has.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main() -> None:
    """Print the tables, or put them into their page."""
    import interop_ways as ways

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {ways.PAGE.name}")
    text = ways.PAGE.read_text("utf-8")
    words = ways.shown() if ways.part(text, ways.WAYS_MARKS) else {}
    for way, described in ways.WAYS.items():
        if missing := described.missing():
            print(f"{way}: left as it is, since there is no {missing[0]}", file=sys.stderr)
            continue
        words |= {(way, name): ways.check(way, name) for name in ways.CASES}
    tables = ways.table({place: word for place, word in words.items() if place[0] in ways.WAYS})
    if parser.parse_args().write:
        text = ways.with_part(text, ways.WAYS_MARKS, tables)
        ways.PAGE.write_text(ways.with_part(text, ways.LAYOUT_MARKS, ways.layouts()), "utf-8")
    else:
        print(f"{tables}\n\n{ways.layouts()}")


if __name__ == "__main__":
    main()
