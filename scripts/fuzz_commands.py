"""Bad commands: each must end in one line on stderr and an exit code, never in a traceback.

    python scripts/fuzz_commands.py --count 300 --seed 0

Draws commands out of good and bad values for every option, on files that are good or broken in
some way, and runs them within this process. A line for each finding, with the command; the exit
code is 1 where there is one.
"""

import argparse
import os
import random
import shlex
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

from statewise.cli import main as statewise

QUICK = ["--epochs", "1", "--units", "2", "--lookback", "8"]
WORDS = [
    "",
    " ",
    "x",
    "-1",
    "0",
    "1",
    "2",
    "1.5",
    "nan",
    "inf",
    "1e999",
    "9" * 30,
    "\x1b[31m",
]
WORDS += [
    "é" * 300,
    "a" * 5000,
    "model",
    "naive",
    "ds",
    "y",
    "unique_id",
    "truth",
    "--",
    "80,95",
    "[]",
]
SKETCHES = [
    "GRU(3)", "LSTM(4, return_sequences=True) | Dense(1)", "Dense(0)", "LSTM(-1)", "GRU(3) |", "|",
    "Bidirectional(GRU(3, return_state=True)) | Softmax()", "GRU(3, return_state=True) | Dense(1)",
    "__import__('os')", "LSTM(4)(3)", "Flatten() | LSTM(2)", "Embedding(5, 3) | GRU(2)",
    "Reshape((7, 7))", "Permute((3, 1))", "RepeatVector(0)", "Conv1D(3, 9)", "MaxPooling1D(99)",
    "TimeDistributed(LSTM(2))", "Bidirectional(Dense(1))", "Dropout(7)", "Activation('no')",
    "LSTM(4, activation='no')", "LSTM(4, colour=1)", "LSTM(9**9)", "LSTM(4" + ")" * 900, "(" * 3000,
    "GRU(2, name='a/b')", "GRU(2, name='a\\x00b')", "GRU(2, dtype='int8')", "GRU(2, stateful=True)",
    "Masking('x')", "ZeroPadding1D(1000)", "UpSampling1D(1000)", "LayerNormalization(axis=9)",
    "LSTM(2, go_backwards=True) | RepeatVector(3)", "LSTM(4, units=3)", "LSTM()", "Dense(1.5)",
    "GRU(2, kernel_initializer='zeros')", "GRU(2, recurrent_dropout=2)", "LSTM(True)", "LSTM(None)",
]  # fmt: skip
SHAPES = ["1,5,2", "1,5", "5", "", "a,b", "0,5,2", "1,0,2", "-1,5,2", "1,5,2,2", "9999,9999,9999"]
SHAPES += [
    "None,5,2",
    "None,None,2",
    "1,None,None",
    "1e3,5,2",
    "1,5,2,",
    ",,",
    "1;5;2",
    "1,5,2" * 50,
]


