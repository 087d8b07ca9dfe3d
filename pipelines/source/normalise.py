"""French names, birth dates and addresses written one way, whatever system they were typed in."""

from dataclasses import dataclass

import polars as pl

_LIGATURES = {"Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ø": "O", "Đ": "D", "Ł": "L", "Þ": "TH", "Ð": "D"}

_PARTICLES = (
    "DE", "DU", "DES", "D", "LE", "LA", "LES", "L", "DELLA", "DI", "DA", "DAL", "DOS", "DAS", "DO",
    "EL", "AL", "BEN", "BENT", "BOU", "ABD", "AIT", "VAN", "VON", "DER", "DEN", "MAC", "MC", "O",
    "SAINT", "SAINTE",
)  # fmt: skip

_ALTERNATE_WORDS = ("DIT", "DITE", "ALIAS", "NEE", "EPOUSE", "EP", "VEUVE", "VVE")

_MEANINGLESS = (
    "X", "XX", "XXX", "NC", "ND", "NR", "SP", "NEANT", "INCONNU", "INCONNUE", "SANS", "SANS NOM",
    "SANS PRENOM", "NON RENSEIGNE", "NON CONNU", "NON COMMUNIQUE", "ANONYME", "NOM", "PRENOM",
)  # fmt: skip

_ROAD_WORDS = {
    "AV": "AVENUE", "AVE": "AVENUE", "BD": "BOULEVARD", "BLD": "BOULEVARD", "BVD": "BOULEVARD",
    "BOUL": "BOULEVARD", "R": "RUE", "PL": "PLACE", "CH": "CHEMIN", "CHE": "CHEMIN", "CHEM": "CHEMIN",
    "RTE": "ROUTE", "IMP": "IMPASSE", "ALL": "ALLEE", "ALLEES": "ALLEE", "RES": "RESIDENCE",
    "LOT": "LOTISSEMENT", "APPT": "APPARTEMENT", "APT": "APPARTEMENT", "APP": "APPARTEMENT",
    "BAT": "BATIMENT", "ESC": "ESCALIER", "ETG": "ETAGE", "QU": "QUARTIER", "QUART": "QUARTIER",
    "SQ": "SQUARE", "FG": "FAUBOURG", "FBG": "FAUBOURG", "ST": "SAINT", "STE": "SAINTE",
}  # fmt: skip

_ROAD_FILLERS = ("DE", "DU", "DES", "D", "LA", "LE", "LES", "L", "LIEU", "DIT", "LIEUDIT", "AU", "AUX", "A")

_WORDS_REPLACED = {
    **{f" {short} ": f" {long} " for short, long in _ROAD_WORDS.items()},
    **{f" {filler} ": " " for filler in _ROAD_FILLERS},
}
"""Whole words, each between its own spaces."""

_SHARED_ADDRESSES = (
    "BOURG",
    "VILLAGE",
    "MAIRIE",
    "CCAS",
    "HAMEAU",
    "CENTRE BOURG",
    "SANS DOMICILE FIXE",
    "SDF",
)

_OLDEST_YEARS = 120
"""No living person is older: an earlier birth year is a typing mistake, hence missing."""


def letters(text: pl.Expr) -> pl.Expr:
    """Upper-case words of A–Z separated by one space; null when nothing is left.

    Marks are stripped, œ æ ß expand, apostrophes, hyphens and everything else become a space, ST and STE
    become SAINT and SAINTE. Idempotent, and blind to accents and case.
    """
    words = _ascii(text).str.replace_all(r"[^A-Z]+", " ").str.strip_chars()
    for short, long in (("STE", "SAINTE"), ("ST", "SAINT")):
        words = words.str.replace_all(rf"\b{short}\b", long)
    return _empty_is_missing(words)


def compact(words: pl.Expr) -> pl.Expr:
    """The words without spaces: LE GOFF and LEGOFF are one name."""
    return words.str.replace_all(" ", "", literal=True)


def joined_particles(words: pl.Expr) -> pl.Expr:
    """The words with every particle glued to what follows: DE LA TOUR MARTIN gives DELATOUR MARTIN."""
    return words.str.replace_all(rf"\b({'|'.join(_PARTICLES)}) +", "${1}")


