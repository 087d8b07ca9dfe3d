"""The pattern attack: filters read back by what many of them have in common.

After Niedermeyer et al. (2014) and Christen et al. (2018). Filters of one salt that are equal are of one
name; the most frequent are aligned with the most frequent names (see :mod:`.frequences`, classes included).
The bits that all the filters believed to hold a bigram have in common are that bigram's; every filter is then
given the name of the dictionary whose bigrams explain it best; what was read teaches the bigrams again.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.appariement.frequences import Knowledge, Named, likeliest, share

Bits = npt.NDArray[np.float32]
SEEDS, ROUNDS = 300, 4
ALWAYS = 0.92
"""Share of the filters believed to hold a bigram that must have a bit for it to be one of the bigram's."""
LEAST_FILTERS, LIKENESS = 3, 0.6


@dataclass(frozen=True)
class Filters:
    """Filters of one column with what the attacker sees: ``mots`` (words, Int64), ``sel``, ``classe``,
    ``annee``; ``vrai`` is the name they hold, for the judge."""

    fiches: pl.DataFrame
    mots: tuple[str, ...]


def attack(filters: Filters, known: Knowledge, groupes: int, graine: int) -> Named:
    """Share of records of ``groupes`` salts, drawn as records are, given their right name.

    The attacker is given the salt groups: with fewer hints the attack names fewer.
    """
    salts = (
        filters.fiches["sel"]
        .sample(groupes * 4, seed=graine, with_replacement=True)
        .unique(maintain_order=True)
    )
    chosen = filters.fiches.join(salts.head(groupes).to_frame("sel"), on="sel", how="semi")
    parts = chosen.partition_by("sel", maintain_order=True)
    read = pl.concat([part.with_columns(lue=_read(part, filters.mots, known)) for part in parts])
    judged = read.join(known.favourites(), on="classe", how="left")
    return Named(
        share(judged["lue"] == judged["vrai"]),
        share(judged["devinee"] == judged["vrai"]),
        judged.height,
    )


def bits_of(words: pl.DataFrame) -> Bits:
    """One row of zeros and ones per filter."""
    raw = np.ascontiguousarray(words.to_numpy().astype(np.int64)).view(np.uint8)
    return np.unpackbits(raw, axis=1, bitorder="little").astype(np.float32)


def _read(part: pl.DataFrame, words: tuple[str, ...], known: Knowledge) -> pl.Series:
    """The name the attacker reads in each filter of one salt."""
    tokens = part.select(pl.struct(words).hash()).to_series()
    seen = part.with_columns(jeton=tokens)
    seeds = likeliest(seen, tokens.unique(maintain_order=True), known)
    distinct = seen.group_by("jeton", maintain_order=True).agg(pl.col(words).first(), taille=pl.len())
    distinct = distinct.join(seeds, on="jeton", how="left").sort("taille", descending=True)
    bits, dictionary = bits_of(distinct.select(words)), _dictionary(known, part)
    names = distinct["lue"].to_list()
    trusted = np.arange(len(names)) < SEEDS
    for _ in range(ROUNDS):
        positions = _learned(bits[trusted], [n for n, kept in zip(names, trusted, strict=True) if kept])
        if not positions:
            break
        likeness, best = _closest(bits, dictionary, positions)
        names = [
            dictionary[b] if sure else name
            for name, b, sure in zip(names, best, likeness >= LIKENESS, strict=True)
        ]
        trusted = likeness >= LIKENESS + 0.15
        if trusted.sum() < LEAST_FILTERS:
            break
    by_token = pl.DataFrame({"jeton": distinct["jeton"], "lue": pl.Series(names, dtype=pl.String)})
    return seen.select("jeton").join(by_token, on="jeton", how="left", maintain_order="left")["lue"]


def _dictionary(known: Knowledge, part: pl.DataFrame) -> list[str]:
    """The names somebody of the group's classes is known to bear."""
    met = known.counts.join(part.select("classe").unique(), on="classe", how="semi")
    return met["valeur"].unique().sort().to_list()


def bigrams_of(name: str) -> set[str]:
    """The bigrams of each word, its borders marked."""
    return {f"_{word}_"[at : at + 2] for word in name.split() for at in range(len(word) + 1)}


def _learned(bits: Bits, names: list[str | None]) -> dict[str, Bits]:
    """Bigram → its bits, learned from the filters believed to hold it."""
    holders: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        for bigram in bigrams_of(name or ""):
            holders.setdefault(bigram, []).append(row)
    found = {
        bigram: (bits[rows].mean(axis=0) >= ALWAYS).astype(np.float32)
        for bigram, rows in holders.items()
        if len(rows) >= LEAST_FILTERS
    }
    return {bigram: own for bigram, own in found.items() if own.any()}


def _closest(
    bits: Bits, dictionary: list[str], positions: dict[str, Bits]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """For each filter, the likeness (Dice) and the rank of the name that explains it best."""
    expected = np.zeros((len(dictionary), bits.shape[1]), dtype=np.float32)
    for row, name in enumerate(dictionary):
        for bigram in bigrams_of(name):
            if bigram in positions:
                np.maximum(expected[row], positions[bigram], out=expected[row])
    likeness = np.zeros(len(bits), dtype=np.float32)
    best = np.zeros(len(bits), dtype=np.int64)
    sizes = expected.sum(axis=1)
    for start in range(0, len(bits), 1000):
        some = bits[start : start + 1000]
        dice = 2 * some @ expected.T / (some.sum(axis=1)[:, None] + sizes[None, :] + 1e-9)
        best[start : start + 1000], likeness[start : start + 1000] = dice.argmax(axis=1), dice.max(axis=1)
    return likeness, best