def files_in(folder: Path, rng: random.Random) -> list[str]:
    """Write good and broken tables and other files; return the paths, and one of none."""
    days = [f"2024-01-{day:02}" for day in range(1, 31)]
    values = [f"{np.sin(i):.3f}" for i in range(30)]
    rows = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
    long = [f"{key},{row}" for key in "ab" for row in rows]

    def changed(at: int, row: str) -> list[str]:
        return [*rows[:at], row, *rows[at + 1 :]]

    texts = {
        "good.csv": ["day,sold", *rows],
        "long.csv": ["unique_id,ds,y", *long],
        "named.csv": ["model,window,naive", *long],
        "one.csv": ["sold", *values],
        "semicolons.csv": ["day;sold", *(row.replace(",", ";") for row in rows)],
        "empty.csv": [],
        "header.csv": ["day,sold"],
        "two.csv": ["day,sold", *rows[:2]],
        "no_header.csv": rows,
        "twice.csv": ["sold,sold", *rows],
        "blank_names.csv": [",", *rows],
        "text.csv": ["day,sold", *changed(7, "2024-01-08,many")],
        "huge.csv": ["day,sold", *changed(7, f"2024-01-08,{'9' * 400}")],
        "infinite.csv": ["day,sold", *changed(7, "2024-01-08,1e999")],
        "missing.csv": ["day,sold", *changed(7, "2024-01-08,")],
        "absent.csv": ["day,sold", *rows[:7], *rows[8:]],
        "back.csv": ["day,sold", *reversed(rows)],
        "repeated.csv": ["day,sold", *rows, rows[-1]],
        "uneven.csv": ["day,sold", *rows[:9], "2024-01-09 05:17,3", *rows[12:]],
        "far.csv": ["day,sold", *(f"{9999 - 30 + i}-01-01,{v}" for i, v in enumerate(values))],
        "odd_date.csv": ["day,sold", *changed(7, "2024-13-45,3")],
        "wide_row.csv": ["day,sold", *changed(7, "1,2,3,4,5")],
        "quote.csv": ["day,sold", *changed(7, '"2024-01-08,3')],
        "control.csv": ["da\x1by,so\x00ld", *rows],
        "long_name.csv": [f"day,{'s' * 20_000}", *rows],
        "formula.csv": ["day,$sold$ <b>", *rows],
        "constant.csv": ["day,sold", *(f"{day},5" for day in days)],
        "zones.csv": ["day,sold", *(f"{day}T00:00+0{i % 2}:00,{i}" for i, day in enumerate(days))],
        "short.csv": ["unique_id,ds,y", *long[:3], *long[40:]],
        "a.txt": ["day,sold", *rows],
        "model.py": ["model = 3"],
        "broken.py": ["def"],
        "raises.py": ["raise KeyError('x')"],
        "exits.py": ["import sys", "sys.exit(7)"],
        "fake.keras": ["no zip"],
        "fake.h5": ["no hdf5"],
        "fake.parquet": ["PAR1 and nothing"],
    }
    for name, lines in texts.items():
        (folder / name).write_text("\n".join(lines) + ("\n" if lines else ""), encoding="utf-8")
    (folder / "bytes.csv").write_bytes(rng.randbytes(300))
    (folder / "utf16.csv").write_text("day,sold\n" + "\n".join(rows), encoding="utf-16")
    frame = pd.DataFrame({"t": pd.date_range("2024-03-20", periods=30, tz="Europe/Berlin")})
    frame.assign(y=np.arange(30.0) % 7).to_parquet(folder / "zone.parquet")
    frame.assign(y=[{"a": 1}] * 30).to_parquet(folder / "nested.parquet")
    (folder / "folder.csv").mkdir()
    (folder / "locked").mkdir()
    names = [*texts, "bytes.csv", "utf16.csv", "zone.parquet", "nested.parquet", "folder.csv"]
    return [str(folder / name) for name in (*names, "none.csv")]


