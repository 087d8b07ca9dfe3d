"""Smuggled identifiers: a NIR, a telephone, an e-mail, an IBAN, words in the place of a code.

Looked for at the partner in the values to deliver, and in what travels around them: file names, column names,
Parquet metadata; looked for again in what is delivered, before anything is kept. What is found is told by
table, column, kind and line; a value is never quoted.
"""

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

import polars as pl

from pipelines.identifiers import nir
from pipelines.identifiers.iban import holds_iban
from pipelines.refusals import ContractRefusal
from schemas import Table
from schemas.fields import delivered_kind_of, is_keyed, list_of
from schemas.kinds import CODE
from schemas.nomenclatures import nomenclature
from schemas.reading import LINE, SEPARATORS

NIR, TELEPHONE, COURRIEL, IBAN = "NIR", "téléphone", "courriel", "IBAN"
TEXT, MANY = "texte au lieu d'un code", "trop de valeurs pour des codes"

MOST_CODES = 1000
"""Above, the values of a column of codes that no list declares are no codes: names, or numbers."""

_SHORT = 4
_WORD_LIKE = r"^[A-Z][A-Z0-9_]*$"
_NUMBERED = r"^\S*\d\S*$"
_LETTERS = r"\p{L}{3}"
_BARE = {13: 0.5, 15: 0.1}
"""Digits in a row that may be a number of another kind: at least this share of the column's numbers of that
length must be possible NIRs (one random number in fifty of 13 digits is, one in two hundred of 15)."""

_BARE_NIR = re.compile(r"(?<!\d)[1-478]\d{4}(?:\d\d|2[AB])\d{6}(?:\d\d)?(?!\d)")
_SEP = r"[\s.,:\-_/]{1,2}"
_GROUPED_NIR = re.compile(
    rf"(?<!\d)[1-478]{_SEP}\d\d{_SEP}\d\d{_SEP}(?:\d\d|2[AB])(?:{_SEP})?\d{{3}}(?:{_SEP})?\d{{3}}"
    rf"(?:(?:{_SEP})?\d\d)?(?!\d)"
)
_FIFTEEN = re.compile(r"(?<!\d)[12](?:[\s.,:\-_/]?\d){14}(?!\d)")
_SEPARATORS = re.compile(r"[\s.,:\-_/]+")
_BEGIN, _END = r"(?:(?<![\dA-Z])|(?<=TEL)|(?<=TÉL)|(?<=MOB)|(?<=NO))", r"(?![\dA-Z])"
_TELEPHONE = re.compile(
    rf"{_BEGIN}0[1-9](?:\d{{8}}|([\s.,\-_/]{{1,2}})\d\d(?:\1\d\d){{3}}"
    rf"|[\s.\-]?\d\d[\s.\-]\d{{3}}[\s.\-]\d{{3}}|[\s.\-]\d{{4}}[\s.\-]\d{{4}}){_END}"
    rf"|{_BEGIN}(?:\+\s?|00\s?)(?:33|262|508|590|594|596|681|687|689)(?:[\s.,\-_/]*\d){{9}}{_END}"
    rf"|{_BEGIN}\+[1-9](?:[\s\-]?\d){{8,13}}{_END}"
)
_COURRIEL = re.compile(r"\w\s?@\s?\w|\w\s?[(\[]\s?(?:AT|AROBASE)\s?[)\]]\s?\w|\w\sAROBASE\s\w")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_HYPHENS = re.compile("[\u2010-\u2015\u2212]")

_HASHED = r"(?i)^(?:[0-9a-f]*[a-f][0-9a-f]*|[0-9]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
_LEAST_HASHED = 30
"""Longer than an IBAN of letters A to F."""
_MARK = r"[@＠﹫]|(?i)[(\[]\s?(?:at|arobase)|\sarobase\s"
_LEAST_DIGITS = 9
_BIG = 10**8
"""Below, a number of a numeric column has fewer digits than any identifier."""

_EXACT = 2.0**53


@dataclass(frozen=True)
class Count:
    """``valeurs`` different values of a kind, among ``parmi`` that could have been, on ``lignes`` lines."""

    valeurs: int
    parmi: int
    lignes: int = 0
    premiere: int | None = None

    def __add__(self, other: "Count") -> "Count":
        lines = [line for line in (self.premiere, other.premiere) if line is not None]
        return Count(
            self.valeurs + other.valeurs,
            self.parmi + other.parmi,
            self.lignes + other.lignes,
            min(lines, default=None),
        )


@dataclass(frozen=True)
class Leak:
    """Identifiers of one kind found in one place."""

    place: str
    nature: str
    lignes: int = 0
    premiere: int | None = None

    def __str__(self) -> str:
        lines = f", {self.lignes} ligne(s)" if self.lignes else ""
        first = f", la première ligne {self.premiere}" if self.premiere is not None else ""
        return f"{self.place} ({self.nature}{lines}{first})"


