"""Every form of file, read from its beginning to its end; the page that lists them is complete."""

import io
import re
import types
from pathlib import Path

import pytest

from file_forms import DAYS, FORMS, TEXT
from statewise.sequences.reading.files import column_names, load_file, load_files
from statewise.sequences.tables import DataError

PAGE = Path(__file__).parents[3] / "docs" / "files.md"
CASES = [
    pytest.param(case, id=f"{form}-{number}")
    for form, cases in FORMS.items()
    for number, case in enumerate(cases)
]


def cells(frame):
    return frame.astype(object).where(frame.notna(), None).to_dict("list")


@pytest.mark.parametrize("case", CASES)
def test_a_form_of_file(tmp_path, case):
    path = case.write(tmp_path)
    table = load_file(path)
    assert cells(table.frame) == case.columns
    assert table.understood.line() == case.said
    assert table.places[0] == case.line
    assert len(table.places) == len(table.frame)
    assert table.name == str(path)
    assert column_names(path) == list(case.columns)


def test_standard_input_is_read_once(monkeypatch):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    assert column_names("-") == ["day", "y"]
    table = load_file("-")
    assert cells(table.frame) == DAYS
    assert table.name == "standard input"
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"a,b\n1,2\n")))
    assert column_names("-") == ["a", "b"]
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="standard input is closed"):
        load_file("-")


def test_several_files(tmp_path):
    (tmp_path / "a.csv").write_text("day;y\n1;2\n")
    (tmp_path / "b.csv").write_text("y,day\n4,3\n\n6,5\n")
    table = load_files([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert cells(table.frame) == {
        "day": ["1", "3", "5"],
        "y": ["2", "4", "6"],
        "file": ["a", "b", "b"],
    }
    assert table.places == ["line 2 of a.csv", "line 2 of b.csv", "line 4 of b.csv"]
    assert table.understood.line() == "2 files, semicolons"
    assert table.name == f"{tmp_path / 'a.csv'} and 1 more"


def test_several_files_of_one_name_and_a_column_called_file(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text(f"file,y\n1,{folder}\n")
    paths = [str(tmp_path / folder / "t.csv") for folder in "ab"]
    table = load_files(paths)
    assert cells(table.frame) == {"file": ["1", "1"], "y": ["a", "b"], "file_": paths}
    assert load_files(paths[:1]).frame.columns.tolist() == ["file", "y"]
    with pytest.raises(DataError, match="no files"):
        load_files([])


def test_several_files_need_the_same_columns(tmp_path):
    (tmp_path / "a.csv").write_text("day,y\n1,2\n")
    (tmp_path / "b.csv").write_text("day,z\n1,2\n")
    with pytest.raises(DataError, match=r"b\.csv has the columns day, z, but .*a\.csv has day, y"):
        load_files([tmp_path / "a.csv", tmp_path / "b.csv"])


def rows_of_the_page():
    text = PAGE.read_text("utf-8")
    section = re.search(r"^## Files\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    read = section.partition("### Refused")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", read, re.MULTILINE)
    return {form: told for form, _, told in rows if form not in ("form", "---")}


def test_the_page_lists_every_form_and_no_other():
    assert list(rows_of_the_page()) == [*FORMS, "standard input: `-`", "several files at once"]


@pytest.mark.parametrize("form", FORMS)
def test_the_page_says_what_is_told(form):
    told = re.findall(r"\*(.+?)\*", rows_of_the_page()[form])
    said = {case.said for case in FORMS[form]}
    for words in told:
        assert any(words in line for line in said), (words, said)
    assert told or "" in said
