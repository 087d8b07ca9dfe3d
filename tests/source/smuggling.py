"""Identifiers hidden in many ways, and columns that hold none: what the scan is measured on."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from stdnum import iban as stdnum_iban
from stdnum.fr import nir as stdnum_nir

from pipelines.identifiers.leaks import Leak, around, scan
from schemas import TABLES
from schemas.reading import LINE

Draw = np.random.Generator
ROWS = 40
TEXTS = (
    ("caf_personnes", "act"),
    ("dep_rsa", "fonorg"),
    ("actions", "lieu"),
    ("enquetes", "reponse"),
    ("consentements", "formulaire_version"),
    ("dep_suivis", "mds"),
)
NUMBERS = (("caf_ressources", "montant"), ("caf_foyers", "rsa_du"), ("enquetes", "poids"))
SENTENCES = ("voir {} svp", "dossier {}, relance", "n°{}", "contact : {}.", "vu ({}) le 12/05", "  {}  ")


@dataclass(frozen=True)
class Smuggled:
    """One identifier of a kind, as it is written, and where it is hidden."""

    nature: str
    place: str
    texte: str


def smuggled(count: int, seed: int) -> Iterator[Smuggled]:
    """``count`` identifiers; kind, form and place are drawn."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        nature, place = _one(list(WRITTEN), rng), _one(list(HIDDEN), rng)
        if place == "nombre":
            nature = _one(["NIR", "téléphone"], rng)
            yield Smuggled(nature, place, _digits(nature, rng))
        else:
            yield Smuggled(nature, place, WRITTEN[nature](rng))


def is_found(case: Smuggled, folder: Path, seed: int) -> bool:
    """True when the scan finds this kind, in the column and on the line it is in where it has one."""
    return any(leak.nature == case.nature for leak in HIDDEN[case.place](case, folder, _rng(seed)))


