"""Files that can't be read: a line that says why, and what to do."""

import builtins
import gzip
import tarfile
import zipfile

import openpyxl
import pandas as pd
import pytest

from statewise.sequences.reading import archives
from statewise.sequences.reading.files import column_names, load_file
from statewise.sequences.tables import DataError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ("", "t.csv", r"t\.csv is empty$"),
        ("\n \n\t\n", "t.csv", r"t\.csv is empty$"),
        ("a,b\n", "t.csv", "is empty: it has column names, but no rows$"),
        ("a,b\n\n,\n", "t.csv", "is empty: it has column names, but no rows$"),
        (b"", "t.parquet", r"t\.parquet is empty$"),
        ("x", "t.parquet", "is no readable Parquet file: "),
        ("x", "t.feather", "is no readable Feather file: "),
        (b"PAR1 and no more", "t.csv", "is no readable Parquet file: "),
        (b"ARROW1 and no more", "t.csv", "is no readable Feather file: "),
        (b"\xff\xff\xff\xff and no more of it", "t.bin", "is no readable Arrow file: "),
        (OLE, "t.xls", r"a workbook of old Excel \(\.xls\): save it as \.xlsx or CSV"),
        (b"%PDF-1.7\n", "t.pdf", "is a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "t.png", "is a picture"),
        (b"SQLite format 3\0" + bytes(99), "t.db", "an SQLite database: export"),
        (b"\x89HDF\r\n\x1a\n", "t.h5", r"an HDF5 file: read it with pandas\.read_hdf"),
        (b"\x93NUMPY\x01\0", "t.npy", "a NumPy array"),
        (bytes(range(256)) * 9, "t.bin", "a binary file of a kind that isn't read"),
        (b"\x80\x04\x95\x1e\x01\x02\x03\x04\x05\x06" * 9, "t.pkl", "a binary file"),
        ("a,b\n1,2\0\n" * 9, "t.csv", "a binary file"),
        ("  <!DOCTYPE html><html></html>", "t.csv", r"is a web page \(HTML\).*download the data"),
        ("<?xml version='1.0'?><a/>", "t.xml", "is XML, not a table"),
        ("version https://git-lfs.github.com/spec/v1\noid x\n", "t.csv", "git lfs pull gets it"),
        ("{", "t.json", "is no readable JSON: "),
        ("5", "t.json", "is JSON without a table"),
        ('{"a": 1, "b": [1, 2]}', "t.json", "is JSON without a table"),
        ('{"a": 1}\n[2]\n', "t.jsonl", "is no readable JSON: "),
        ("[" * 100_000, "t.json", "nested too deeply|no readable JSON"),
        (
            '{"a": [{"x": 1}, {"x": 2}], "b": [{"x": 1}, {"x": 2}]}',
            "t.json",
            "holds 2 tables: a, b; keep one",
        ),
        ('[{"a": 1, " a": 2}]', "t.json", "several columns named 'a'"),
        ("a,b,a\n1,2,3\n", "t.csv", "has several columns named 'a': rename all but one"),
        ("a,b\n1,2\n3,4\n3,4,5\n", "t.csv", r"\(line 4 has 3, the header 2\)"),
        ("1,2\n3,4\n3,4,5\n", "t.csv", r"different numbers .* \(line 3 has 3, most have 2\)"),
        ("a,b\n1,2,3\n3,4,5\n", "t.csv", r"more values than the header has names \(line 2 has 3"),
        ("a b c\n1 2 3\n4 5\n6 7 8\n", "t.txt", "has 2 values in line 3, .* write NA"),
        (
            "a,b\n" + "1,x\n" * 600 + '2,"y\n' + "3,z\n" * 9,
            "t.csv",
            "a quote in line 602 is opened and never closed",
        ),
        (
            gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:40],
            "t.csv.gz",
            r"can't be unpacked \(gz\): ",
        ),
        (b"\xfd7zXZ\x00 and no more", "t.xz", r"can't be unpacked \(xz\): "),
        (b"BZh9 and no more", "t.bz2", r"can't be unpacked \(bz2\): "),
        (b"\x28\xb5\x2f\xfd and no more", "t.zst", r"can't be unpacked \(zst\): "),
        (b"PK\x03\x04 and no more", "t.zip", "no readable zip archive: "),
    ],
)
def test_one_clear_line(tmp_path, data, name, message):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(DataError, match=message) as error:
        load_file(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("https://example.org/t.csv", "^https://example.org/t.csv is a URL: download it first"),
        ("s3://bucket/t.parquet", "is a URL"),
        ("file:///tmp/t.csv", "is a URL"),
        ("absent.csv", "^absent.csv: no such file$"),
        ("a\0b.csv", "no such file|is no path"),
    ],
)
def test_paths(path, message):
    with pytest.raises(DataError, match=message):
        load_file(path)
    with pytest.raises(DataError, match=message):
        column_names(path)


