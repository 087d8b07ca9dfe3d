"""How a partner types an identity: published error rates, applied to the true one.

Rates: an INSEE linkage test (3 % two letters of the surname, 3 % one letter of the given name, 1 % missing
per field, 2 % swapped dates); NIR certified 99 to 99.5 % at CNAF; the others are assumptions, each named.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.synthetic.identities import nir_key
from pipelines.synthetic.margins import section
from pipelines.synthetic.names import TRANSLITERATIONS

SURNAME_TYPO, GIVEN_NAME_TYPO, MISSING, DATE_SWAP = 0.03, 0.03, 0.01, 0.02
UNKNOWN_DAY, UNKNOWN_DAY_FOREIGN_BORN, YEAR_1028 = 0.002, 0.03, 0.0002
WRONG_NIR, PROVISIONAL_KEPT, OTHER_SPELLING, JOINED_OR_SPLIT = 0.004, 0.6, 0.15, 0.15
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

NAMES = ("nom_naissance", "nom_usage", "prenoms")
IDENTITY = ("nir", *NAMES, "date_naissance", "sexe", "lieu_naissance")

Case = Literal["capitales", "casse_libre"]


@dataclass(frozen=True)
class Habits:
    """How one partner types.

    ``nir_absent``: share of adults without NIR before the factors; ``nir_court``: 13 characters, no key;
    ``prenom_seul``: only the first given name is typed; ``usage_absent``: the used name is not recorded;
    ``usage_pour_naissance``: the married name stands in the birth name's field; ``adresse_autre``: the
    address is not typed as the rest of the household's. Assumptions, but for CNAF's certified NIR.
    """

    nir_absent: float
    nir_court: float
    prenom_seul: float
    usage_absent: float
    usage_pour_naissance: float
    casse: Case
    adresse_autre: float


HABITS = {
    "caf": Habits(0.007, 0.0, 0.75, 0.10, 0.02, "capitales", 0.04),
    "cpam": Habits(0.003, 0.2, 0.35, 0.15, 0.01, "capitales", 0.04),
    "departement": Habits(0.08, 0.5, 0.60, 0.20, 0.05, "casse_libre", 0.10),
    "cellule": Habits(1.0, 0.0, 0.95, 0.35, 0.25, "casse_libre", 0.15),
}
"""The cellule types by hand in the field and never asks for a NIR."""


def typed(rng: np.random.Generator, truth: pl.DataFrame, habits: Habits) -> pl.DataFrame:
    """The identities as one partner typed them: the columns of ``IDENTITY``, all text, in the rows' order.

    ``truth`` has the columns of :func:`pipelines.synthetic.identities.invent_identities`, plus est_precaire,
    est_non_recourant and est_jeune.
    """
    named = _names(rng, truth, habits)
    columns = {name: named[name] for name in NAMES}
    columns |= {
        "nir": _nirs(rng, truth, habits),
        "date_naissance": _dates(rng, truth),
        "sexe": truth["sexe"].cast(pl.String),
        "lieu_naissance": truth["lieu_naissance"],
    }
    blanked = {name: _blanked(rng, columns[name]) for name in IDENTITY[1:]}
    return pl.DataFrame({"nir": columns["nir"], **blanked})


def typed_addresses(rng: np.random.Generator, addresses: pl.Series, habits: Habits) -> pl.Series:
    """Addresses as one partner typed them: abbreviations, flats forgotten, case; 1 % missing."""
    short = pl.Series(rng.random(len(addresses)) < 0.3)
    forgotten = pl.Series(rng.random(len(addresses)) < 0.1)
    text = addresses.alias("adresse").to_frame().with_columns(court=short, oubli=forgotten)
    shortened = text.select(
        pl.when("court").then(_abbreviated(pl.col("adresse"))).otherwise("adresse").alias("adresse"), "oubli"
    ).select(pl.when("oubli").then(pl.col("adresse").str.replace(r" Apt \d+$", "")).otherwise("adresse"))
    return _blanked(rng, _cased(rng, shortened.to_series(), habits.casse))


def retyped(rng: np.random.Generator, text: str, letters: int) -> str:
    """The text with ``letters`` random slips: replaced, dropped, doubled or swapped with the next one."""
    for _ in range(letters):
        if len(text) < 3:
            return text
        text = _slip(text, int(rng.integers(1, len(text) - 1)), int(rng.integers(4)), int(rng.integers(26)))
    return text


def plain(values: pl.Expr) -> pl.Expr:
    """Capitals without accents, the way mainframes keep names."""
    expanded = values.str.replace_many(["œ", "Œ", "æ", "Æ"], ["oe", "OE", "ae", "AE"])
    return expanded.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_uppercase()


def _slip(text: str, at: int, kind: int, letter: int) -> str:
    new = LETTERS[letter] if text[at].isupper() else LETTERS[letter].lower()
    slips = (
        text[:at] + new + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return slips[kind]


def _names(rng: np.random.Generator, truth: pl.DataFrame, habits: Habits) -> pl.DataFrame:
    frame = _confused(rng, truth.select(NAMES), habits)
    first_only = pl.Series(rng.random(frame.height) < habits.prenom_seul)
    first = pl.col("prenoms").str.split(" ").list.first()
    frame = frame.with_columns(prenoms=pl.when(first_only).then(first).otherwise(pl.col("prenoms")))
    frame = frame.with_columns(_comma_separated(rng, frame["prenoms"]))
    frame = frame.with_columns(_other_spelling(rng, frame[name]) for name in NAMES)
    frame = frame.with_columns(_joined_or_split(rng, frame[name]) for name in NAMES)
    frame = frame.with_columns(
        _mistyped(rng, frame["nom_naissance"], SURNAME_TYPO, 2),
        _mistyped(rng, frame["nom_usage"], SURNAME_TYPO, 2),
        _mistyped(rng, frame["prenoms"], GIVEN_NAME_TYPO, 1),
    )
    return frame.with_columns(_cased(rng, frame[name], habits.casse) for name in NAMES)


def _confused(rng: np.random.Generator, frame: pl.DataFrame, habits: Habits) -> pl.DataFrame:
    """Maiden and married names: one forgotten, or one in the other's place."""
    married = pl.col("nom_usage").is_not_null()
    taken = pl.Series(rng.random(frame.height) < habits.usage_pour_naissance)
    absent = pl.Series(rng.random(frame.height) < habits.usage_absent)
    repeated = pl.Series(rng.random(frame.height) < 0.3)
    usage = (
        pl.when(married & (taken | absent))
        .then(None)
        .when(~married & repeated)
        .then(pl.col("nom_naissance"))
        .otherwise(pl.col("nom_usage"))
    )
    birth = pl.when(married & taken).then(pl.col("nom_usage")).otherwise(pl.col("nom_naissance"))
    return frame.select(birth.alias("nom_naissance"), usage.alias("nom_usage"), "prenoms")