def _in_value(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    return _found_in(*TEXTS[int(rng.integers(len(TEXTS)))], case.texte, rng)


def _in_sentence(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    return _found_in(*TEXTS[int(rng.integers(len(TEXTS)))], _one(SENTENCES, rng).format(case.texte), rng)


def _found_in(table: str, column: str, value: str, rng: Draw) -> list[Leak]:
    at = int(rng.integers(ROWS))
    values = clean_column(_one(["code", "libellé", "date", "version", "siret"], rng), ROWS, rng).to_list()
    values[at] = value
    lines = pl.Series(LINE, range(2, ROWS + 2), pl.Int64)
    found = scan(pl.DataFrame([lines, pl.Series(column, values, pl.String)]), TABLES[table]).leaks()
    return [leak for leak in found if (leak.place, leak.lignes, leak.premiere) == (column, 1, at + 2)]


def _in_numbers(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    table, column = NUMBERS[int(rng.integers(len(NUMBERS)))]
    values = rng.integers(0, 250_000, ROWS) / 100
    values[int(rng.integers(ROWS))] = float(case.texte)
    return scan(pl.DataFrame({column: values}), TABLES[table]).leaks()


def _in_column_name(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    frame = pl.DataFrame({"mois": ["2026-06"], case.texte: ["1"]})
    if rng.random() < 0.5:
        frame.write_parquet(folder / "caf_foyers.parquet")
        return around(folder / "caf_foyers.parquet")
    frame.write_csv(folder / "caf_foyers.csv", separator=";")
    return around(folder / "caf_foyers.csv")


def _in_file_name(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    path = folder / f"{case.texte.replace('/', '-').strip()}.csv"
    path.write_text("mois;rsa_du\n")
    try:
        return around(path)
    finally:
        path.unlink()


def _in_file_metadata(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    as_key = rng.random() < 0.3
    metadata = {case.texte: "1"} if as_key else {"note": _one(SENTENCES, rng).format(case.texte)}
    return _around_parquet(pa.schema([("mois", pa.string())]).with_metadata(metadata), folder)


def _in_column_metadata(case: Smuggled, folder: Path, rng: Draw) -> list[Leak]:
    note = {"note": _one(SENTENCES, rng).format(case.texte)}
    return _around_parquet(pa.schema([pa.field("mois", pa.string(), metadata=note)]), folder)


def _around_parquet(schema: pa.Schema, folder: Path) -> list[Leak]:
    pq.write_table(pa.table({"mois": ["2026-06"]}, schema=schema), folder / "caf_foyers.parquet")
    return around(folder / "caf_foyers.parquet")


HIDDEN: dict[str, Callable[[Smuggled, Path, Draw], list[Leak]]] = {
    "valeur": _in_value,
    "dans un texte": _in_sentence,
    "nombre": _in_numbers,
    "nom de colonne": _in_column_name,
    "nom de fichier": _in_file_name,
    "métadonnées du fichier": _in_file_metadata,
    "métadonnées d'une colonne": _in_column_metadata,
}


def thirteen(rng: Draw, *, corsican: bool = True) -> str:
    """The thirteen characters of a NIR: sex, year, month, place, order."""
    places = ["31483", "65440", "97411", "99352", "75112", "13055", *(["2A004", "2B033"] if corsican else [])]
    month = rng.integers(1, 13)
    return (
        f"{rng.integers(1, 3)}{rng.integers(30, 100)}{month:02}{_one(places, rng)}{rng.integers(1, 700):03}"
    )


def _nir(rng: Draw) -> str:
    number = thirteen(rng)
    key = stdnum_nir.calc_check_digits(number)
    if rng.random() < 0.3:
        number, key = number, ""
    spaced = [
        number[:1],
        number[1:3],
        number[3:5],
        number[5:7],
        number[7:10],
        number[10:],
        *([key] if key else []),
    ]
    written = _one(["", " ", ".", "-", "\u00a0", "_"], rng).join(spaced)
    if key and rng.random() < 0.1:
        written = f"{number} {key}"
    return written.lower() if rng.random() < 0.2 else written


def _telephone(rng: Draw) -> str:
    digits = f"{rng.integers(1, 10)}{rng.integers(10**8):08}"
    pairs = [digits[0], *(digits[i : i + 2] for i in range(1, 9, 2))]
    national = _one(["", " ", ".", "-", "/", "\u00a0"], rng).join(["0" + pairs[0], *pairs[1:]])
    abroad = _one(["+33", "0033", "+33 ", "0033 ", "+33 (0)", "+33(0) "], rng)
    international = abroad + _one(["", " ", ".", "-"], rng).join(pairs)
    other = [f"0{digits[0]} {digits[1:3]} {digits[3:6]} {digits[6:]}", f"(0{pairs[0]}) {' '.join(pairs[1:])}"]
    return _one([national, national, international, international, *other], rng)


def _courriel(rng: Draw) -> str:
    who = _one(["radegonde", "j.dupont", "a-b", "zoe_l", "m.o'neil", "x+caf"], rng) + str(rng.integers(100))
    at = _one(["@", "@", "@", "@", "(at)", " [at] ", "＠"], rng)
    address = who + at + _one(["exemple.fr", "mairie.exemple.org", "caf31.example", "laposte.example"], rng)
    return address.upper() if rng.random() < 0.2 else address


def _iban(rng: Draw) -> str:
    country, length = _one([("FR", 23), ("DE", 18), ("ES", 20), ("BE", 12), ("PT", 21), ("MC", 23)], rng)
    account = "".join(str(d) for d in rng.integers(0, 10, int(length)))
    if country in ("FR", "MC"):
        account = account[:12] + _one(["A", "K", "Z"], rng) + account[13:]
    number = country + stdnum_iban.calc_check_digits(f"{country}00{account}") + account
    sep = _one(["", " ", "-"], rng)
    written = sep.join(number[i : i + 4] for i in range(0, len(number), 4))
    return written.lower() if rng.random() < 0.3 else written


WRITTEN: dict[str, Callable[[Draw], str]] = {
    "NIR": _nir, "téléphone": _telephone, "courriel": _courriel, "IBAN": _iban,
}  # fmt: skip


def _digits(nature: str, rng: Draw) -> str:
    """What is left of an identifier in a column of numbers: no letter, no leading zero."""
    if nature == "téléphone":
        return f"{_one(['6', '7', '336'], rng)}{rng.integers(10**8):08}"
    number = thirteen(rng, corsican=False)
    return _one([number, number + stdnum_nir.calc_check_digits(number)], rng)


def clean_columns(count: int, seed: int) -> Iterator[pl.Series]:
    """``count`` columns without identifier, most kinds made to look like one."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield clean_column(list(CLEAN)[number % len(CLEAN)], int(rng.integers(1, 300)), rng)


def clean_column(kind: str, rows: int, rng: Draw) -> pl.Series:
    """A column of one kind: text, or numbers."""
    return pl.Series("reponse", [CLEAN[kind](rng) for _ in range(rows)])


def _number(length: int) -> Callable[[Draw], str]:
    return lambda rng: str(rng.integers(10 ** (length - 1), 10**length))


def _day(rng: Draw) -> str:
    return str(np.datetime64("2020-01-01") + int(rng.integers(0, 2500)))


CLEAN: dict[str, Callable[[Draw], object]] = {
    "code": lambda rng: f"MDS-{rng.integers(1, 100)}",
    "libellé": lambda rng: _one(["hébergé chez un tiers", "sans réponse", "Saint-Gaudens", "9e étage"], rng),
    "date": _day,
    "période": lambda rng: f"{_day(rng)}/{_day(rng)}",
    "deux dates": lambda rng: f"du {_day(rng)} au {_day(rng)}",
    "horodatage": lambda rng: (
        f"{_day(rng)} {rng.integers(24):02}:{rng.integers(60):02}:{rng.integers(60):02}"
    ),
    "date serrée": lambda rng: _day(rng).replace("-", "") + f"{rng.integers(24):02}{rng.integers(60):02}",
    "millisecondes": lambda rng: str(1_700_000_000_000 + int(rng.integers(10**11))),
    "mois": lambda rng: _day(rng)[:7],
    "montant": lambda rng: float(rng.integers(0, 10**7)) / 100,
    "gros montant": lambda rng: float(rng.integers(0, 10**13)) / 100,
    "montant écrit": lambda rng: f"{rng.integers(0, 10**6):_}".replace("_", " ") + ",50",
    "siren": _number(9),
    "siret": _number(14),
    "siret espacé": lambda rng: (
        f"{rng.integers(100, 999)} {rng.integers(100, 999)} {rng.integers(100, 999)} "
        f"{rng.integers(10000, 99999)}"
    ),
    "commune": lambda rng: f"{rng.integers(1, 96):02}{rng.integers(1, 700):03}",
    "communes": lambda rng: " ".join(f"31{rng.integers(1, 590):03}" for _ in range(3)),
    "rpps": _number(11),
    "numéro de dossier à 10 chiffres": _number(10),
    "numéro de dossier à 12 chiffres": _number(12),
    "numéro de dossier à 13 chiffres": _number(13),
    "numéro de dossier à 15 chiffres": _number(15),
    "ean": lambda rng: "376" + str(rng.integers(10**9, 10**10)),
    "jeton": lambda rng: rng.bytes(16).hex(),
    "empreinte": lambda rng: rng.bytes(32).hex(),
    "uuid": lambda rng: str(uuid.UUID(bytes=rng.bytes(16), version=4)),
    "version": lambda rng: f"{rng.integers(2020, 2027)}-{rng.integers(1, 9)}.{rng.integers(10)}",
    "coordonnées": lambda rng: f"{43 + rng.random():.7f}, {rng.random():+.7f}",
    "établissement scolaire": lambda rng: f"031{rng.integers(10**4):04}{_one('ABCDE', rng)}",
    "taux": lambda rng: f"{rng.random():.12f}",
}


def _rng(seed: int) -> Draw:
    return np.random.default_rng(seed)


def _one(choices: object, rng: Draw):  # type: ignore[no-untyped-def]
    return choices[int(rng.integers(len(choices)))]  # type: ignore[index, arg-type]