def test_a_url_that_became_a_path(tmp_path):
    from pathlib import Path

    with pytest.raises(DataError, match=r"^https://example\.org/t\.csv is a URL"):
        load_file(Path("https://example.org/t.csv"))
    with pytest.raises(TypeError, match="a file is given as its path, not as list"):
        load_file([1])


def test_folders(tmp_path):
    with pytest.raises(DataError, match=r"is a folder, and holds no Parquet files$"):
        load_file(tmp_path)
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(DataError, match=r"no Parquet files; give its files: a\.csv$"):
        load_file(tmp_path)
    (tmp_path / "a.parquet").write_text("x")
    with pytest.raises(DataError, match="is no readable Parquet file: "):
        load_file(tmp_path)
    with pytest.raises(DataError, match="is no readable Parquet file: "):
        column_names(tmp_path)


def test_archives(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
        archive.writestr("in/b.csv", "x,y\n1,2\n")
    with pytest.raises(
        DataError, match=r"holds 2 files: a\.csv, in/b\.csv; name one .* t?.*t\.zip/a\.csv$"
    ):
        load_file(path)
    with pytest.raises(DataError, match=r"t\.zip has no 'c\.csv'; it holds: a\.csv, in/b\.csv"):
        load_file(path / "c.csv")
    with zipfile.ZipFile(path, "w") as archive:
        pass
    with pytest.raises(DataError, match="is an empty archive"):
        load_file(path)
    path.write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match="no such file"):
        load_file(path / "a.csv")
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as archive:
        archive.add(path, "t.csv")
    with pytest.raises(DataError, match="is a tar archive: unpack it"):
        load_file(tmp_path / "t.tar.gz")


def test_a_member_that_is_locked(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the bit of the directory that says so
    path.write_bytes(data)
    with pytest.raises(DataError, match="is locked with a password"):
        load_file(path)


@pytest.mark.parametrize("ending", ["gz", "zip"])
def test_what_swells(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(archives, "LARGEST", 1 << 20)
    monkeypatch.setattr(archives, "_PIECE", 1 << 16)
    path = tmp_path / f"t.csv.{ending}"
    if ending == "gz":
        path.write_bytes(gzip.compress(bytes(1 << 24)))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("t.csv", bytes(1 << 24))
    with pytest.raises(DataError, match="holds more than 1 MB: unpack it yourself"):
        load_file(path)


def test_workbooks(tmp_path, monkeypatch):
    path = tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Empty"
    book.save(path)
    with pytest.raises(DataError, match="has no table on any sheet: Empty"):
        load_file(path)
    sheet = book.create_sheet("Data")
    sheet.append(["a", "b"])
    sheet.append([1, 2])
    book.save(path)
    book.close()
    assert load_file(path, sheet="Data").frame.shape == (1, 2)
    assert load_file(path, sheet=2).frame.shape == (1, 2)
    assert "--sheet 'Empty'" in load_file(path).understood.notes[0]
    for wrong in ("Date", 3, 0):
        with pytest.raises(DataError, match=f"sheet={wrong!r}: .* has the sheets Empty, Data"):
            load_file(path, sheet=wrong)
    with pytest.raises(DataError, match="has no table on its sheet 'Empty'"):
        load_file(path, sheet="Empty")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x05\x06", b"PK\x05\x07"))
    with pytest.raises(DataError, match="no readable zip archive"):
        load_file(path)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"sheet='Data': .*t\.csv is no workbook"):
        load_file(tmp_path / "t.csv", sheet="Data")

    path.write_bytes(data)
    imported = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "openpyxl":
            raise ImportError
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pip install 'statewise\[excel\]'"):
        load_file(path)


def test_options_that_say_otherwise(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("jour;prix\n1;é\n2;č\n".encode("cp1250"))
    assert load_file(path, delimiter=",").frame.shape == (2, 1)
    assert load_file(path, header=False).frame["column1"].tolist() == ["jour", "1", "2"]
    assert load_file(path, encoding="cp1250").frame["prix"].tolist() == ["é", "č"]
    path.write_text("1;2\n3;4\n")
    assert load_file(path, header=True).frame.to_dict("list") == {"1": ["3"], "2": ["4"]}
    with pytest.raises(DataError, match="encoding='klingon' is none that Python knows"):
        load_file(path, encoding="klingon")
    path.write_bytes(b"a;b\n1;\xff\n")
    with pytest.raises(DataError, match="is no readable utf-8 text at byte 6"):
        load_file(path, encoding="utf-8")


def test_a_file_that_cant_be_opened(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DataError, match=r"t\.csv can't be read: Permission denied"):
        load_file(path)


def test_parquet_keeps_its_index(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).set_index("b")
    frame.to_parquet(tmp_path / "t.pq")
    assert load_file(tmp_path / "t.pq").frame.columns.tolist() == ["b", "a"]
    assert column_names(tmp_path / "t.pq") == ["b", "a"]
