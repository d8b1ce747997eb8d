"""What the name of a column says about time, in the languages that tables are written in."""

import re
from collections.abc import Iterable

from statewise.sequences.reading.month_names import plain_word

# Plain words: without accents, so that año and ano are one.
PARTS: dict[str, frozenset[str]] = {
    "year": frozenset(
        "year yr years yyyy yy ano anio jahr annee an anno jaar rok god год рік ar aar vuosi yil "
        "ev etos ετος an any godina leto metai gads aasta 年 연도 년".split()
    ),
    "half": frozenset("half halfyear semester semestre halbjahr".split()),
    "quarter": frozenset(
        "quarter quarters qtr q trimestre trimester trim quartal kwartaal kwartal kvartal квартал "
        "ceyrek kvartaal neljannes".split()
    ),
    "month": frozenset(
        "month months mon mnth mm mes meses mois monat mese maand miesiac месяц місяць manad "
        "maaned kuukausi ay honap mesic mesiac luna mjesec menuo kuu 月 월".split()
    ),
    "week": frozenset(
        "week weeks wk isoweek weekno semana woche semaine settimana tydzien неделя тиждень kw uke "
        "vecka uge viikko hafta tyden saptamana 週 周 주".split()
    ),
    "day": frozenset(
        "day days dd dia dias tag jour giorno dag dzien день paiva gun nap den ziua dom mday "
        "日 일".split()
    ),
    "hour": frozenset(
        "hour hours hr hrs hh hora horas stunde heure ora uur godzina час time timme tunti saat "
        "hodina 時 时 시".split()
    ),
    "minute": frozenset("minute minutes min mins mi minuto minuten minuut минута хвилина".split()),
    "second": frozenset("second seconds sec secs ss segundo sekunde seconde секунда".split()),
}
_TIMES = frozenset(
    "date dates datetime time times timestamp timestamps ds ts period periods epoch unix unixtime "
    "data fecha fechas datum dato dag pvm paivamaara tarih dia giorno jour data czas zeit "
    "zeitpunkt zeitstempel uhrzeit heure hora horario tiempo tempo tijd tijdstip tid tidspunkt "
    "tidpunkt ora дата время час момент период период imerominia ημερομηνια periodo periode "
    "日期 日付 日時 时间 時間 날짜 일자 年月 年月日 calendar monthyear yearmonth when".split()
)
_DATES = frozenset(
    "date dates datetime ds data fecha fechas datum dato pvm paivamaara tarih дата ημερομηνια "
    "日期 日付 날짜 일자 day dia tag jour".split()
)
_ENGLISH = frozenset(
    "date dates datetime time times timestamp timestamps ds ts period periods epoch unix unixtime "
    "calendar monthyear yearmonth year yr years yyyy half quarter quarters qtr q month months mon "
    "mm week weeks wk isoweek day days dd hour hours hr hrs hh minute minutes second "
    "seconds".split()
)
_VAGUE = frozenset(  # words that mean something else in another language, or are too short
    "data tag an ev ay ar min mins mi mm dd ss s sec secs second seconds hh kw q den god dag ora "
    "trim half when dia tid".split()
)
_IDENTIFIERS = frozenset(
    "id ids key code no nr num number sku zip plz cep phone tel telefon isbn ean index".split()
)
_FIRST_OF_SEVERAL = frozenset(
    "start begin beginning from von inicio debut since open opened startdate starttime".split()
)
_OTHER_TIMES = frozenset(
    "end ending to until till bis fin fim updated update modified changed edited closed close "
    "birth birthday born due delivery deliver delivered shipped expiry expires expiration load "
    "loaded downloaded retrieved ingested inserted published release enddate endtime "
    "joined signup registration hire hired".split()
)


def words_of(name: object) -> list[str]:
    """Return the plain words of a column's name.

    >>> words_of("StartDate"), words_of("Année"), words_of("created_at (UTC)")
    (['start', 'date'], ['annee'], ['created', 'at', 'utc'])
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name))
    return [plain_word(word) for word in re.findall(r"[^\W\d_]+", apart)]


def part_of(name: object) -> str | None:
    """Return which part of a time a column is named after: "year", "month", ..., or None.

    >>> part_of("Año"), part_of("mes"), part_of("pm2.5"), part_of("year built")
    ('year', 'month', None, None)
    """
    words = words_of(name)
    if len(words) != 1:
        return None
    return next((part for part, known in PARTS.items() if words[0] in known), None)


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Return the first column named after each part of a time; a second mm holds minutes.

    >>> parts_of(["YYYY", "MM", "DD", "hh", "mm", "y"])
    {'year': 'YYYY', 'month': 'MM', 'day': 'DD', 'hour': 'hh', 'minute': 'mm'}
    """
    parts: dict[str, str] = {}
    for name in names:
        part = part_of(name)
        if part == "month" and part in parts and words_of(name) == ["mm"]:
            part = "minute"
        if part is not None:
            parts.setdefault(part, name)
    return parts


def says_time(name: object) -> bool:
    """Tell whether a column's name has a word for time in it: date, Fecha, week, event_time.

    >>> says_time("Date"), says_time("data"), says_time("min_price"), says_time("order id")
    (True, True, False, False)
    """
    words = words_of(name)
    return any(_is_time(word) and (word not in _VAGUE or len(words) == 1) for word in words)


def plainly_says_time(name: object) -> bool:
    """Tell whether a word for time is in a column's name that has no other meaning."""
    return any(_is_time(word) and word not in _VAGUE for word in words_of(name))


def says_identifier(name: object) -> bool:
    """Tell whether a column's name says that it holds keys and codes."""
    return any(word in _IDENTIFIERS for word in words_of(name))


def _is_time(word: str) -> bool:
    return word in _TIMES or any(word in known for known in PARTS.values())


def says_date(name: object) -> bool:
    """Tell whether a column's name has a word for a date in it."""
    return any(word in _DATES for word in words_of(name))


def is_english(name: object) -> bool | None:
    """Tell whether a column's word for time is English; None where it has none."""
    words = [word for word in words_of(name) if _is_time(word)]
    return None if not words else any(word in _ENGLISH for word in words)


def rank_of(name: object) -> int:
    """Rank a column of times by its name: 0 where it says nothing but time, 3 for an end."""
    words = words_of(name)
    if any(word in _OTHER_TIMES for word in words):
        return 3
    if words and all(_is_time(word) for word in words):
        return 0
    if any(word in _FIRST_OF_SEVERAL or says_time(word) for word in words):
        return 1
    return 2
