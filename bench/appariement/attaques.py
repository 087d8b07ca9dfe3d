"""What an attacker without the key reads of each way, on the territory and on a département."""

from dataclasses import asdict
from functools import cache
from typing import Any

import polars as pl

from bench.appariement import clair, facons, frequences, livre, motifs, recoupements
from bench.appariement.donnees import MONTH, DataSet, population
from bench.appariement.frequences import Knowledge, Named

SEED = 1
PROBES, SALTS = 8_000, 400
TOGETHER = 44_000
SLICE = 200_000


@cache
def people(size: int) -> DataSet:
    """An invented population of this size, as one source holds it without a slip."""
    frame = population(size, SEED)
    numbered = frame.select(
        pl.int_range(pl.len()).alias("fiche"),
        pl.lit("tous").alias("source"),
        pl.int_range(pl.len()).alias("personne"),
        pl.all(),
    )
    return DataSet(f"population_{size}", MONTH, numbered)


@cache
def plain(size: int) -> pl.DataFrame:
    """The normalised identities of :func:`people`, and ``classe``: what is delivered of them in clear."""
    normal = clair.encode(people(size).fiches, MONTH)
    return normal.with_columns(classe=pl.concat_str("sexe", "annee", "commune_insee", separator="|"))


def on_tokens(way: facons.Way, size: int) -> dict[str, Any]:
    """The frequency attack on every column of tokens of a way: what binds the same things is one token."""
    known = plain(size)
    columns = {
        name: known.select(pl.concat_str(way.jetons[name], separator="|").hash()).to_series()
        for name in way.attaques
    }
    return {name: _named(tokens, way.attaques[name], size) for name, tokens in columns.items()}


def on_filters(way: facons.Way, size: int) -> dict[str, Any]:
    """Frequency and pattern attacks on the filter of birth names of a way."""
    known, made = plain(size), _bloom(way, size)
    words = tuple(f"filtre_naissance_{word}" for word in range(way.hardening.mots))
    seen = known.select("classe", "annee", vrai="mots_naissance").with_columns(made).drop_nulls(words[0])
    about = Knowledge.of(known["mots_naissance"], known["classe"], known["annee"])
    equal = seen.select(pl.struct("sel", *words).hash()).to_series()
    by_frequency = frequences.attack(equal, seen["vrai"], seen["classe"], seen["annee"], about, PROBES, SEED)
    salts = 1 if way.sel == () else 3 if way.sel == ("annee",) else SALTS
    by_pattern = motifs.attack(motifs.Filters(_sampled(seen, way), words), about, salts, SEED)
    return {"filtre_naissance (égalité)": told(by_frequency), "filtre_naissance (motifs)": told(by_pattern)}


def on_delivered(size: int) -> dict[str, Any]:
    """Every attack on the delivered set: column by column, filters, then all columns together."""
    known = plain(size)
    columns = _delivered_texts(known)
    found = {
        f"{name} → {part}": _named(columns[name], part, size)
        for name, parts in livre.SOUGHT.items()
        for part in parts
    }
    way = next(way for way in facons.WAYS if way.nom == "filtres_date_commune")
    return found | on_filters(way, size) | {"tous les jetons ensemble": _together(known, columns)}


def told(named: Named) -> dict[str, float | int]:
    """A result as it is written."""
    return {name: round(value, 5) for name, value in asdict(named).items()} | {"gain": round(named.gain, 5)}


def _named(tokens: pl.Series, part: str, size: int) -> dict[str, float | int]:
    known = plain(size)
    about = Knowledge.of(known[part], known["classe"], known["annee"])
    return told(frequences.attack(tokens, known[part], known["classe"], known["annee"], about, PROBES, SEED))


def _delivered_texts(known: pl.DataFrame) -> dict[str, pl.Series]:
    """The equalities of the delivered tokens: a token is equal where what it binds is."""
    place = known["lieu"].fill_null("")
    wide = known.with_columns(lieu_su=place)
    return {
        name: wide.select(pl.concat_str(parts, separator="|").hash()).to_series()
        for name, parts in livre.BOUND.items()
    }


def _together(known: pl.DataFrame, columns: dict[str, pl.Series]) -> dict[str, float | int]:
    persons = known.select("classe", "annee", nom="naissance", prenom="prenom", lieu="lieu")
    fields = {"naissance": "nom", "prenom": "prenom", "lieu": "lieu"}
    every = [
        recoupements.Column(columns[name], fields[part])
        for name, parts in livre.SOUGHT.items()
        if name != "jeton_date_commune"
        for part in parts
    ]
    return told(recoupements.attack(persons, every, TOGETHER, SEED))


def _bloom(way: facons.Way, size: int) -> pl.DataFrame:
    """The filter of birth names and its salt, slice by slice: a département does not fit otherwise."""
    one = facons.only_birth_names(way)
    parts = [facons.encode(part, one) for part in plain(size).iter_slices(SLICE)]
    columns = ["sel", *(f"filtre_naissance_{word}" for word in range(way.hardening.mots))]
    return pl.concat(part.select(columns) for part in parts)


def _sampled(seen: pl.DataFrame, way: facons.Way) -> pl.DataFrame:
    """At most two hundred thousand filters of a salt that everybody shares."""
    return seen.sample(min(SLICE, seen.height), seed=SEED) if way.sel == () else seen
