"""Keras's own tests, as they come in its wheel, run on this package's classes.

They are copied with other imports: where a test imports ``layers``, ``Sequential``, ``Model``, a
trainer or ``keras`` itself, the copy imports what this package offers under that name (see
`keras_substitutes`). Nothing else is changed, and nothing is fetched.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import keras

SOURCE = Path(keras.__file__).parent / "src"
GROUPS = {
    "layers": "layers/rnn",
    "trainers": "trainers",
    "models": "models",
    "saving": "saving",
    "callbacks": "callbacks",
}
_SUPPORT = Path(__file__).parent
_TRAINER = "keras.src.backend.jax.trainer"
_MODELS = "keras.src.models"
# What is imported from where, and by which name it stands among the substitutes.
_SUBSTITUTES = {
    ("keras.src", "layers"): "layers",
    ("keras.src", "models"): "models",
    (_TRAINER, "JAXTrainer"): "Trainer",
    **{
        (module, name): name
        for name in ("Model", "Sequential", "Functional")
        for module in (
            _MODELS,
            f"{_MODELS}.model",
            f"{_MODELS}.sequential",
            f"{_MODELS}.functional",
        )
    },
}


class _Imports(ast.NodeTransformer):
    """Lets a test import siblings from beside it, and substitutes if there are to be any."""

    def __init__(self, substitutes: bool, siblings: set[str]):
        self._substitutes, self._siblings = substitutes, siblings

    def visit_ImportFrom(self, node):
        module = node.module.rpartition(".")[2]
        if module in self._siblings:
            return ast.ImportFrom(module, node.names, 0)
        statements = []
        for alias in node.names:
            name = _SUBSTITUTES.get((node.module, alias.name)) if self._substitutes else None
            if alias.name in self._siblings:
                statements.append(ast.Import([alias]))
            elif name is None:
                statements.append(ast.ImportFrom(node.module, [alias], 0))
            else:
                known_as = ast.alias(name, alias.asname or alias.name)
                statements.append(ast.ImportFrom("keras_substitutes", [known_as], 0))
        return statements

    def visit_Import(self, node):
        if self._substitutes and [(a.name, a.asname) for a in node.names] == [("keras", None)]:
            return ast.ImportFrom("keras_substitutes", node.names, 0)
        return node


def copy_tests(group: str, folder: Path, *, substitutes: bool) -> None:
    """Write the tests of a group to a folder."""
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_text("from keras_suite_plugin import *\n")
    place = GROUPS[group]
    paths = sorted((SOURCE / place).glob("*_test.py"))
    siblings = {path.stem for path in paths}
    for path in paths:
        tree = _Imports(substitutes, siblings).visit(ast.parse(path.read_text("utf-8")))
        text = ast.unparse(ast.fix_missing_locations(tree))
        if group == "layers":  # a saved cell is looked for in the module that it says it's from
            name = f"keras.src.{place.replace('/', '.')}.{path.stem}"
            text = f"import sys\nsys.modules[{name!r}] = sys.modules[__name__]\n" + (
                f"__name__ = {name!r}\n{text}"
            )
        (folder / path.name).write_text(text, "utf-8")


def outcomes(folder: Path, *tests: str, substitutes: bool, timeout: float = 3000) -> dict[str, str]:
    """Run copied tests, all or those given, in a process of its own; return how each ended.

    The outcome of a test is ``"passed"``, ``"failed"`` or ``"skipped"``; a file that can't be
    imported has failed, by the file's name.
    """
    results = folder / "results.json"
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "MPLBACKEND": "agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(_SUPPORT), os.environ.get("PYTHONPATH", "")]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_SUITE_RESULTS": str(results),
        "KERAS_SUITE_SUBSTITUTES": str(int(substitutes)),
    }
    options = ("-q", "--tb=short", "-p", "no:cacheprovider", "--continue-on-collection-errors")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if not results.exists():
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    (folder / "log.txt").write_text(done.stdout)
    return json.loads(results.read_text())
