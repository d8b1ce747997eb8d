"""Every form of file that is read, with what is read from it: the rows of docs/files.md.

The files are small ones of the same form as public ones, made here.
"""

import bz2
import datetime
import gzip
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa


@dataclass(frozen=True)
class Case:
    """A file and what it holds.

    Attributes:
        data: its bytes or text, or a function that writes it into a folder and returns its path.
        columns: what is read, by column.
        said: the line of what was understood.
        name: of the file.
        line: where the first row is.
    """

    data: bytes | str | Callable[[Path], Any]
    columns: dict[str, list]
    said: str = ""
    name: str = "t.csv"
    line: str = field(default="line 2")

    def write(self, folder: Path) -> Any:
        if callable(self.data):
            return self.data(folder)
        path = folder / self.name
        path.write_bytes(self.data if isinstance(self.data, bytes) else self.data.encode())
        return path


DAYS = {"day": ["2020-01-01", "2020-01-02"], "y": ["5", "6"]}
TEXT = "day,y\n2020-01-01,5\n2020-01-02,6\n"


def _workbook(folder, sheets, name="t.xlsx"):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / name)
    book.close()
    return folder / name


def _zip(folder, files, name="t.zip"):
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return folder / name


def _frame():
    return pd.DataFrame({"day": pd.to_datetime(DAYS["day"]), "y": [5, 6]})


def _written(write):
    def case(folder):
        write(_frame(), folder / "t.bin")
        return folder / "t.bin"

    return case


def _stream(frame, path):
    table = pa.Table.from_pandas(frame)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _hive(folder):
    for store, value in (("001", 5), ("1", 6)):
        inner = folder / "lake" / f"store={store}"
        inner.mkdir(parents=True)
        pd.DataFrame({"y": [value]}).to_parquet(inner / "part.parquet")
    (folder / "lake" / "_SUCCESS").touch()
    return folder / "lake"


def _packed(compress, ending):
    def case(folder):
        path = folder / f"t.csv{ending}"
        path.write_bytes(compress(TEXT.encode()))
        return path

    return case


def _zst(folder):
    path = folder / "t.csv.zst"
    with pa.output_stream(str(path), compression="zstd") as stream:
        stream.write(TEXT.encode())
    return path


STAMPS = [pd.Timestamp(day) for day in DAYS["day"]]
DATES = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)]