@dataclass(frozen=True)
class Findings:
    """What slices of a table hold, by column, kind and number of digits (0: whatever); slices add up."""

    counts: dict[tuple[str, str, int], Count] = field(default_factory=dict)

    def __add__(self, other: "Findings") -> "Findings":
        every = [*self.counts, *(key for key in other.counts if key not in self.counts)]
        none = Count(0, 0)
        return Findings({k: self.counts.get(k, none) + other.counts.get(k, none) for k in every})

    def leaks(self) -> list[Leak]:
        """What is too alike to be anything else, decided on whole columns."""
        told: dict[tuple[str, str], Count] = {}
        for (column, kind, digits), count in self.counts.items():
            if count.valeurs and count.valeurs >= _BARE.get(digits, 0) * count.parmi:
                told[column, kind] = told.get((column, kind), Count(0, 0)) + count
        return [Leak(column, kind, c.lignes, c.premiere) for (column, kind), c in told.items()]


def scan(frame: pl.DataFrame, table: Table) -> Findings:
    """Look at every column of ``frame`` (a slice, nominative or delivered) that is delivered as it is.

    With a column ``ligne``, the first line of each finding is told. Identifiers re-keyed at source are left
    out: a number of file of thirteen digits is never delivered as it is.
    """
    lines = frame[LINE] if LINE in frame.columns else None
    names = [name for name in table.delivered_columns if name in frame.columns and not is_keyed(name)]
    return _all(_scan_column(frame[name], lines) + _words(frame[name], lines) for name in names)


def scan_delivered(frame: pl.DataFrame, table: Table) -> Findings:
    """Look at every column of a file as it came: strings and ``ligne``, not yet held against the contract.

    What has the form the contract wants (a token, a month, a commune) holds nothing else and costs nothing.
    """
    names = [name for name in table.delivered_columns if name in frame.columns]
    return _all(
        _scan_column(_out_of_form(frame[name]), frame[LINE])
        + _words(frame[name], frame[LINE])
        + _crowd(frame[name])
        for name in names
    )


def _all(findings: Iterable[Findings]) -> Findings:
    return reduce(Findings.__add__, findings, Findings())


def _out_of_form(values: pl.Series) -> pl.Series:
    """The values of a delivered column as text, null where they are what the contract wants."""
    kind = delivered_kind_of(values.name)
    text = values.cast(pl.String)
    if kind.pattern:
        seen = pl.when(~text.str.contains(kind.pattern)).then(text).otherwise(None)
    elif kind.dtype.is_numeric():
        number = text.cast(pl.Float64, strict=False)
        seen = pl.when(number.is_null()).then(text).otherwise(_texts(number))
    else:
        return text
    return pl.select(seen.alias(values.name)).to_series()


def _words(values: pl.Series, lines: pl.Series | None) -> Findings:
    """Words in a column whose codes are listed: neither a code of the list nor the look of a new one."""
    liste = list_of(values.name)
    if liste is None or values.dtype != pl.String or is_keyed(values.name):
        return Findings()
    codes, different = list(nomenclature(liste).codes), values.drop_nulls().unique()
    looks_new = (different.str.len_chars() <= _SHORT) | different.str.contains(_NUMBERED)
    if max(map(len, codes)) > _SHORT:
        looks_new |= different.str.contains(_WORD_LIKE)
    held = different.filter(~different.is_in(codes) & ~looks_new & different.str.contains(_LETTERS))
    if held.is_empty():
        return Findings()
    return Findings({(values.name, TEXT, 0): _count(held, held.alias("texte").to_frame(), values, lines)})


def _crowd(values: pl.Series) -> Findings:
    """Too many different values in a column of codes that have no list, in a whole file."""
    if delivered_kind_of(values.name) is not CODE or list_of(values.name):
        return Findings()
    different = values.drop_nulls().n_unique()
    held = Count(different, different, values.len() - values.null_count())
    return Findings({(values.name, MANY, 0): held} if different > MOST_CODES else {})


def scan_texts(texts: Iterable[str]) -> set[str]:
    """The kinds of identifiers held by any of a few texts (names of files and columns, metadata)."""
    return {leak.nature for leak in _scan_column(pl.Series("texte", list(texts), pl.String), None).leaks()}


def around(path: Path) -> list[Leak]:
    """Identifiers in the name of a readable file, in its column names or in its Parquet metadata."""
    if path.suffix == ".parquet":
        names, metadata = list(pl.scan_parquet(path, glob=False).collect_schema()), _metadata(path)
    else:
        names, metadata = _header(path), []
    places = {"nom du fichier": [path.stem], "métadonnées du fichier": metadata}
    places |= {f"nom de la colonne n° {number}": [name] for number, name in enumerate(names, 1)}
    return [Leak(place, nature) for place, texts in places.items() for nature in sorted(scan_texts(texts))]


def refuse(leaks: list[Leak], where: str, que_faire: str) -> None:
    """Raise :class:`ContractRefusal` telling where identifiers are, when there are any."""
    if leaks:
        raise ContractRefusal(
            f"Ce qui peut nommer quelqu'un s'est glissé dans l'extrait : {' ; '.join(map(str, leaks))}.",
            ou=where,
            que_faire=que_faire,
        )


