"""The public files at hand: rows, names and cells, where the folder with them is there."""

from pathlib import Path

import pytest

from statewise.sequences.reading.files import column_names, load_file

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "tables"
POWER = (
    "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;"
    "Sub_metering_2;Sub_metering_3"
)
AIR = (
    "Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);C6H6(GT);PT08.S2(NMHC);NOx(GT);PT08.S3(NOx);NO2(GT);"
    "PT08.S4(NO2);PT08.S5(O3);T;RH;AH"
)
BRENT = "Preço - petróleo bruto - Brent (FOB) - US$ - Energy Information Administration (EIA)"
TABLES = {
    "BTCUSDT-1d.csv": (296, "timestamp;open;high;low;close;volume", ""),
    "Cacau.csv": (216, "Data;Prod", "Windows-1252"),
    "UNRATE.csv": (180, "DATE;UNRATE", ""),
    "air-quality.csv": (1499, AIR, "semicolons"),
    "bitcoin-investing.csv": (599, "Date;Price;Open;High;Low;Vol.;Change %", ""),
    "co2_mm_mlo.txt": (
        763,
        "column1;column2;decimal date;monthly average;de-season alized;#days;st.dev of days;"
        "unc. of mon mean",
        "blanks, 53 lines of comments",
    ),
    "coin_Bitcoin.xlsx": (2991, "SNo;Name;Symbol;Date;High;Low;Open;Close;Volume;Marketcap", ""),
    "daily-min-temperatures.csv": (3650, "Date;Temp", ""),
    "daily-total-female-births.csv": (365, "Date;Births", ""),
    "example_retail_sales.csv": (293, "ds;y", ""),
    "exportacoes_BR.csv": (429, "ano;mes;Exp", ""),
    "gasnatural.csv": (296, "Data;Producao", ""),
    "household_power.txt": (2880, POWER, "semicolons"),
    "ipeadata.csv": (3999, f"Data;{BRENT} - EIA366_PBRENT366", "semicolons"),
    "monthly-car-sales.csv": (108, "Month;Sales", ""),
    "multiTimeline.csv": (52, "Тиждень;что такое пандемия: (Україна)", "1 line of preamble"),
    "pollution.csv": (1499, "No;year;month;day;hour;pm2.5;DEWP;TEMP;PRES;cbwd;Iws;Is;Ir", ""),
    "shampoo.csv": (36, "Month;Sales", ""),
    "smard-prices.csv": (
        7299,
        "Start date;End date;Germany/Luxembourg [€/MWh] Calculated resolutions",
        "semicolons",
    ),
    "stocks.csv": (560, "symbol;date;price", ""),
    "tesla-stock-price.csv": (757, "date;close;volume;open;high;low", ""),
    "tourism-quarters.csv": (399, "Quarter;Region;State;Purpose;Trips", ""),
    "usdeur.csv": (2842, "timestamp;value", ""),
}
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the tables aren't at {FOLDER}")


@pytest.mark.parametrize("name", TABLES)
def test_a_public_table(name):
    rows, names, said = TABLES[name]
    table = load_file(FOLDER / name)
    assert len(table.frame) == len(table.places) == rows
    assert list(table.frame.columns) == names.split(";")
    assert table.understood.line() == said
    assert column_names(FOLDER / name) == names.split(";")
    if name.endswith((".csv", ".txt")):
        assert all(isinstance(cell, str) or cell != cell for cell in table.frame.to_numpy().flat)


def test_every_public_table_is_listed():
    assert {path.name for path in FOLDER.iterdir() if path.suffix != ".md"} == TABLES.keys()


def test_the_last_rows():
    last = load_file(FOLDER / "household_power.txt").frame.iloc[-1]
    assert last.tolist()[:3] == ["2/2/2007", "23:59:00", "3.680"]
    last = load_file(FOLDER / "co2_mm_mlo.txt").frame.iloc[-1]
    assert last.tolist()[:4] == ["2021", "9", "2021.7083", "413.30"]
    assert load_file(FOLDER / "co2_mm_mlo.txt").places[0] == "line 54"
    births = load_file(FOLDER / "daily-total-female-births.csv").frame.iloc[-1]
    assert births.tolist() == ["1959-12-31", "50"]
