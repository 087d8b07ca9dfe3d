"""The ways of encoding an identity that are held against each other.

Each takes the same normalised identity (``clair.encode``) and gives what would be delivered: tokens by HMAC
and Bloom filters under the real encoder. They differ by how names are encoded, by what salts a filter, and by
how a filter is hardened; dates, places and the NIR are keyed in all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.source.encode import FILTER_BITS, Encoder, filters, tokens

Bits = npt.NDArray[np.uint8]
KEY, EPOCH = bytes(range(32)), "2026"
NAMES = ("naissance", "usage", "prenoms")
WORDS = FILTER_BITS // 64


@dataclass(frozen=True)
class Hardening:
    """What is done to a filter. ``seuil``: the likeness of 0..1 as it becomes after it, for the levels."""

    nom: str
    mots: int
    apply: Callable[[Bits], Bits]
    seuil: Callable[[float], float]


def _folded(bits: Bits) -> Bits:
    half = bits.shape[1] // 2
    return np.asarray(np.bitwise_xor(bits[:, :half], bits[:, half:]), dtype=np.uint8)


def _balanced(bits: Bits) -> Bits:
    order = np.random.default_rng(7).permutation(2 * bits.shape[1])
    balanced: Bits = np.concatenate([bits, 1 - bits], axis=1)[:, order]
    return balanced


def _flipped(share: float) -> Callable[[Bits], Bits]:
    return lambda bits: bits ^ (np.random.default_rng(7).random(bits.shape) < share).astype(np.uint8)


_USUAL_BITS = 100
"""Bits of a filter of a name of seven letters."""


def _likeness_after_flips(share: float) -> Callable[[float], float]:
    kept, noise = _USUAL_BITS * (1 - share) ** 2, (FILTER_BITS - _USUAL_BITS) * share**2
    size = _USUAL_BITS * (1 - share) + (FILTER_BITS - _USUAL_BITS) * share
    same = (kept + noise) / size
    return lambda likeness: likeness * same * (0.93 if likeness > 0.99 else 1.0)


HARDENINGS = {
    "": Hardening("", WORDS, lambda bits: bits, lambda likeness: likeness),
    "pliage": Hardening("repliés (XOR)", WORDS // 2, _folded, lambda likeness: likeness),
    "equilibre": Hardening(
        "équilibrés", 2 * WORDS, _balanced, lambda d: 1 - (1 - d) * 2 * _USUAL_BITS / FILTER_BITS
    ),
    "blip5": Hardening("bruités (BLIP 0,05)", WORDS, _flipped(0.05), _likeness_after_flips(0.05)),
    "blip10": Hardening("bruités (BLIP 0,10)", WORDS, _flipped(0.10), _likeness_after_flips(0.10)),
}


@dataclass(frozen=True)
class Way:
    """``sel``: columns that salt the filters, None for no filter. ``jetons``: column → what it binds.

    ``attaques``: column → the part of the person (``naissance``, ``prenom``, ``lieu``) an attacker looks for.
    """

    nom: str
    libelle: str
    jetons: dict[str, tuple[str, ...]]
    attaques: dict[str, str]
    sel: tuple[str, ...] | None = None
    durcissement: str = ""
    est_nu: bool = False
    noms: tuple[str, ...] = field(default=NAMES)

    @property
    def hardening(self) -> Hardening:
        """How filters are hardened."""
        return HARDENINGS[self.durcissement]


_PHONETIC = {
    **{f"jeton_{n}_date": (f"phon_{n}", "date") for n in ("naissance", "usage")},
    "jeton_prenom_date": ("phon_prenom", "date"),
    **{
        f"jeton_{n}_{part}": (f"phon_{n}", "phon_prenom", part)
        for part in ("annee", "chiffres", "jour", "commune_insee")
        for n in ("naissance", "usage")
    },
    "jeton_lieu_date": ("lieu", "date"),
}
_SOUGHT = {
    "jeton_naissance_date": "naissance", "jeton_prenom_date": "prenom", "jeton_naissance_annee": "naissance",
    "jeton_naissance_chiffres": "naissance", "jeton_naissance_jour": "naissance",
    "jeton_naissance_commune_insee": "naissance", "jeton_lieu_date": "lieu",
}  # fmt: skip
_BARE = {
    **{f"jeton_{n}": (n,) for n in ("naissance", "usage", "prenom")},
    **{f"jeton_phon_{n}": (f"phon_{n}",) for n in ("naissance", "usage", "prenom")},
}


def _hardened_ways(nom: str, libelle: str, sel: tuple[str, ...]) -> list[Way]:
    return [
        Way(
            f"{nom}_{hardening}" if hardening else nom,
            f"{libelle} {known.nom}".strip(),
            _PHONETIC,
            _SOUGHT,
            sel,
            hardening,
        )
        for hardening, known in HARDENINGS.items()
    ]


WAYS = (
    Way(
        "jetons_nus", "jetons de noms seuls, sous clé", _BARE | _PHONETIC,
        {"jeton_naissance": "naissance", "jeton_prenom": "prenom"} | _SOUGHT, est_nu=True,
    ),
    Way("jetons", "jetons composés, sans filtre", _PHONETIC, _SOUGHT),
    *_hardened_ways("filtres_sans_sel", "filtres sans sel", ()),
    Way("filtres_annee", "filtres salés par l'année", _PHONETIC, _SOUGHT, ("annee",)),
    *_hardened_ways("filtres_date", "filtres salés par la date", ("date",)),
    Way(
        "filtres_date_commune", "filtres salés par la date et la commune", _PHONETIC, _SOUGHT,
        ("date", "commune_insee"),
    ),
)  # fmt: skip


def only_birth_names(way: Way) -> Way:
    """The same way, delivering the filter of birth names and no other."""
    return replace(way, jetons={}, noms=("naissance",))


def encode(plain: pl.DataFrame, way: Way) -> pl.DataFrame:
    """What the way would deliver of a normalised identity: clear columns, tokens, filters."""
    encoder = Encoder(KEY, "bench", EPOCH)
    keyed = {
        "jeton_nir": ("nir",),
        "jeton_date": ("date",),
        "jeton_chiffres": ("chiffres",),
        "jeton_lieu": ("lieu",),
    }
    columns = [
        tokens(encoder.field("|".join(parts).replace("usage", "naissance")), _text(plain, parts)).alias(name)
        for name, parts in (keyed | way.jetons).items()
    ]
    clear = plain.select("fiche", "source", "sexe", "commune_insee", "naissance_annee", "annee")
    return pl.concat([clear, pl.DataFrame(columns), *_blooms(plain, way, encoder)], how="horizontal")


def _text(plain: pl.DataFrame, parts: tuple[str, ...]) -> pl.Series:
    return plain.select(pl.concat_str(parts, separator="|")).to_series()


def _blooms(plain: pl.DataFrame, way: Way, encoder: Encoder) -> list[pl.DataFrame]:
    if way.sel is None:
        return []
    salt = _text(plain, way.sel) if way.sel else pl.Series(["-"] * plain.height)
    function = encoder.field("filtres")
    marks = tokens(encoder.field("sel"), salt).alias("sel")
    made = [
        _hardened(filters(function, f"filtre_{name}", salt, plain[f"mots_{name}"]), f"filtre_{name}", way)
        for name in way.noms
    ]
    return [marks.to_frame(), *made]


def _hardened(bloom: pl.DataFrame, name: str, way: Way) -> pl.DataFrame:
    """The eight words and the count of bits of a filter, hardened; null stays null."""
    if not way.durcissement:
        return bloom
    known = bloom[f"{name}_bits"].is_not_null()
    raw = bloom.select(pl.col(f"{name}_{word}").fill_null(0) for word in range(WORDS)).to_numpy()
    bits = np.unpackbits(np.ascontiguousarray(raw).view(np.uint8), axis=1, bitorder="little")
    hard = way.hardening.apply(bits)
    words = np.ascontiguousarray(np.packbits(hard, axis=1, bitorder="little")).view(np.int64)
    frame = pl.DataFrame(
        {f"{name}_{word}": words[:, word] for word in range(way.hardening.mots)}
    ).with_columns(pl.Series(f"{name}_bits", hard.sum(axis=1, dtype=np.int16)))
    return frame.with_columns(known.alias("connu")).select(
        pl.when("connu").then(column).alias(column) for column in frame.columns
    )
