"""Files of text, form by form: what becomes of them, and what is told."""

import pytest

from statewise.sequences.reading.files import column_names, load_file
from statewise.sequences.tables import DataError


def written(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, text, name="t.csv", **options):
    """Return the columns of a file as lists, after a look that only its head was read for."""
    path = written(folder, text, name)
    table = load_file(path, **options)
    assert len(table.places) == len(table.frame)
    if not options:
        assert column_names(path) == list(table.frame.columns)
    cells = table.frame.astype(object).where(table.frame.notna(), None)
    return cells.to_dict("list"), table


TWO = {"a": ["1", "2"], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a,b\n1,x\n2,y\n", "t.csv"),
        ("a;b\n1;x\n2;y\n", "t.CSV"),
        ("a\tb\n1\tx\n2\ty\n", "t.tsv"),
        ("a\tb\n1\tx\n2\ty\n", "t.csv"),
        ("a|b\n1|x\n2|y\n", "t.dat"),
        ("a b\n1 x\n2 y\n", "t.txt"),
        ("a   b\n1   x\n2   y\n", "noending"),
        ("\ufeffa,b\r\n1,x\r\n2,y\r\n", "t.csv"),
        ("a,b\r1,x\r2,y\r", "t.csv"),
        ("a,b\r\r\n1,x\r\r\n2,y\r\r\n", "t.csv"),
        ("\n\na,b\n1,x\n\n2,y\n\n", "t.csv"),
        ('"a",b\n1,"x"\n2,y', "t.csv"),
        ("a, b\n1, x\n2, y\n", "t.csv"),
        ("sep=;\na;b\n1;x\n2;y\n", "t.csv"),
        ("a,b,\n1,x,\n2,y,\n", "t.csv"),
        ("a,b\n1,x,\n2,y,\n", "t.csv"),
        ("a,b\n1,x\n2,y\na,b\n", "t.csv"),
        ("a,b\n1,x\n2,y\n,\n,\n", "t.csv"),
    ],
)
def test_the_same_table(tmp_path, text, name):
    assert read(tmp_path, text, name)[0] == TWO


def test_cells_stay_as_they_stand(tmp_path):
    text = "key,value\n001,NA\n1,null\nNA, 5\n,nan\n"
    columns, table = read(tmp_path, text)
    assert columns == {"key": ["001", "1", "NA", ""], "value": ["NA", "null", " 5", "nan"]}
    assert table.understood.line() == ""


def test_rows_know_their_lines(tmp_path):
    columns, table = read(tmp_path, 'a,b\n1,"x\ny"\n\n2\n3,z\n')
    assert columns == {"a": ["1", "2", "3"], "b": ["x\ny", None, "z"]}
    assert table.places == ["line 2", "line 5", "line 6"]


def test_a_row_that_is_too_long(tmp_path):
    with pytest.raises(DataError, match=r"names \(line 4 has 3, the header 2\): is a delim"):
        load_file(written(tmp_path, "a,b\n1,2\n3,4\n3,4,5\n"))


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_few_odd_rows_among_many(tmp_path, quote):
    rows = [f"{quote}k{number}{quote},{number}" for number in range(5000)]
    rows[4000] = f"{quote}short{quote}"
    rows[4001] = f"{quote}long{quote},5,,"
    rows[4002] = ""
    rows[4003] = "# a remark"
    path = written(tmp_path, "\n".join(["key,value", *rows]))
    table = load_file(path)
    assert len(table.frame) == 4998
    cells = table.frame.astype(object).where(table.frame.notna(), None).iloc[3999:4003]
    assert cells.to_numpy().tolist() == [
        ["k3999", "3999"],
        ["short", None],
        ["long", "5"],
        ["k4004", "4004"],
    ]
    assert [table.places[row] for row in (3999, 4000, 4001, 4002)] == [
        *("line 4001", "line 4002", "line 4003", "line 4006")
    ]
    assert table.understood.line() == "1 line of comments further down"
    rows[4500] = "a,b,c"
    with pytest.raises(DataError, match=r"\(line 4502 has 3, the header 2\)"):
        load_file(written(tmp_path, "\n".join(["key,value", *rows])))