def command(rng: random.Random, paths: list[str], folder: Path) -> list[str]:
    """Draw a command."""
    names = ["forecast", "forecast", "backtest", "explain", "explain", "look", "look", "learn"]
    name = rng.choice([*names, "other"])
    outputs = [str(folder / "out"), str(folder / "good.csv"), "/proc/x", "/dev/null", ""]
    if name == "other":
        return [
            rng.choice(["", "nothing", "--help", "--version", "forecast", "-x"]),
            *_some(rng, WORDS),
        ]
    if name == "learn":
        return ["learn", "--output", rng.choice([*outputs, str(folder), str(folder / "p.html")])]
    if name == "explain":
        models = [
            *SKETCHES,
            *paths,
            *(f"{path}:{rng.choice(['model', 'x', '1', ''])}" for path in paths),
        ]
        made = ["explain", rng.choice(models)]
        if rng.random() < 0.9:
            made += ["--shape", rng.choice(SHAPES[:1] * 12 + SHAPES)]
        if rng.random() < 0.3:
            made += ["--closed-loop", rng.choice(["2", "0", "-1", "x", "99999"])]
        if rng.random() < 0.3:
            made += [rng.choice(["--svg", "--png"]), "--output", rng.choice(outputs)]
        return made
    path = rng.choice([*paths, *paths, *paths, ""])
    columns = _header(path)
    good = {
        "--key": columns, "--time": columns, "--target": columns, "--future": columns,
        "--past": columns, "--static": columns, "--calendar": ["weekday", "month"],
        "--horizon": ["1", "2", "3"], "--season": ["1", "7"], "--cell": ["gru", "rnn"],
        "--layers": ["1", "2"], "--seed": ["3"], "--likelihood": ["gaussian", "negative-binomial"],
        "--missing": ["fill", "drop"], "--level": ["80", "80,95"], "--short": ["drop"],
        "--train-fraction": ["0.5"], "--windows": ["1", "2"], "--future-file": paths,
        "--peer": ["AutoETS"], "--output": [str(folder / "out")],
        "--report": [str(folder / "r.html")], "--every": ["1D", "1W", "1M"],
        "--aggregate": ["sum", "last"], "--missing-value": ["-200", "x,-1", "none"],
        "--decimal": [".", ","],
    }  # fmt: skip
    bad = {
        "--horizon": ["0", "99999999", "9" * 30], "--season": ["0", "9" * 9],
        "--level": ["0.8", "0", "100", "nan", "80,80", "-5", "99.9999"], "--seed": ["-1", "9" * 30],
        "--windows": ["0", "9999"], "--lookback": ["1", "99999999"], "--output": outputs,
        "--report": outputs, "--train-fraction": ["0", "1", "nan", "0.999"], "--layers": ["0"],
    }  # fmt: skip
    known = {option for one in statewise.commands[name].params for option in one.opts}
    made = [name, path, *(QUICK if name != "look" else [])]
    for option in rng.sample(sorted({*good} & known), rng.choice([0, 1, 1, 2, 3, 4])):
        odd = rng.random() < 0.2
        made += [
            option,
            rng.choice([*bad.get(option, []), rng.choice(WORDS)] if odd else good[option]),
        ]
    made += [
        flag
        for flag in ("--no-holdout", "--one-step", "--refit", "--wide", "--json", "--force")
        if flag in known and rng.random() < 0.2
    ]
    if "--output" not in made and name != "look":
        made += ["--output", str(folder / "out")]
    return made


def _header(path: str) -> list[str]:
    """Return the columns of a table, and one that it hasn't."""
    try:
        first = Path(path).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        first = "t,y"
    return [*first.replace("\x00", "").split(","), "none"]


def _some(rng: random.Random, words: list[str]) -> list[str]:
    return rng.sample(words, rng.choice([0, 1, 2]))


def fault_of(made: list[str]) -> str | None:
    """Run a command; say what is wrong with how it ended, None where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(statewise, made)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {str(result.exception)[:150]!r}"
    if result.exit_code not in (0, 2):
        return f"the exit code is {result.exit_code}: {result.stderr[:150]!r}"
    if "Traceback" in result.output:
        return "it prints a traceback"
    lines = result.stderr.splitlines()
    if result.exit_code == 2 and (len(lines) != 1 or not lines[0].startswith("statewise: ")):
        return f"stderr has {len(lines)} lines: {result.stderr[:150]!r}"
    if "\x1b" in result.stderr or "\x00" in result.stderr:
        return f"stderr has control characters: {result.stderr[:150]!r}"
    if len(result.stderr) > 4000:
        return f"stderr has {len(result.stderr)} letters"
    return None


def main() -> int:
    """Run, print findings, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    findings = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        rng = random.Random(given.seed)
        paths = files_in(folder, rng)
        for _ in range(given.count):
            made = command(rng, paths, folder)
            fault = fault_of(made)
            if fault is not None:
                findings += 1
                print(f"{shlex.join(made).replace(name, '.')[:300]!r}: {fault}", flush=True)
        os.chdir("/")
    print(f"{given.count} commands, {findings} findings (seed {given.seed})")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