FORMS: dict[str, list[Case]] = {
    "commas": [
        Case(TEXT, DAYS),
        Case('day,y\n"2020-01-01","5"\n"2020-01-02","6"\n', DAYS),
        Case(
            'Date,Price\n"Aug 17, 2023","28,420.3"\n"Aug 16, 2023","28,726.3"\n',
            {"Date": ["Aug 17, 2023", "Aug 16, 2023"], "Price": ["28,420.3", "28,726.3"]},
        ),
        Case(
            "day,tags,y\n1,a;b,5\n2,c;d,6\n",
            {"day": ["1", "2"], "tags": ["a;b", "c;d"], "y": ["5", "6"]},
        ),
    ],
    "semicolons": [
        Case(
            "Datum;Wert;RH\n10/03/2004;2,6;1360\n11/03/2004;2;1292\n",
            {"Datum": ["10/03/2004", "11/03/2004"], "Wert": ["2,6", "2"], "RH": ["1360", "1292"]},
            "semicolons",
        ),
        Case(
            "Start;End;Price\nJan 1, 2025 12:00 AM;Jan 1, 2025 1:00 AM;2.16\n"
            "Jan 1, 2025 1:00 AM;Jan 1, 2025 2:00 AM;1.60\n",
            {
                "Start": ["Jan 1, 2025 12:00 AM", "Jan 1, 2025 1:00 AM"],
                "End": ["Jan 1, 2025 1:00 AM", "Jan 1, 2025 2:00 AM"],
                "Price": ["2.16", "1.60"],
            },
            "semicolons",
        ),
        Case(
            "Datum;W\n1;1,5\n2;2,5\n",
            {"Datum": ["1", "2"], "W": ["1,5", "2,5"]},
            "semicolons",
            "t.tsv",
        ),
    ],
    "tabs": [
        Case(
            "day\tplace\ty\n1\tParis, France\t1,5\n2\tRome, Italy\t2,5\n",
            {"day": ["1", "2"], "place": ["Paris, France", "Rome, Italy"], "y": ["1,5", "2,5"]},
            "tabs",
            "t.csv",
        ),
        Case(TEXT.replace(",", "\t").replace("\ty", "\t\ty"), DAYS, "tabs", "t.tsv"),
        Case(
            'day\titem\n1\t5" pipe\n2\t"6 pipe\n',
            {"day": ["1", "2"], "item": ['5" pipe', '"6 pipe']},
            "tabs",
        ),
    ],
    "pipes": [Case(TEXT.replace(",", "|"), DAYS, "pipes", "t.dat")],
    "blanks, aligned or not": [
        Case(
            " 1948  1959\n"
            + "".join(f" {year}  -0.25   1.5  {year % 7}.5\n" for year in range(1948, 1960))
            + "  -99.9\n  an index\n  of the sea\n",
            {
                "column1": [str(year) for year in range(1948, 1960)],
                "column2": ["-0.25"] * 12,
                "column3": ["1.5"] * 12,
                "column4": [f"{year % 7}.5" for year in range(1948, 1960)],
            },
            "blanks, no header; 1 line of preamble; 3 lines of footer",
            "t.data",
        ),
        Case(
            "1749 01 96.7\n" * 30 + "1749 02 104.3 *\n",
            {
                "column1": ["1749"] * 31,
                "column2": ["01"] * 30 + ["02"],
                "column3": ["96.7"] * 30 + ["104.3"],
            },
            "blanks, no header; 1 flag behind rows left out",
            "t.txt",
            "line 1",
        ),
        Case(
            "     Jan Feb\n1949 112 118\n1950 115 126\n",
            {"column1": ["1949", "1950"], "Jan": ["112", "115"], "Feb": ["118", "126"]},
            "blanks",
        ),
        Case(TEXT.replace(",", " "), DAYS, "blanks", "t.txt"),
        Case(
            "  YR   MON   SST\n 1950    1  24.5\n 1950   12  -5.0\n",
            {"YR": ["1950", "1950"], "MON": ["1", "12"], "SST": ["24.5", "-5.0"]},
            "blanks",
            "t.txt",
        ),
        Case(
            '"x" "y"\n"2020-01-01 00:00" 5\n"2020-01-02 00:00" 6\n',
            {"x": ["2020-01-01 00:00", "2020-01-02 00:00"], "y": ["5", "6"]},
            "blanks",
        ),
    ],
    "columns two blanks apart": [
        Case(
            "Date        Open price\nJan 1 2000  39.81\nFeb 1 2000  36.35\n",
            {"Date": ["Jan 1 2000", "Feb 1 2000"], "Open price": ["39.81", "36.35"]},
            "columns two blanks apart",
            "t.txt",
        )
    ],
    "columns of fixed width": [
        Case(
            "STATION     DATE      TEMP  PRCP\nNEW YORK    20200101  1.5    0.0\n"
            "LOS ANGELES 20200102         0.2\nROME        20200103  2.5       \n"
            "OSLO        20200104  2.5   11.0\n",
            {
                "STATION": ["NEW YORK", "LOS ANGELES", "ROME", "OSLO"],
                "DATE": ["20200101", "20200102", "20200103", "20200104"],
                "TEMP": ["1.5", "", "2.5", "2.5"],
                "PRCP": ["0.0", "0.2", "", "11.0"],
            },
            "columns of fixed width",
            "t.txt",
        )
    ],
    "a first line `sep=;`": [
        Case("sep=;\r\n" + TEXT.replace(",", ";"), DAYS, "semicolons", line="line 3"),
        Case('"sep=,"\n' + TEXT, DAYS, line="line 3"),
    ],
    "blanks around the delimiter": [
        Case("day, y\n2020-01-01, 5\n2020-01-02, 6\n", DAYS),
        Case("day        ,  y\n2020-01-01 ,  5\n2020-01-02 ,  6\n", DAYS),
        Case('day, t\n1, "a, b"\n2, "c"\n', {"day": ["1", "2"], "t": ["a, b", "c"]}),
    ],
    "quotes, doubled quotes, line breaks in quotes": [
        Case(
            'k,t\n1,"a ""b"""\n2,"c\nd"\n3,""\n', {"k": ["1", "2", "3"], "t": ['a "b"', "c\nd", ""]}
        ),
    ],
    "single quotes, backslashes before quotes, whole lines in quotes": [
        Case("'day','y'\n'2020-01-01','5'\n'2020-01-02','6'\n", DAYS),
        Case('k,t\n1,"say \\"a, b\\", c"\n2,"b"\n', {"k": ["1", "2"], "t": ['say "a, b", c', "b"]}),
        Case('"day,""y"""\n"2020-01-01,5"\n"2020-01-02,6"\n', DAYS),
    ],
    "line ends LF, CRLF, CR": [
        Case(TEXT.replace("\n", end), DAYS) for end in ("\n", "\r\n", "\r", "\r\r\n")
    ]
    + [Case(TEXT.strip(), DAYS), Case(TEXT + "\x1a", DAYS)],
    "UTF-8, with a byte order mark or without": [
        Case("day,é\n1,ä\n2,ö\n", {"day": ["1", "2"], "é": ["ä", "ö"]}),
        Case("\ufeff" + TEXT, DAYS),
        Case('\ufeff"day","y"\n"2020-01-01","5"\n"2020-01-02","6"\n', DAYS),
    ],
    "UTF-16, with a byte order mark or without; UTF-32": [
        Case(TEXT.encode("utf-16"), DAYS, "UTF-16"),
        Case(("\ufeff" + TEXT).encode("utf-16-be"), DAYS, "UTF-16"),
        Case(TEXT.encode("utf-16-le"), DAYS, "UTF-16"),
        Case(TEXT.encode("utf-16-be"), DAYS, "UTF-16"),
        Case(TEXT.encode("utf-32"), DAYS, "UTF-32"),
    ],
    "Windows-1252, Latin-1": [
        Case(
            "März;€\n1;ä\n2;ö\n".encode("cp1252"),
            {"März": ["1", "2"], "€": ["ä", "ö"]},
            "Windows-1252, semicolons",
        ),
        Case(b"m\xe4rz,y\n1,\x81\n2,5\n", {"märz": ["1", "2"], "y": ["\x81", "5"]}, "Latin-1"),
    ],
    "Windows-1251, Shift JIS, GB 18030, EUC-KR": [
        Case(
            "Дата,Город\n1,Москва\n2,Тула\n".encode("cp1251"),
            {"Дата": ["1", "2"], "Город": ["Москва", "Тула"]},
            "Windows-1251",
        ),
        Case(
            "年月日,くもり\n1,はれ\n2,あめ\n".encode("cp932"),
            {"年月日": ["1", "2"], "くもり": ["はれ", "あめ"]},
            "Shift JIS",
        ),
        Case(
            "日期,收盘价,成交量\n1,5,6\n2,6,7\n".encode("gb18030"),
            {"日期": ["1", "2"], "收盘价": ["5", "6"], "成交量": ["6", "7"]},
            "GB 18030",
        ),
        Case(
            "날짜,가격,거래량,종목명,시가총액\n1,2,3,4,5\n2,3,4,5,6\n".encode("cp949"),
            {
                "날짜": ["1", "2"],
                "가격": ["2", "3"],
                "거래량": ["3", "4"],
                "종목명": ["4", "5"],
                "시가총액": ["5", "6"],
            },
            "EUC-KR",
        ),
    ],
    "lines of preamble": [
        Case("Category: All\n\n" + TEXT, DAYS, "1 line of preamble", line="line 4"),
        Case("Sales, by day\nof the shop\n" + TEXT, DAYS, "2 lines of preamble", line="line 4"),
        Case(
            "Report,,\n,,\nday,a,b\n2020-01-01,5,6\n",
            {"day": ["2020-01-01"], "a": ["5"], "b": ["6"]},
            "1 line of preamble",
            line="line 4",
        ),
        Case(
            '\ufeff"Data Source","Indicators",\r\n\r\n"Last Updated Date","2023-05-10",\r\n\r\n'
            '"Country Name","Country Code","1960","1961","1962",\r\n'
            '"Aruba","ABW","54211","55438","56225",\r\n"Africa","AFE","","134","137",\r\n',
            {
                "Country Name": ["Aruba", "Africa"],
                "Country Code": ["ABW", "AFE"],
                "1960": ["54211", ""],
                "1961": ["55438", "134"],
                "1962": ["56225", "137"],
            },
            "2 lines of preamble",
            line="line 6",
        ),
        Case(
            "latitude,longitude,elevation\n52.52,13.41,38.0\n\n" + TEXT,
            DAYS,
            "2 lines of preamble",
            line="line 5",
        ),
        Case(
            "REGIAO:;CO\nLATITUDE:;-15,78\nFUNDACAO:;07/05/00\nData;Hora;Chuva;\n"
            "2020/01/01;0000 UTC;0;\n2020/01/01;0100 UTC;,2;\n",
            {
                "Data": ["2020/01/01", "2020/01/01"],
                "Hora": ["0000 UTC", "0100 UTC"],
                "Chuva": ["0", ",2"],
            },
            "semicolons, 3 lines of preamble",
            line="line 5",
        ),
    ],
    "comments (`#`, `%`, `//`, `!`)": [
        Case("# of the shop\n" + TEXT, DAYS, "1 line of comments", line="line 3"),
        Case("% a\n% b\n" + TEXT, DAYS, "2 lines of comments", line="line 4"),
        Case("// a\n" + TEXT, DAYS, "1 line of comments", line="line 3"),
        Case("! a, b, c\n" + TEXT, DAYS, "1 line of comments", line="line 3"),
    ],
    "names in the last comment, over two lines at most": [
        Case("# of the shop\n# day,y\n" + TEXT[6:], DAYS, "2 lines of comments", line="line 3"),
        Case("#day,y\n" + TEXT[6:], DAYS, "1 line of comments"),
        Case(
            "# ------------\n# of the station, values\n"
            "#            decimal       monthly    #days\n"
            "#             date         average          \n"
            " 1958    3   1958.2027      315.70     -1\n"
            " 1958    4   1958.2877      317.45     -1\n",
            {
                "column1": ["1958", "1958"],
                "column2": ["3", "4"],
                "decimal date": ["1958.2027", "1958.2877"],
                "monthly average": ["315.70", "317.45"],
                "#days": ["-1", "-1"],
            },
            "blanks, 4 lines of comments",
            "t.txt",
            "line 5",
        ),
    ],
    "a line of units below the names": [
        Case(
            "time;temp;rain\n;°C;mm\n2020-01-01 00:00;1,5;0,0\n2020-01-01 01:00;1,6;0,2\n",
            {
                "time": ["2020-01-01 00:00", "2020-01-01 01:00"],
                "temp": ["1,5", "1,6"],
                "rain": ["0,0", "0,2"],
            },
            "semicolons, a line of units (temp in °C, rain in mm)",
            line="line 3",
        ),
        Case(
            "day,y\nyyyy-mm-dd,[EUR/MWh]\n" + TEXT[6:],
            DAYS,
            "a line of units (day in yyyy-mm-dd, y in EUR/MWh)",
            line="line 3",
        ),
    ],
    "names over several lines": [
        Case(
            "Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2020-01-02,72.7,72.8\n2020-01-03,72.0,72.8\n",
            {
                "Date": ["2020-01-02", "2020-01-03"],
                "Close": ["72.7", "72.0"],
                "High": ["72.8", "72.8"],
            },
            "names over 3 lines",
            line="line 4",
        ),
        Case(
            "Price,Close,Close\nTicker,A,B\nDate,,\n2020-01-02,72.7,72.8\n2020-01-03,72.0,72.8\n",
            {"Date": ["2020-01-02", "2020-01-03"], "A": ["72.7", "72.0"], "B": ["72.8", "72.8"]},
            "1 line of preamble; names over 2 lines",
            line="line 4",
        ),
        Case(
            "Date,Temp,,Hum,\n,min,max,min,max\n2020-01-01,1,2,3,4\n",
            {
                "Date": ["2020-01-01"],
                "Temp min": ["1"],
                "Temp max": ["2"],
                "Hum min": ["3"],
                "Hum max": ["4"],
            },
            "names over 2 lines",
            line="line 3",
        ),
    ],
    "descriptions below the names": [
        Case(
            'Title,Index of it\nCode,D7BT\nUnit,"Index, base 100"\nRelease,16-08-2023\nNotes,\n'
            "1988,48.4\n1989,51.0\n1990,55.1\n",
            {"Title": ["1988", "1989", "1990"], "Index of it": ["48.4", "51.0", "55.1"]},
            "4 lines below the names left out",
            line="line 6",
        ),
        Case(
            "# a\nsite\tday\ty\n5s\t20d\t14n\nA\t2020-01-01\t5\nA\t2020-01-02\t6\n",
            {"site": ["A", "A"], **DAYS},
            "tabs, 1 line of comments; 1 line below the names left out",
            line="line 4",
        ),
    ],
    "names of some columns only, on a line among others": [
        Case(
            "C,WORLD,AEMO,PUBLIC,2020/01/01,00:00:00\nI,PRICE,1,SETTLEMENTDATE,REGION,RRP\n"
            "D,PRICE,1,2020/01/01 00:05,NSW1,45\nD,PRICE,1,2020/01/01 00:10,NSW1,46\n"
            "C,END OF REPORT,4\n",
            {
                "I": ["D", "D", "C"],
                "PRICE": ["PRICE", "PRICE", "END OF REPORT"],
                "1": ["1", "1", "4"],
                "SETTLEMENTDATE": ["2020/01/01 00:05", "2020/01/01 00:10", None],
                "REGION": ["NSW1", "NSW1", None],
                "RRP": ["45", "46", None],
            },
            "1 line of preamble",
            line="line 3",
        ),
        Case(
            '"";X.USD;X.FLAGS\n"";Kurs;\nEinheit;USD;\nStand;12.05.2020 15:00:00;\n'
            "2020-01-02;1,1193;\n2020-01-03;1,1147;\n2020-01-04;.;kein Wert\n",
            {
                "column1": ["2020-01-02", "2020-01-03", "2020-01-04"],
                "X.USD": ["1,1193", "1,1147", "."],
                "X.FLAGS": ["", "", "kein Wert"],
            },
            "semicolons, 3 lines below the names left out",
            line="line 5",
        ),
        Case(
            "Tabelle 5\nPreise;;;\n;;Index;Rate\n;;2020=100;in (%)\n2019;Januar;97,8;-\n"
            "2019;Februar;98,1;0,3\n__________\nDie Daten: das Amt\n",
            {
                "column1": ["2019", "2019"],
                "column2": ["Januar", "Februar"],
                "Index": ["97,8", "98,1"],
                "Rate": ["-", "0,3"],
            },
            "semicolons, 2 lines of preamble; 1 line below the names left out; 2 lines of footer",
            line="line 5",
        ),
    ],
    "no header": [
        Case(TEXT[6:], {"column1": DAYS["day"], "column2": DAYS["y"]}, "no header", line="line 1"),
        Case("112\n118\n", {"column1": ["112", "118"]}, "no header", line="line 1"),
        Case(
            "MSFT,Jan 1 2000,39.81\nMSFT,Feb 1 2000,36.35\n",
            {
                "column1": ["MSFT", "MSFT"],
                "column2": ["Jan 1 2000", "Feb 1 2000"],
                "column3": ["39.81", "36.35"],
            },
            "no header",
            line="line 1",
        ),
        Case(
            "1749;01;1749.042;  96.7\n1749;02;1749.123; 104.3\n",
            {
                "column1": ["1749", "1749"],
                "column2": ["01", "02"],
                "column3": ["1749.042", "1749.123"],
                "column4": ["96.7", "104.3"],
            },
            "semicolons, no header",
            line="line 1",
        ),
    ],
    "a column that stands twice": [
        Case(
            "Year,Jan,Feb,Year\n1880,-18,-25,1880\n1881,-20,-15,1881\n",
            {"Year": ["1880", "1881"], "Jan": ["-18", "-20"], "Feb": ["-25", "-15"]},
            "1 repeated column left out",
        ),
    ],
    "years, months or numbers as names": [
        Case(
            "Land,1998,1999\nFR,12,34\nES,22,31\n",
            {"Land": ["FR", "ES"], "1998": ["12", "22"], "1999": ["34", "31"]},
        ),
        Case("Land,2020\nFR,500\nES,300\n", {"Land": ["FR", "ES"], "2020": ["500", "300"]}),
        Case(
            "Land,2020-01,2020-02\nFR,5,6\nES,7,8\n",
            {"Land": ["FR", "ES"], "2020-01": ["5", "7"], "2020-02": ["6", "8"]},
        ),
        Case(
            "day,1,2,3,4\n2020-01-01,5,6,7,8\n",
            {"day": ["2020-01-01"], "1": ["5"], "2": ["6"], "3": ["7"], "4": ["8"]},
        ),
        Case(",0\n2020-01-01,5\n2020-01-02,6\n", {"column1": DAYS["day"], "0": DAYS["y"]}),
        Case(
            "Land,1998,1999\nFR,,\nES,2,3\nIT,2,3\n",
            {"Land": ["FR", "ES", "IT"], "1998": ["", "2", "2"], "1999": ["", "3", "3"]},
        ),
    ],
    "row numbers without a name": [
        Case('"","day","y"\n"1",2020-01-01,5\n"2",2020-01-02,6\n', DAYS, "row numbers left out"),
        Case(",day,y\n0,2020-01-01,5\n1,2020-01-02,6\n", DAYS, "row numbers left out"),
        Case(
            '"day" "y"\n"1" "2020-01-01" 5\n"2" "2020-01-02" 6\n',
            DAYS,
            "blanks, row numbers left out",
        ),
    ],
    "columns without a name": [
        Case(
            ",y,z\n2020-01-01,5,1\n2020-01-02,6,1\n",
            {"column1": DAYS["day"], "y": DAYS["y"], "z": ["1", "1"]},
        ),
    ],
    "empty columns without a name": [
        Case("day,y,\n2020-01-01,5,\n2020-01-02,6,\n", DAYS),
        Case("day,y\n2020-01-01,5,\n2020-01-02,6,\n", DAYS),
        Case("day;y;;\r\n2020-01-01;5;;\r\n2020-01-02;6;;\r\n", DAYS, "semicolons"),
        Case("day,,y\n2020-01-01,,5\n2020-01-02,,6\n", DAYS, "1 empty column left out"),
    ],
    "short rows": [
        Case(
            "day;y;\n2020-01-01;5;\n2020-01-02;\n2020-01-03;6;\n",
            {"day": [*DAYS["day"], "2020-01-03"], "y": ["5", "", "6"]},
            "semicolons",
        ),
        Case(
            "day,y,note\n2020-01-01,5\n2020-01-02,6,holiday\n", {**DAYS, "note": [None, "holiday"]}
        ),
        Case(
            "day,y,note\n2020-01-01,5,holiday\n2020-01-02,6\n2020-01-03,7\n2020-01-04,8\n",
            {
                "day": [*DAYS["day"], "2020-01-03", "2020-01-04"],
                "y": ["5", "6", "7", "8"],
                "note": ["holiday", None, None, None],
            },
        ),
    ],
    '`="001"` in every cell of a column': [
        Case('day,y\n="001","=""5"""\n="1","=""6"""\n', {"day": ["001", "1"], "y": ["5", "6"]}),
    ],
    "blank lines": [
        Case("\n\nday,y\n2020-01-01,5\n\n2020-01-02,6\n\n", DAYS, line="line 4"),
        Case("day,y\n2020-01-01,5\n2020-01-02,6\n,\n,\n", DAYS),
    ],
    "blank lines in a file of one column": [
        Case("v\n1\n\n3\n\n", {"v": ["1", "", "3"]}),
        Case("Wert\n1,5\n\n3,7\n", {"Wert": ["1,5", "", "3,7"]}),
        Case(
            "# a\nv\n1\n\n# b\n3\n",
            {"v": ["1", "", "3"]},
            "1 line of comments; 1 line of comments further down",
            line="line 3",
        ),
    ],
    "the header once more further down": [
        Case("day,y\n2020-01-01,5\nday,y\n2020-01-02,6\n", DAYS, "1 repeated header left out"),
    ],
    "footers: sources, totals, remarks": [
        Case(TEXT + "Total,11\n\nSource: the shop, 2020\n", DAYS, "2 lines of footer"),
        Case(
            "Land,2000 [YR2000],2001 [YR2001]\nFR,1,2\nES,..,3\n,,\n,,\nData from: World,,\n"
            "Last Updated: 07/20/2023,,\n",
            {"Land": ["FR", "ES"], "2000 [YR2000]": ["1", ".."], "2001 [YR2001]": ["2", "3"]},
            "2 lines of footer",
        ),
    ],
    "Eurostat's TSV": [
        Case(
            "freq,geo\\TIME_PERIOD\t2020 \t2021 \nA,AT\t1.0 \t2.0 p\nA,BE\t1.5 \t: c\n",
            {"freq": ["A", "A"], "geo": ["AT", "BE"], "2020": ["1.0", "1.5"], "2021": ["2.0", ":"]},
            "tabs, keys taken apart, flags left out",
            "t.tsv",
        )
    ],
    "Weka's ARFF": [
        Case(
            "@relation x\n\n@attribute day string\n@attribute 'y' numeric\n\n@data\n" + TEXT[6:],
            DAYS,
            "ARFF",
            "t.arff",
            "line 7",
        )
    ],
    "tables of psql, MySQL and Markdown": [
        Case(
            " day        | y \n------------+---\n 2020-01-01 | 5\n 2020-01-02 | 6\n(2 rows)\n",
            DAYS,
            "pipes, 1 line of footer",
            line="line 3",
        ),
        Case(
            "+------------+---+\n| day        | y |\n+------------+---+\n| 2020-01-01 | 5 |\n"
            "| 2020-01-02 | 6 |\n+------------+---+\n",
            DAYS,
            "pipes, 1 line of footer; 2 empty columns left out",
            line="line 4",
        ),
        Case(
            "| day | y |\n|---|---|\n| 2020-01-01 | 5 |\n| 2020-01-02 | 6 |\n",
            DAYS,
            "pipes, 2 empty columns left out",
            line="line 3",
        ),
    ],
    "`.gz`, `.xz`, `.bz2`, `.zst`": [
        Case(_packed(gzip.compress, ".gz"), DAYS, "gz"),
        Case(_packed(lzma.compress, ".xz"), DAYS, "xz"),
        Case(_packed(bz2.compress, ".bz2"), DAYS, "bz2"),
        Case(_zst, DAYS, "zst"),
        Case(
            _packed(lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:]), ".gz"),
            DAYS,
            "gz",
        ),
        Case(_packed(lambda data: gzip.compress(lzma.compress(data)), ".xz.gz"), DAYS, "gz; xz"),
    ],
    "`.zip` of one table": [
        Case(
            lambda folder: _zip(folder, {"in/t.csv": TEXT, "__MACOSX/._t.csv": "x"}),
            DAYS,
            "in/t.csv of a zip archive",
        ),
        Case(
            lambda folder: _zip(folder, {"t.csv": TEXT, "README.md": "x"}),
            DAYS,
            "t.csv of a zip archive of 2 files",
        ),
        Case(
            lambda folder: _zip(folder, {"t.csv.gz": gzip.compress(TEXT.encode())}),
            DAYS,
            "t.csv.gz of a zip archive; gz",
        ),
    ],
    "one of several in a `.zip`: `archive.zip/member.csv`": [
        Case(lambda folder: _zip(folder, {"a.csv": "x", "in/b.csv": TEXT}) / "in" / "b.csv", DAYS),
    ],
    "`.xlsx`, `.xlsm`": [
        Case(
            lambda folder: _workbook(
                folder, {"S": [["day", "y", "shop"], [DATES[0], 5, "001"], [DATES[1], 6.5, None]]}
            ),
            {"day": STAMPS, "y": [5.0, 6.5], "shop": ["001", None]},
            line="row 2",
        ),
        Case(
            lambda folder: _workbook(
                folder,
                {
                    "Notes": [["of the shop"]],
                    "Data": [
                        ["Sales of the shop"],
                        [],
                        [None, "day", "y"],
                        [None, DATES[0], 5],
                        [None, DATES[1], 6],
                        [None, "Total", 11],
                    ],
                    "More": [["a", "b"], [1, 2]],
                },
            ),
            {"day": STAMPS, "y": [5, 6]},
            "sheet 'Data', 1 line of preamble; 1 line of footer; 1 empty column left out",
            line="row 4",
        ),
        Case(
            lambda folder: _workbook(
                folder,
                {
                    "Index": [["Series", "Sheet"], ["Sales of A", "Data"], ["Sales of B", "Data"]],
                    "Data": [
                        ["Shop", datetime.datetime(2020, 1, 1), datetime.datetime(2020, 2, 1)],
                        ["A", 5, 6],
                        ["B", 7, "#N/A"],
                    ],
                },
                "t.xlsm",
            ),
            {"Shop": ["A", "B"], "2020-01-01": [5, 7], "2020-02-01": [6.0, None]},
            "sheet 'Data'",
            line="row 2",
        ),
    ],
    "JSON: records": [
        Case(
            '[{"day": "2020-01-01", "y": "5"}, {"day": "2020-01-02", "y": "6"}]',
            DAYS,
            "JSON, records",
            "t.json",
            "record 1",
        ),
        Case(
            '[{"day": "1", "m": {"t": 1.5}}, {"day": "2", "m": {"t": null}}]',
            {"day": ["1", "2"], "m.t": [1.5, None]},
            "JSON, records",
            "noending",
            "record 1",
        ),
        Case(
            '[["day", "y"], ["1", 5], ["2", 6]]',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, records",
            "t.json",
            "record 1",
        ),
    ],
    "JSON: records within an object": [
        Case(
            '{"n": 2, "data": [{"day": "1", "y": 5}, {"day": "2", "y": 6}]}',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, records in 'data'",
            "t.json",
            "record 1",
        ),
        Case(
            '[{"page": 1}, [{"day": "1", "y": 5}, {"day": "2", "y": 6}]]',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, records in '1'",
            "t.json",
            "record 1",
        ),
    ],
    "JSON: columns, as pandas writes them or as lists": [
        Case(
            '{"day": ["1", "2"], "y": [5, 6]}',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, columns",
            "t.json",
            "record 1",
        ),
        Case(
            '{"day": {"0": "1", "1": "2"}, "y": {"0": 5, "1": 6}}',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, columns",
            "t.json",
            "record 1",
        ),
        Case(
            '{"y": {"2020-01-01": 5, "2020-01-02": 6}}',
            {"index": DAYS["day"], "y": [5, 6]},
            "JSON, columns",
            "t.json",
            "record 1",
        ),
        Case(
            '{"columns": ["day", "y"], "index": [0, 1], "data": [["1", 5], ["2", 6]]}',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, columns and data",
            "t.json",
            "record 1",
        ),
    ],
    "JSON: values or records by label": [
        Case(
            '{"2020-01-01": {"y": 5}, "2020-01-02": {"y": 6}}',
            {"index": DAYS["day"], "y": [5, 6]},
            "JSON, records by label",
            "t.json",
            "record 1",
        ),
        Case(
            '{"2020-01-01": 5, "2020-01-02": 6, "2020-01-03": 7}',
            {"index": [*DAYS["day"], "2020-01-03"], "value": [5, 6, 7]},
            "JSON, values by label",
            "t.json",
            "record 1",
        ),
    ],
    "JSON lines": [
        Case(
            '{"day": "1", "y": 5}\n\n{"day": "2", "y": 6}\n',
            {"day": ["1", "2"], "y": [5, 6]},
            "JSON, a record a line",
            "t.jsonl",
            "line 1",
        ),
    ],
    "Parquet": [
        Case(
            _written(lambda frame, path: frame.to_parquet(path)),
            {"day": STAMPS, "y": [5, 6]},
            line="row 1",
        )
    ],
    "Feather, Arrow": [
        Case(
            _written(lambda frame, path: frame.to_feather(path)),
            {"day": STAMPS, "y": [5, 6]},
            line="row 1",
        ),
        Case(_written(_stream), {"day": STAMPS, "y": [5, 6]}, line="row 1"),
    ],
    "a folder of Parquet files, also `store=001/part.parquet`": [
        Case(
            _hive, {"y": [5, 6], "store": ["001", "1"]}, "a folder of Parquet files", line="row 1"
        ),
    ],
}