def test_a_large_file_is_read_without_a_loop_over_its_rows(tmp_path, monkeypatch):
    """What Arrow cuts must not be cut again, line by line: that takes ten times as long."""
    from statewise.sequences.reading import text_table

    def refuse(*args):
        raise AssertionError("record by record")

    monkeypatch.setattr(text_table, "_read_one_by_one", refuse)
    body = "".join(f"k{number % 100},2020-01-01,{number}.5\n" for number in range(20_000))
    plain = "key,day,value\n" + body
    for text in (
        plain,
        plain.replace(",", ";").replace("\n", "\r\n"),
        plain.replace(",", " "),
        plain.replace(",", ", "),
        "\n".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"' for line in plain.split()),
        "# a comment\n" + plain + "\n\n# another\n",
        "a title\n\n" + plain + "Total,,5\n",
        plain.replace("k7,", "k7\n\nk7,", 3),
    ):
        assert load_file(written(tmp_path, text)).frame.shape[1] == 3


def test_keys_that_begin_as_comments_do(tmp_path):
    text = "key,y\n" + "".join(f"{mark}{row},{row}\n" for row in range(9) for mark in ("", "#"))
    assert load_file(written(tmp_path, text)).frame["key"].tolist()[:3] == ["0", "#0", "1"]
    text = "#key,y\n#1,5\n#2,6\n"
    assert load_file(written(tmp_path, text)).frame["#key"].tolist() == ["#1", "#2"]


@pytest.mark.parametrize(
    "rows",
    [
        "2020-01-01,closed\n2020-01-02,5\n2020-01-03,6\n",
        "2020-01-01,\n2020-01-02,NA\n2020-01-03,6\n",
        "2020-01-01,2020\n2020-01-02,5\n",
        "a,\nb,5\nc,6\n",
        "a,n/d\nb,5\nc,6\n",
        "1,x\n2,y\n",
    ],
)
def test_a_first_row_that_is_odd_stays_a_row(tmp_path, rows):
    first = rows.partition("\n")[0].split(",")
    with_names = load_file(written(tmp_path, "day,y\n" + rows))
    assert list(with_names.frame.columns) == ["day", "y"]
    assert with_names.frame.iloc[0].tolist() == first
    assert with_names.places[0] == "line 2"
    if not first[0].isalpha():
        without = load_file(written(tmp_path, rows))
        assert without.frame.iloc[0].tolist() == first
        assert without.understood.line() == "no header"


@pytest.mark.parametrize("length", range(3, 12))
def test_names_of_a_file_that_goes_beyond_its_first_part(tmp_path, length):
    cell = '"' + "é\n" * length + '"'
    path = written(tmp_path, "day,note\n" + f"2020-01-01,{cell}\n" * (300_000 // (3 * length + 14)))
    assert path.stat().st_size > 1 << 18
    assert column_names(path) == ["day", "note"]
    table = load_file(path)
    assert set(table.frame["note"]) == {"é\n" * length}
    assert table.places[1] == f"line {length + 3}"


def test_a_column_that_is_empty_throughout_keeps_its_name(tmp_path):
    text = "day,sold\n" + "".join(f"2024-01-{day:02},\n" for day in range(1, 10))
    cells, table = read(tmp_path, text)
    assert list(cells) == ["day", "sold"]
    assert set(cells["sold"]) == {""}
    assert table.understood.line() == ""
    cells, _ = read(tmp_path, "day,sold,price\n2024-01-01,,\n2024-01-02,,\n")
    assert list(cells) == ["day", "sold", "price"]


def test_delimiters_behind_one_column_make_no_more(tmp_path):
    cells, _ = read(tmp_path, "sold;;\n5;;\n7;;\n8;;\n")
    assert cells == {"sold": ["5", "7", "8"]}