@dataclass(frozen=True)
class Names:
    """Expressions of the normalised names of a row, each null when missing."""

    naissance: pl.Expr
    usage: pl.Expr
    prenoms: pl.Expr
    premier_prenom: pl.Expr


def names(nom_naissance: str, nom_usage: str, prenoms: str) -> Names:
    """Normalised names from three typed columns, as spaced words.

    « X dit Y », « X née Y », « X épouse Y » give X, and Y where the other name is missing.
    The first given name is the first word: systems disagree on hyphens, so JEAN-PIERRE is JEAN.
    """
    birth, used = pl.col(nom_naissance), pl.col(nom_usage)
    given = _meaningful(letters(pl.col(prenoms)))
    return Names(
        naissance=pl.coalesce(_main(birth), _alternate(used)),
        usage=pl.coalesce(_main(used), _alternate(birth)),
        prenoms=given,
        premier_prenom=given.str.extract(r"^([A-Z]+)"),
    )


@dataclass(frozen=True)
class Birth:
    """Expressions of a birth date: ``date`` (ISO text, whole dates only), ``annee``, ``mois`` (integers)."""

    date: pl.Expr
    annee: pl.Expr
    mois: pl.Expr


def birth(date_naissance: str, mois: str) -> Birth:
    """Birth date of a text column, as known at month ``mois``.

    A day or month 00 or 99 leaves the year alone; an impossible date, a year more than 120 years before
    ``mois`` or a date after it is missing.
    """
    text = pl.col(date_naissance).cast(pl.String).str.strip_chars()
    year = text.str.extract(r"^(\d{4})-\d{2}-\d{2}").cast(pl.Int32)
    last = int(mois[:4])
    likely_year = pl.when(year.is_between(last - _OLDEST_YEARS, last)).then(year)
    month = text.str.extract(r"^\d{4}-(0[1-9]|1[0-2])-\d{2}").cast(pl.Int8)
    known = (likely_year.is_not_null()) & (text.str.slice(0, 7) <= mois)
    whole = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return Birth(
        date=pl.when(known).then(whole).dt.to_string("%Y-%m-%d"),
        annee=likely_year,
        mois=pl.when(known).then(month),
    )


def dwelling(adresse: str, commune_insee: str) -> pl.Expr:
    """An address written one way, with its commune; null when it cannot single out a dwelling.

    Road words are expanded, articles dropped, a trailing postal code and town removed. A bare « le bourg »,
    a mairie or a CCAS (domiciliation) is shared by many households: missing.
    """
    words = _ascii(pl.col(adresse)).str.replace_all(r"[^A-Z0-9]+", " ").str.strip_chars()
    street = words.str.replace(r"(^| )\d{5}( .*)?$", "")
    apart = pl.concat_str(pl.lit(" "), street.str.replace_all(" ", "  ", literal=True), pl.lit(" "))
    street = apart.str.replace_many(_WORDS_REPLACED)
    street = _empty_is_missing(street.str.replace_all(r" +", " ").str.strip_chars())
    own = pl.when(~street.is_in(_SHARED_ADDRESSES) & ~street.str.contains(r"\b(CCAS|MAIRIE)\b")).then(street)
    return pl.concat_str([own, pl.col(commune_insee)], separator="|")


def _ascii(text: pl.Expr) -> pl.Expr:
    upper = text.cast(pl.String).str.normalize("NFKD").str.to_uppercase()
    expanded = upper.str.replace_many(list(_LIGATURES), list(_LIGATURES.values()))
    return expanded.str.normalize("NFKD").str.replace_all(r"\p{M}+", "")


def _empty_is_missing(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _meaningful(words: pl.Expr) -> pl.Expr:
    return pl.when(~words.is_in(_MEANINGLESS)).then(words)


def _main(name: pl.Expr) -> pl.Expr:
    return _meaningful(letters(name).str.replace(rf"(.) (?:{'|'.join(_ALTERNATE_WORDS)}) .+$", "${1}"))


def _alternate(name: pl.Expr) -> pl.Expr:
    return _meaningful(letters(name).str.extract(rf"[A-Z] (?:{'|'.join(_ALTERNATE_WORDS)}) (.+)$"))
