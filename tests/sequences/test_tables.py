import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError, read_table
from statewise.sequences.tables import load_table


def write(folder, text, name="series.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a,b\n1,x\n2,y\n", "t.csv"),
        ("a;b\n1;x\n2;y\n", "t.CSV"),
        ("a\tb\n1\tx\n2\ty\n", "t.tsv"),
        ("\ufeffa,b\r\n1,x\r\n2,y\r\n", "t.csv"),
        ("\n\na,b\n1,x\n\n2,y\n\n", "t.csv"),
        ('"a",b\n1,"x"\n2,y', "t.csv"),
    ],
)
def test_csv(tmp_path, text, name):
    frame, _ = read_table(str(write(tmp_path, text, name)))
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert list(frame.index) == [0, 1]


def test_parquet(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.to_dict("list") == frame.to_dict("list")
    frame.set_index("b").to_parquet(tmp_path / "t.pq")
    assert read_table(tmp_path / "t.pq").frame.columns.tolist() == ["b", "a"]


def test_rows_know_their_line(tmp_path):
    table = load_table(write(tmp_path, "\na,b\n1,x\n\n,\n2,y\n"))
    assert table.places == ["line 3", "line 5", "line 6"]
    assert table.frame["a"].tolist() == ["1", "", "2"]


def test_blank_lines_of_one_column_are_missing_values(tmp_path):
    frame, _ = read_table(write(tmp_path, "v\n1\n\n3\n\n\n"))
    np.testing.assert_array_equal(frame["v"], [1, np.nan, 3])


def test_blank_column_names_are_no_values(tmp_path):
    assert read_table(write(tmp_path, ",v\n0,5\n")).frame.shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "t.csv", "t.csv is empty$"),
        ("\n \n", "t.csv", "t.csv is empty$"),
        ("", "t.parquet", "t.parquet is empty$"),
        ("a,b\n", "t.csv", "is empty: it has column names, but no rows"),
        ("x", "t.parquet", "no readable Parquet file: "),
        (
            "a,b\n1,2\n3,4,5\n",
            "t.csv",
            r"more values than the header has names \(line 3 has 3, the header 2\)",
        ),
        ("a,b\n1,2,3\n3,4,5\n", "t.csv", "more values than the header has names"),
    ],
)
def test_one_clear_line(tmp_path, text, name, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(write(tmp_path, text, name))
    assert "\n" not in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match=r"absent\.csv: no such file"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path / "folder.csv")


def test_other_sources():
    with pytest.raises(TypeError, match="a path or a pandas frame, not list"):
        load_table([1, 2])
    with pytest.raises(DataError, match="several columns named 'a'"):
        load_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
