"""`statewise look`: what it says of a table, and that the command it names runs as it stands."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main
from statewise.cli.data import read_data
from statewise.cli.options import READING

MONTHS = pd.date_range("2019-01-01", periods=60, freq="MS")
YEAR = 100 + 20 * np.sin(np.arange(60) / 6 * np.pi) + np.arange(60) % 7


def run(*arguments):
    return CliRunner().invoke(main, ["look", *map(str, arguments)], prog_name="statewise")


def look(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def as_json(*arguments):
    return json.loads(look(*arguments, "--json"))


def command_in(text):
    (line,) = [line for line in text.splitlines() if line.startswith("Command")]
    return shlex.split(line)[1:]


def read_as(command):
    """Return what the command would forecast."""
    assert command[:2] == ["statewise", "forecast"]
    context = main.commands["forecast"].make_context("forecast", command[2:])
    return read_data(context.params["files"], **{name: context.params[name] for name in READING})


def write(folder, rows, name="table.csv"):
    path = folder / name
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture
def months(tmp_path):
    rows = [f"{month:%Y-%m};{value:.2f}".replace(".", ",") for month, value in
            zip(MONTHS, YEAR, strict=True)]  # fmt: skip
    return write(tmp_path, ["Monat;Absatz", *rows])


def test_one_series(months):
    text = look(months)
    for line in (
        f"File      {months}: 60 rows, 2 columns",
        "Read as   semicolons, decimal comma, monthly",
        "Columns   Monat   time     2019-01-01 to 2023-12-01",
        "Time      Monat: 2019-01-01 to 2023-12-01, monthly, no gaps",
        "Series    60 steps",
    ):
        assert line in text.splitlines()
    assert "season 12" in text
    assert "█" in text
    assert command_in(text) == [
        *("statewise", "forecast", str(months), "--time", "Monat", "--target", "Absatz")
    ]


def test_the_airline_without_a_file():
    text = look()
    assert "144 steps" in text
    assert "season 12" in text
    command = command_in(text)
    assert command == shlex.split("statewise forecast --time month --target passengers")
    assert len(read_as(command).data) == 144


def test_the_page_shows_what_is_printed():
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
    shown = page.split("statewise look\n```\n```text\n")[1].split("```")[0]
    file, *rest = look().splitlines()
    assert shown.splitlines()[1:] == rest
    assert shown.splitlines()[0] == f"File      {Path(file.removeprefix('File').strip()).name}"


def test_json_says_the_same(months):
    found = as_json(months)
    assert found["rows"] == 60
    assert [column["kind"] for column in found["columns"]] == ["time", "numbers"]
    assert found["read_as"]["decimal"] == "decimal comma"
    (one,) = found["series"]["shown"]
    assert (one["name"], one["steps"], one["seasons"]) == ("Absatz", 60, [12])
    assert one["from"] == "2019-01-01"
    assert found["obstacles"] == []
    assert shlex.split(found["command"]) == command_in(look(months))
    assert found["files"] == []


def test_nothing_is_written_unless_asked_for(months, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    look(months)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert "Written   look.png" in look(months, "--png")
    assert (tmp_path / "look.png").read_bytes()[:4] == b"\x89PNG"
    refused = run(months, "--png")
    assert refused.exit_code == 2
    assert "look.png is there already: --force" in refused.stderr
    look(months, "--png", "--force")
    assert as_json(months, "--output", tmp_path / "new")["files"] == [
        str(tmp_path / "new" / "look.png")
    ]


def test_quiet_prints_nothing(months):
    assert look(months, "--quiet") == ""


def test_many_series_by_two_columns(tmp_path):
    shops = [("001", "north"), ("001", "south"), ("1", "north")]
    rows = [f"{month:%Y-%m-%d},{shop},{side},{value:.1f}" for shop, side in shops
            for month, value in zip(MONTHS, YEAR, strict=True)]  # fmt: skip
    path = write(tmp_path, ["month,shop,side,sold", *rows])
    text = look(path)
    assert "3, of 60 steps each" in text
    command = command_in(text)
    assert command[command.index("--key") + 1] == "shop,side"
    assert read_as(command).data.keys.tolist() == ["001, north", "001, south", "1, north"]
    assert "Note" not in text


def test_a_wide_table(tmp_path):
    rows = [f"{month:%d.%m.%Y},{value:.1f},{2 * value:.1f},x" for month, value in
            zip(MONTHS, YEAR, strict=True)]  # fmt: skip
    path = write(tmp_path, ["month,north east,south,note", *rows])
    text = look(path)
    assert "2, of 60 steps each" in text
    assert "--wide" in command_in(text)
    assert read_as(command_in(text)).data.keys.tolist() == ["north east", "south"]
    command = command_in(look(path, "--target", "north east"))
    assert "--wide" not in command
    assert read_as(command).data.names == ("north east",)


def test_columns_that_make_the_time_together(tmp_path):
    rows = [f"{month.year},{month.month},{value:.1f}" for month, value in
            zip(MONTHS[::-1], YEAR, strict=True)]  # fmt: skip
    path = write(tmp_path, ["ano,mes,Exp", *rows])
    command = command_in(look(path))
    assert command[command.index("--time") + 1] == "ano,mes"
    assert read_as(command).data.time[0] == MONTHS[0]


def test_rows_without_a_time(tmp_path):
    path = write(tmp_path, ["y", *(f"{value:.1f}" for value in YEAR)])
    text = look(path)
    assert "Time      none: the rows are numbered" in text
    command = command_in(text)
    assert command[command.index("--time") + 1] == "none"
    assert len(read_as(command).data) == 60


def test_tables_that_run_to_the_right(tmp_path):
    years = range(1960, 2020)
    rows = [
        ",".join([name, *(f"{10 * place + year % 13}.5" for year in years)])
        for place, name in enumerate(["Chad", "Sri Lanka", "Peru"])
    ]
    path = write(tmp_path, [f"Country Name,{','.join(map(str, years))}", *rows], "countries.csv")
    text = look(path)
    assert "Time      time: 1960 to 2019" in text
    assert "Sri Lanka  " in text
    data = read_as(command_in(text)).data
    assert data.keys.tolist() == ["Chad", "Sri Lanka", "Peru"]
    assert data.lengths.tolist() == [60] * 3
    months = "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"
    rows = [
        f"{year},{','.join(str(month) for month in range(1, 13))}" for year in range(2000, 2010)
    ]
    path = write(tmp_path, [months, *rows], "months.csv")
    text = look(path)
    assert "Columns   Year  numbers  2000 to 2009" in text
    assert "Time      month: 2000-01-01 to 2009-12-01, monthly" in text
    assert read_as(command_in(text)).data.time[0] == pd.Timestamp("2000-01-01")


def test_what_the_user_said_is_in_the_command(tmp_path):
    rows = [f"{day:%d/%m/%Y};{value:.3f};-1" for day, value in
            zip(pd.date_range("2024-01-01", periods=12), YEAR, strict=False)]  # fmt: skip
    path = write(tmp_path, ["day;a;b", *rows])
    text = look(path, "--target", "a", "--monthfirst", "--decimal", ".", "--missing-value", "-200")
    command = command_in(text)
    for words in (["--monthfirst"], ["--decimal", "."], ["--missing-value", "-200"]):
        assert shlex.join(words) in shlex.join(command)
    assert read_as(command).data.calendar.phrase == "monthly"


@pytest.mark.parametrize(
    ("change", "words", "option"),
    [
        (lambda rows: [*rows, rows[7]], "the time stamps repeat", ["--aggregate", "mean"]),
        (
            lambda rows: [
                f"{row.split(',')[0]},-200" if i % 9 == 4 else row for i, row in enumerate(rows)
            ],
            "-200 (7 times in 'sold')",
            ["--missing-value", "-200"],
        ),
        (
            lambda rows: [
                row.replace("99.0", "closed") for row in [*rows[:9], "2019-10-01,99.0", *rows[10:]]
            ],
            "'closed' is no number",
            ["--missing-value", "closed"],
        ),
    ],
    ids=["repeated", "impossible", "word"],
)
def test_what_is_in_the_way_and_the_command_around_it(change, words, option, tmp_path):
    rows = [f"{month:%Y-%m-%d},{value:.1f}" for month, value in zip(MONTHS, YEAR, strict=True)]
    path = write(tmp_path, ["month,sold", *change(rows)])
    text = look(path)
    (obstacle,) = [line for line in text.splitlines() if line.startswith("Obstacle")]
    assert words in obstacle
    command = command_in(text)
    assert shlex.join(option) in shlex.join(command)
    assert len(read_as(command).data) == 1 or len(read_as(command).data) == 60
    assert as_json(path)["obstacles"]


def test_uneven_stamps_and_the_command_around_them(tmp_path, rng):
    minutes = np.sort(rng.choice(24 * 60 * 20, 800, replace=False))
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, "min")
    path = write(tmp_path, ["when,load", *(f"{stamp},1.{i % 7}" for i, stamp in enumerate(stamps))])
    text = look(path)
    assert "the time stamps are uneven" in text
    command = command_in(text)
    assert "--every" in command
    read_as(command)


def test_a_table_that_cannot_be_forecast_shows_its_columns_all_the_same(tmp_path):
    path = write(tmp_path, ["name,town", "Ann,Ulm", "Bo,Bonn", "Cy,Ulm"])
    text = look(path)
    assert "Columns   name  text  3 values: Ann, Bo, Cy" in text
    assert "town  text  2 values: Ulm, Bonn" in text
    assert "Obstacle" in text
    assert "Command" not in text
    found = as_json(path)
    assert (found["command"], found["series"]["shown"]) == (None, [])
    refused = run(path, "--png", "--output", tmp_path)
    assert refused.exit_code == 2
    assert "has no series to draw" in refused.stderr


@pytest.mark.parametrize("option", ["--target", "--time", "--key"])
def test_a_column_that_is_not_there_is_refused(option, months):
    refused = run(months, option, "nowhere")
    assert refused.exit_code == 2
    assert "has no column 'nowhere'; its columns are: Monat, Absatz" in refused.stderr
    assert refused.stdout == ""


def test_standard_input(months):
    text = months.read_text("utf-8")
    result = CliRunner().invoke(main, ["look", "-"], input=text, prog_name="statewise")
    assert result.exit_code == 0
    assert "60 steps" in result.stdout
    assert command_in(result.stdout)[2] == "-"


def in_a_process(*arguments, encoding="utf-8", code=None):
    start = code or "from statewise.cli import main; main(prog_name='statewise')"
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, arguments)],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=120,
    )


@pytest.mark.slow
def test_no_engine_is_loaded(months, tmp_path):
    code = (
        "import sys\nfrom statewise.cli import main\n"
        "main(['look', *sys.argv[1:]], standalone_mode=False)\n"
        "assert not {'jax', 'keras'} & sys.modules.keys()"
    )
    for arguments in ([months], [months, "--json"], [months, "--output", tmp_path / "new"]):
        done = in_a_process(*arguments, code=code)
        assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
def test_any_console_can_show_it(encoding, tmp_path):
    rows = [f"{month:%Y-%m-%d},{value:.1f}" for month, value in zip(MONTHS, YEAR, strict=True)]
    path = write(tmp_path, ["дата,продажи", *rows])
    done = in_a_process("look", path, encoding=encoding)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.decode(encoding).splitlines() if "season 12" in line]
    assert "#" in line
    found = json.loads(
        in_a_process("look", path, "--json", encoding=encoding).stdout.decode("ascii")
    )
    assert found["columns"][1]["name"] == "продажи"


@pytest.mark.slow
def test_the_command_runs_as_it_stands(months, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = command_in(look(months))
    result = CliRunner().invoke(main, command[1:], prog_name="statewise")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "forecast.csv").exists()


TABLES = """BTCUSDT-1d.csv Cacau.csv UNRATE.csv air-quality.csv bitcoin-investing.csv co2_mm_mlo.txt
coin_Bitcoin.xlsx daily-min-temperatures.csv daily-total-female-births.csv example_retail_sales.csv
exportacoes_BR.csv gasnatural.csv household_power.txt ipeadata.csv monthly-car-sales.csv
multiTimeline.csv pollution.csv shampoo.csv smard-prices.csv stocks.csv tesla-stock-price.csv
tourism-quarters.csv usdeur.csv""".split()


@pytest.mark.parametrize("name", TABLES)
def test_the_command_for_a_real_table_reads_what_was_seen(name, shared_data):
    path = shared_data(f"tables/{name}")
    if path.suffix == ".xlsx":
        pytest.importorskip("openpyxl")
    found = as_json(path)
    data = read_as(shlex.split(found["command"])).data
    steps = [len(data)] if hasattr(data, "names") else data.lengths.tolist()
    assert steps == found["series"]["steps"]
