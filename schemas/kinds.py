"""Kinds of columns: how a cell written by a partner becomes a typed value, and what may be in it."""

from collections.abc import Callable
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from polars.datatypes import DataTypeClass

MONTH = r"^(19|20)\d{2}-(0[1-9]|1[0-2])$"
COMMUNE = r"^(\d{5}|2[AB]\d{3})$"
TOKEN = r"^[0-9a-f]{32}$"
FLAG_UNKNOWN = ("NA", "N/A")

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}

Conversion = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class Kind:
    """One kind of column.

    ``convert`` takes a trimmed, non-empty string and gives the typed value, null when it is not one.
    ``pattern`` is the regular expression of the written form, for the Table Schema.
    """

    name: str
    dtype: DataTypeClass
    frictionless: str
    convert: Conversion
    pattern: str | None = None

    def checks(self) -> list[pa.Check]:
        """Pandera checks that hold for every column of this kind."""
        if self.pattern is not None:
            return [pa.Check.str_matches(self.pattern)]
        if self is MONTANT:
            return [pa.Check.ge(0)]
        return [pa.Check.isin([0, 1])] if self is DRAPEAU else []


def _matching(pattern: str) -> Conversion:
    return lambda text: pl.when(text.str.contains(pattern)).then(text)


def _number(text: pl.Expr) -> pl.Expr:
    plain = text.str.replace_all(r"[\s\u{a0}\u{202f}]", "").str.replace(",", ".", literal=True)
    value = plain.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _whole_number(text: pl.Expr, dtype: DataTypeClass) -> pl.Expr:
    return text.str.replace(r"\.0$", "").cast(dtype, strict=False)


def _flag(text: pl.Expr) -> pl.Expr:
    value = text.replace({"true": "1", "false": "0"}).str.replace(r"\.0$", "").cast(pl.Int8, strict=False)
    return pl.when(value.is_in([0, 1])).then(value)


def _code(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^(\d+)\.0$", "$1")


def _commune(text: pl.Expr) -> pl.Expr:
    padded = pl.when(text.str.contains(r"^\d{4}$")).then(text.str.zfill(5)).otherwise(text)
    return pl.when(padded.str.contains(COMMUNE)).then(padded)


TEXTE = Kind("texte", pl.String, "string", lambda text: text)
IDENTIFIANT = Kind("identifiant", pl.String, "string", lambda text: text)
JETON = Kind("jeton", pl.String, "string", _matching(TOKEN), TOKEN)
CODE = Kind("code", pl.String, "string", _code)
COMMUNE_INSEE = Kind("commune", pl.String, "string", _commune, COMMUNE)
MOIS = Kind("mois", pl.String, "yearmonth", _matching(MONTH), MONTH)
DATE = Kind("date", pl.Date, "date", lambda text: text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False))
MONTANT = Kind("montant", pl.Float64, "number", _number)
REEL = Kind("réel", pl.Float64, "number", _number)
DRAPEAU = Kind("drapeau 0/1", pl.Int8, "integer", _flag)
ENTIER = Kind("entier", pl.Int32, "integer", lambda text: _whole_number(text, pl.Int32))
PETIT_ENTIER = Kind("petit entier", pl.Int8, "integer", lambda text: _whole_number(text, pl.Int8))
ENTIER_COURT = Kind("entier court", pl.Int16, "integer", lambda text: _whole_number(text, pl.Int16))
ENTIER_LONG = Kind("entier long", pl.Int64, "integer", lambda text: _whole_number(text, pl.Int64))
BOOLEEN = Kind("booléen", pl.Boolean, "boolean", lambda text: text.replace_strict(_BOOLEANS, default=None))
