"""Signs and codes of currencies."""

import re

_SIGNS = (
    "$ € £ ¥ ₹ ₽ ₺ ₩ ₪ ₫ ฿ ₴ ₦ ₱ ₡ ₲ ₵ ₸ ₼ ₾ ¢ 元 円 R$ US$ A$ AU$ C$ CA$ NZ$ HK$ S$ NT$ MX$ "
    "S/ S/. Rp Rp. ₨ FCFA 원 kr kr. zł Kč lei лв руб руб. ₽. грн Rs Rs. Fr. SFr. TL RM"
).split()
_CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DEM DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY "
    "KRW KZT MXN MYR NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD VND "
    "ZAR BTC ETH USDT"
).split()
_SIGN_OF = {"EUR": "€", "GBP": "£", "INR": "₹", "Rs": "₹", "BRL": "R$", "PLN": "zł", "USD": "US$"}
# By their text without case; a full stop after one says nothing.
CURRENCIES = {
    name.casefold(): _SIGN_OF.get(name.rstrip("."), name.rstrip(".")) for name in (*_SIGNS, *_CODES)
}
_AT_THE_END = re.compile(
    "(.*?) ?(" + "|".join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True)) + ")",
    re.IGNORECASE,
)


def split_currency(word: str) -> tuple[str, str]:
    """Return what stands behind a number in two: a word, and a currency, "" where there is none.

    >>> split_currency("M€"), split_currency("USD"), split_currency("Mio. EUR")
    (('M', '€'), ('', 'US$'), ('Mio.', '€'))
    >>> split_currency("€/MWh"), split_currency("km")
    (('€/MWh', ''), ('km', ''))
    """
    found = _AT_THE_END.fullmatch(word)
    if found is None:
        return word, ""
    rest = found[1].strip()
    glued = rest[-1:].isalpha() and found[2][0].isalpha()
    if glued and len(rest) > 1:  # "okr" is no okay of crowns, MEUR is millions of euros
        return word, ""
    return rest, CURRENCIES[found[2].casefold()]
