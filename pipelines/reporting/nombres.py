"""How the reports write numbers, dates and months in French: the only place where it is decided.

Thousands, ``%`` and ``€`` take a narrow no-break space (U+202F), as the *Lexique* of the Imprimerie
nationale asks; the decimal mark is a comma.
"""

import re
from datetime import date

NARROW = "\u202f"
NO_BREAK = "\u00a0"
MINUS = "\u2212"

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)

_OUTSIDE_TEXT = re.compile(r"(<style.*?</style>|<title>.*?</title>|<svg.*?</svg>|<[^>]+>)", re.DOTALL)


def number(value: float, decimals: int = 0) -> str:
    """``1 234,5``: narrow spaces between thousands, comma, a true minus sign."""
    written = f"{abs(value):,.{decimals}f}".replace(",", NARROW).replace(".", ",")
    is_negative = value < 0 and any(digit in written for digit in "123456789")
    return f"{MINUS}{written}" if is_negative else written


def euros(value: float, decimals: int = 0) -> str:
    """``1 234,5 €``."""
    return f"{number(value, decimals)}{NARROW}€"


def percent(points: float, decimals: int = 0) -> str:
    """``31 %`` from 31 (points out of 100, not a share)."""
    return f"{number(points, decimals)}{NARROW}%"


def signed(value: float) -> str:
    """``+3``, ``−2`` or ``0``."""
    return f"+{number(value)}" if value > 0 else number(value)


def between(low: int, high: int) -> str:
    """An interval of a rate in words: ``entre 27 et 35``, or ``environ 31`` when both ends round alike."""
    return f"environ {low}" if low == high else f"entre {low} et {high}"


def day(value: date) -> str:
    """``1er juillet 2026``, ``30 juillet 2026``."""
    return f"{'1er' if value.day == 1 else value.day}{NO_BREAK}{_MONTHS[value.month - 1]} {value.year}"


def month(mois: str) -> str:
    """``juin 2026`` from ``2026-06``."""
    return f"{_MONTHS[int(mois[5:7]) - 1]}{NO_BREAK}{mois[:4]}"


def months(first: str, last: str) -> str:
    """``avril à juin 2026``; both years when they differ."""
    if first[:4] == last[:4]:
        return f"{_MONTHS[int(first[5:7]) - 1]} à {month(last)}"
    return f"{month(first)} à {month(last)}"


def quarter(code: str) -> str:
    """``2e trimestre 2026`` from ``2026-T2``; ``mars à mai 2026`` from ``2026-03_2026-05``."""
    if "_" in code:
        return months(*code.split("_"))
    rank = code[-1]
    return f"{rank}{'er' if rank == '1' else 'e'}{NO_BREAK}trimestre {code[:4]}"


def enumeration(words: list[str]) -> str:
    """``a, b et c``."""
    return " et ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def spaced(html: str) -> str:
    """French typography in the text of a page, its tags and drawings left alone.

    Spaces before ``; ! ? : »`` and after ``«``, curved apostrophes, raised ``er`` and ``e`` of ordinals.
    """
    parts = _OUTSIDE_TEXT.split(html)
    return "".join(part if index % 2 else _spaced_text(part) for index, part in enumerate(parts))


def _raised(ordinal: re.Match[str]) -> str:
    digits = ordinal.group().rstrip("er")
    return f"{digits}<sup>{ordinal.group()[len(digits) :]}</sup>"


def _spaced_text(text: str) -> str:
    text = text.replace("'", "\u2019").replace("&#39;", "\u2019")
    text = re.sub(r"\b(1er|\d+e)\b", _raised, text)
    text = re.sub(r"[ \n]+([;!?%€])", rf"{NARROW}\1", text)
    text = re.sub(r"[ \n]+([:»])", rf"{NO_BREAK}\1", text)
    text = re.sub(r"«[ \n]+", f"«{NO_BREAK}", text)
    return re.sub(r"(?<=\d) (?=\d{3}\b)", NARROW, text)
