"""Joins JavaScript modules into one script, so that a page can be a single file.

The modules are written as the standard has it, with ``import`` and ``export``, and browsers don't
load such files from a disk. Here each module becomes a function that is called once and returns
what it exports, after those that it imports: names stay within their module. What that asks of the
modules: imports of the form ``import { a, b } from "./c.js";``, and ``export`` in front of a
function, a constant or a class.
"""

import re

_IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./([\w.]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def bundle(modules: dict[str, str], main: str) -> str:
    r"""Return one script of a main module and of all that it imports.

    Args:
        modules: the text of each module, by its file name.
        main: the module to begin with.

    Raises:
        ValueError: where a module isn't there, a name isn't exported, modules import each other in
            a circle, or an ``import`` or ``export`` has another form.

    >>> modules = {
    ...     "sum.js": "export function add(a, b) {\n  return a + b;\n}\n",
    ...     "main.js": 'import { add } from "./sum.js";\nconsole.log(add(1, 2));\n',
    ... }
    >>> print(bundle(modules, "main.js"))
    const modules = {};
    modules["sum.js"] = (() => {
    function add(a, b) {
      return a + b;
    }
    return { add };
    })();
    modules["main.js"] = (() => {
    const { add } = modules["sum.js"];
    console.log(add(1, 2));
    return {  };
    })();
    """
    done: dict[str, str] = {}
    _place(modules, main, done, [])
    return "const modules = {};\n" + "".join(done.values())


def _place(modules: dict[str, str], name: str, done: dict[str, str], waiting: list[str]) -> None:
    """Add a module to ``done``, after those that it imports."""
    if name in done:
        return
    if name not in modules:
        raise ValueError(f"{waiting[-1] if waiting else 'the page'}: there is no module {name}")
    if name in waiting:
        raise ValueError(f"the modules {' -> '.join([*waiting, name])} import each other")
    text = modules[name]
    for names, source in _IMPORT.findall(text):
        _place(modules, source, done, [*waiting, name])
        missing = set(names.split(", ")) - set(_exported(modules[source]))
        if missing:
            raise ValueError(f"{name} imports {missing.pop()!r}, which {source} doesn't export")
    exported = ", ".join(_exported(text))
    text = _IMPORT.sub(r'const { \1 } = modules["\2"];', text)
    text = _EXPORT.sub(r"\1 \2", text)
    if other := _LEFT_OVER.search(text):
        raise ValueError(f"{name}: {other[0]!r} has a form that can't be joined")
    if "</script" in text:
        raise ValueError(f"{name}: the text </script would end the script in the page")
    done[name] = f'modules["{name}"] = (() => {{\n{text}return {{ {exported} }};\n}})();\n'


def _exported(text: str) -> list[str]:
    return [name for _, name in _EXPORT.findall(text)]