def _comma_separated(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    comma = pl.Series(rng.random(len(values)) < 0.2)
    return _where(values, comma, values.str.replace_all(" ", ", "))


def _other_spelling(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    """Names between two scripts or two languages take another of their usual spellings."""
    chosen = rng.random(len(values)) < OTHER_SPELLING
    pick = rng.integers(4, size=len(values))
    known = values.str.split(" ").list.first().is_in(list(TRANSLITERATIONS)) | values.is_in(
        list(TRANSLITERATIONS)
    )
    rows = np.flatnonzero(chosen & known.fill_null(False).to_numpy())
    return _rewritten(values, rows, [_respelled(values[int(row)], int(pick[row])) for row in rows])


def _respelled(name: str, pick: int) -> str:
    if name in TRANSLITERATIONS:
        return TRANSLITERATIONS[name][pick % len(TRANSLITERATIONS[name])]
    first, _, rest = name.partition(" ")
    others = TRANSLITERATIONS[first]
    return f"{others[pick % len(others)]} {rest}"


def _joined_or_split(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    """Compound names and particles: hyphen for space, or written in one word."""
    chosen = pl.Series(rng.random(len(values)) < JOINED_OR_SPLIT)
    joined = pl.Series(rng.random(len(values)) < 0.3)
    spaced = values.str.replace_all("-", " ").str.replace_all("'", " ")
    particle = values.str.replace(r"^(De la|Du|De|Le|La|Des|El|Ben|Da|Dos|D') ?", "${1}")
    return _where(_where(values, chosen, spaced), chosen & joined, particle)


def _mistyped(rng: np.random.Generator, values: pl.Series, rate: float, letters: int) -> pl.Series:
    chosen = (rng.random(len(values)) < rate) & values.is_not_null().to_numpy()
    rows = np.flatnonzero(chosen)
    return _rewritten(values, rows, [retyped(rng, values[int(row)], letters) for row in rows])


def _cased(rng: np.random.Generator, values: pl.Series, case: Case) -> pl.Series:
    """Capitals without accents; or free: capitals, small letters, as it should be, accents lost."""
    capitals = pl.select(plain(pl.lit(values))).to_series()
    if case == "capitales":
        return capitals
    way = pl.Series(rng.choice(4, len(values), p=[0.45, 0.1, 0.3, 0.15]))
    unaccented = _where(values, way == 3, capitals.str.to_titlecase())
    return _where(
        _where(unaccented, way == 0, values.str.to_uppercase()), way == 1, values.str.to_lowercase()
    )


def _nirs(rng: np.random.Generator, truth: pl.DataFrame, habits: Habits) -> pl.Series:
    """Missing not at random, provisional, wrong, or right; 13 characters without the key at times."""
    provisional = truth["nir_provisoire"].is_not_null() & pl.Series(
        rng.random(truth.height) < PROVISIONAL_KEPT
    )
    values = _where(truth["nir"], provisional, truth["nir_provisoire"])
    values = _miskeyed(rng, values)
    values = _where(values, pl.Series(rng.random(truth.height) < habits.nir_court), values.str.slice(0, 13))
    absent = rng.random(truth.height) < habits.nir_absent * _missing_factors(truth)
    return _where(values, pl.Series(absent), pl.Series([None], dtype=pl.String))


def _missing_factors(truth: pl.DataFrame) -> npt.NDArray[np.float64]:
    product = np.ones(truth.height)
    for column, factor in section("identite")["facteur_nir_absent"].items():
        product *= np.where(truth[column].fill_null(False).to_numpy(), factor, 1.0)
    return product


def _miskeyed(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    """One digit of the order number wrong; half of the time the key was recomputed over the mistake."""
    rows = np.flatnonzero(rng.random(len(values)) < WRONG_NIR)
    return _rewritten(values, rows, [_wrong_nir(rng, values[int(row)]) for row in rows])


def _wrong_nir(rng: np.random.Generator, nir: str) -> str:
    at = int(rng.integers(10, 13))
    body = nir[:at] + str((int(nir[at]) + int(rng.integers(1, 10))) % 10) + nir[at + 1 : 13]
    return body + (nir_key(body) if rng.random() < 0.5 else nir[13:])


def _dates(rng: np.random.Generator, truth: pl.DataFrame) -> pl.Series:
    """ISO dates with swaps, unknown days (00, 99) and the odd year 1028."""
    size, texts = truth.height, truth["date_naissance"].dt.strftime("%Y-%m-%d")
    swapped = np.flatnonzero(rng.random(size) < DATE_SWAP)
    texts = _rewritten(texts, swapped, [_swapped(texts[int(row)]) for row in swapped])
    foreign = truth["est_ne_etranger"].fill_null(False).to_numpy()
    rate = np.where(foreign, UNKNOWN_DAY_FOREIGN_BORN, UNKNOWN_DAY)
    unknown, month_too = rng.random(size) < rate, rng.random(size) < 0.5
    mark = np.where(rng.random(size) < 0.7, "00", "99")
    rows = np.flatnonzero(unknown)
    blurred = [_unknown_day(texts[int(row)], str(mark[row]), bool(month_too[row])) for row in rows]
    texts = _rewritten(texts, rows, blurred)
    return _where(texts, pl.Series(rng.random(size) < YEAR_1028), pl.lit("1028-") + texts.str.slice(5))


def _swapped(text: str) -> str:
    """Day and month; else month and the year's two digits; else the year's two digits turned round."""
    year, month, day = text.split("-")
    if int(day) <= 12 and day != month:
        return f"{year}-{day}-{month}"
    if 1 <= int(year[2:]) <= 12 and year[2:] != month:
        return f"{year[:2]}{month}-{year[2:]}-{day}"
    return f"{year[:2]}{year[3]}{year[2]}-{month}-{day}"


def _unknown_day(text: str, mark: str, month_too: bool) -> str:
    return f"{text[:4]}-{mark}-{mark}" if month_too else f"{text[:7]}-{mark}"


def _blanked(rng: np.random.Generator, values: pl.Series) -> pl.Series:
    absent = pl.Series(rng.random(len(values)) < MISSING)
    return _where(values, absent, pl.Series([None], dtype=pl.String))


def _where(values: pl.Series, mask: pl.Series, other: pl.Series | pl.Expr) -> pl.Series:
    expression = pl.when(mask).then(other).otherwise(values)
    return pl.select(expression.alias(values.name)).to_series()


def _rewritten(values: pl.Series, rows: npt.NDArray[np.int64], texts: list[str]) -> pl.Series:
    return values.clone().scatter(rows, texts) if len(rows) else values


def _abbreviated(address: pl.Expr) -> pl.Expr:
    return address.str.replace_many(
        ["Rue ", "Avenue ", "Chemin ", "Route ", "Impasse ", "Boulevard ", "Lieu-dit "],
        ["R ", "Av ", "Che ", "Rte ", "Imp ", "Bd ", "LD "],
    )
