"""The IBAN (ISO 13616): country, key, account; the whole is 1 modulo 97 (ISO 7064)."""

import re

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24,
    "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21,
    "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an IBAN by country (SWIFT, IBAN registry)."""

_BEGINS = re.compile(r"[A-Z]{2}[\s.\-_]{0,2}\d[\s.\-_]{0,2}\d")
_SEPARATORS = r"\s.\-_"


def holds_iban(text: str) -> bool:
    """True when an upper-case text holds a whole IBAN with its right key, separated as one likes."""
    return any(_begins_with_iban(text[found.start() :]) for found in _BEGINS.finditer(text))


def _begins_with_iban(text: str) -> bool:
    wanted = LENGTHS.get(text[:2], 0)
    word = re.match(rf"(?:[{_SEPARATORS}]{{0,2}}[A-Z0-9]){{{wanted}}}(?![A-Z0-9])", text)
    return word is not None and wanted > 0 and _right_key(re.sub(rf"[{_SEPARATORS}]", "", word[0]))


def _right_key(iban: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