def _scan_column(values: pl.Series, lines: pl.Series | None) -> Findings:
    texts = _texts(values)
    doubtful = _doubtful(texts.drop_nulls().unique())
    seen = _judged([(text, *candidate) for text in doubtful for candidate in _candidates(text)])
    counts = {}
    for (kind, digits), alike in seen.group_by("nature", "chiffres", maintain_order=True):
        held = alike.filter("est_possible")["texte"].unique()
        counts[values.name, str(kind), int(str(digits))] = _count(held, alike, texts, lines)
    return Findings(counts)


def _count(held: pl.Series, alike: pl.DataFrame, texts: pl.Series, lines: pl.Series | None) -> Count:
    where = texts.is_in(held.implode()).fill_null(False)
    first = None if lines is None or held.is_empty() else int(str(lines.filter(where).min()))
    return Count(held.len(), alike["texte"].n_unique(), int(where.sum()), first)


def _texts(values: pl.Series) -> pl.Series:
    """The column as text; of a numeric one, the whole numbers long enough to be an identifier."""
    if values.dtype == pl.String:
        return values
    if not values.dtype.is_numeric():
        return pl.Series(values.name, [], pl.String).extend_constant(None, values.len())
    number = pl.col("n").cast(pl.Float64)
    is_long = number.is_between(_BIG, _EXACT) & (number == number.floor())
    digits = pl.when(is_long).then(number.cast(pl.Int64, strict=False)).cast(pl.String)
    national = pl.when(digits.str.contains(r"^[67]\d{8}$")).then("0" + digits)
    abroad = pl.when(digits.str.contains(r"^33[67]\d{8}$")).then("+" + digits)
    return values.alias("n").to_frame().select(pl.coalesce(national, abroad, digits)).to_series()


def _doubtful(different: pl.Series) -> pl.Series:
    """What is worth a closer look, a whole column at a time."""
    is_hashed = (different.str.len_bytes() >= _LEAST_HASHED) & different.str.contains(_HASHED)
    plain = different.filter(~is_hashed)
    many_digits = plain.str.count_matches(r"\d") >= _LEAST_DIGITS
    return plain.filter(many_digits | plain.str.contains(_MARK))


def _candidates(text: str) -> Iterator[tuple[str, int, str]]:
    """Kind, number of digits if they alone are to be judged by the column, number to judge (or nothing)."""
    plain = _HYPHENS.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).upper()
    if _COURRIEL.search(plain):
        yield COURRIEL, 0, ""
    if holds_iban(plain):
        yield IBAN, 0, ""
    without_nir = _GROUPED_NIR.sub(" ", plain).replace("(0)", "").translate(_NO_BRACKETS)
    if _TELEPHONE.search(without_nir):
        yield TELEPHONE, 0, ""
    for found in _BARE_NIR.finditer(plain):
        yield NIR, len(found[0]) if found[0].isdigit() else 0, found[0]
    for found in _GROUPED_NIR.finditer(plain):
        yield NIR, 0, _SEPARATORS.sub("", found[0])[:13]
    for found in _FIFTEEN.finditer(plain):
        if not found[0].isdigit():
            yield NIR, 0, _SEPARATORS.sub("", found[0])


_NO_BRACKETS = str.maketrans("", "", "()")


def _judged(rows: list[tuple[str, str, int, str]]) -> pl.DataFrame:
    """texte, nature, chiffres, est_possible: what each candidate may be by itself."""
    schema = {"texte": pl.String, "nature": pl.String, "chiffres": pl.Int64, "numero": pl.String}
    number = pl.col("numero")
    month = number.str.slice(3, 2)
    usual = (pl.col("chiffres") != 13) | month.str.contains("^(?:0[1-9]|1[0-2])$")
    provisional = number.str.contains("^[3478]") & (pl.col("chiffres") != 13)
    may_be = (nir.has_structure(number) | provisional) & nir.has_right_key(number) & usual
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    judged = frame.select("texte", "nature", "chiffres", est_possible=(number == "") | may_be)
    is_settled = (pl.col("chiffres") == 0) & pl.col("est_possible")
    return judged.filter((pl.col("chiffres") == 0) | ~is_settled.any().over("texte", "nature"))


def _header(path: Path) -> list[str]:
    with path.open("rb") as stream:
        line = stream.readline().decode("utf-8-sig", errors="replace").strip()
    separator = max(SEPARATORS, key=line.count)
    return line.split(separator)


def _metadata(path: Path) -> list[str]:
    """Keys and values of the file's metadata; those of the columns are in the Arrow schema, in base 64."""
    texts: list[str] = []
    with path.open("rb") as stream:
        metadata = pl.read_parquet_metadata(stream)
    for name, value in metadata.items():
        texts += [name, value, *_words_of(value)]
    return texts


def _words_of(value: str) -> list[str]:
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return []
    return re.findall(r"[^\x00-\x1f\ufffd]{6,}", raw.decode("utf-8", errors="replace"))
