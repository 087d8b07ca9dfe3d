"""From normalised identities to tokens and Bloom filters: what linkage may compare, and nobody can read back.

HMAC-SHA256 under one HKDF subkey per field and key epoch. A token is the first 128 bits in hexadecimal.
A filter has 512 bits: each (birth date, bigram) sets 15 positions, read 9 bits at a time from the 256 bits of
one HMAC (independent positions, not double hashing). Salting with the birth date leaves no frequency to mine.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import polars as pl

from pipelines.source import keys, nir, normalise, phonetics

TOKEN_HEX = 32
FILTER_BITS = 512
POSITIONS = 15
WORDS = 8
_POSITION_BITS = 9
_BLOCK = 64

TOKENS = (
    "jeton_nir",
    "jeton_nir_provisoire",
    "jeton_date",
    "jeton_naissance_prenom_date",
    "jeton_usage_prenom_date",
    "jeton_prenom_date",
    "jeton_phon_naissance_annee",
    "jeton_phon_usage_annee",
    "jeton_phon_naissance_date",
    "jeton_phon_usage_date",
    "jeton_lieu_date",
)
FILTERS = ("filtre_naissance", "filtre_usage", "filtre_prenoms")

Mac = Callable[[bytes], bytes]


def mac(key: bytes) -> Mac:
    """HMAC-SHA256 under ``key`` (RFC 2104), its two padded blocks hashed once for all messages."""
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK, b"\0")))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK, b"\0")))

    def digest(message: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return second.digest()

    return digest


@dataclass(frozen=True)
class Encoder:
    """The project's key under one epoch, for one partner."""

    key: bytes
    partenaire: str
    millesime: str

    def identifier(self, nature: str) -> Mac:
        """The function that re-keys identifiers of one nature: stable from month to month, no epoch."""
        return mac(keys.subkey(self.key, f"identifiant/{self.partenaire}/{nature}"))

    def dwelling(self, mois: str) -> Mac:
        """The function that keys addresses for one delivery only."""
        return mac(keys.subkey(self.key, f"logement/{self.partenaire}/{mois}"))

    def field(self, champ: str) -> Mac:
        """The function that keys one field of the identity, the same for every partner of the epoch."""
        return mac(keys.subkey(self.key, f"identite/{keys.check_epoch(self.millesime)}/{champ}"))


def token(function: Mac, text: str) -> str:
    """The first 128 bits of the HMAC of a text, in hexadecimal."""
    return function(text.encode())[: TOKEN_HEX // 2].hex()


def tokens(function: Mac, texts: pl.Series) -> pl.Series:
    """Tokens of a text column; null stays null; each different text is hashed once."""
    different = texts.drop_nulls().unique()
    hashed = pl.Series([token(function, text) for text in different], dtype=pl.String)
    return texts.replace_strict(different, hashed, default=None, return_dtype=pl.String)


def bigrams(words: str) -> frozenset[str]:
    """Bigrams of each word, its borders marked: « LE » gives _L LE E_."""
    padded = [f"_{word}_" for word in words.split()]
    return frozenset(word[i : i + 2] for word in padded for i in range(len(word) - 1))


def mask(digest: bytes) -> int:
    """Fifteen positions as a 512-bit integer: bits 9i..9i+8 of the digest, read little-endian."""
    number = int.from_bytes(digest[:18], "little")
    low, high = _pair_masks(), _single_masks()
    bits = high[number >> 126 & 511]
    for pair in range(POSITIONS // 2):
        bits |= low[number >> 18 * pair & 0x3FFFF]
    return bits


def filters(function: Mac, dates: pl.Series, words: pl.Series) -> pl.Series:
    """Bloom filters (64 bytes each) of the words of each row, salted with its birth date; null if either is.

    Rows are met by date, so that a bigram shared by people born on one day is hashed once.
    """
    rows = pl.DataFrame({"date": dates, "mots": words}).with_row_index("rang").drop_nulls().sort("date")
    encoded = pl.Series(_blooms(function, rows.select("date", "mots").iter_rows()), dtype=pl.Binary)
    found = rows.select("rang").with_columns(filtre=encoded)
    every = pl.DataFrame({"rang": pl.int_range(len(dates), dtype=pl.UInt32, eager=True)})
    return every.join(found, on="rang", how="left", maintain_order="left")["filtre"]


def filter_columns(name: str, blooms: pl.Series) -> list[pl.Series]:
    """``name_0`` … ``name_7`` (Int64, little-endian words) and ``name_bits`` (Int16, bits set)."""
    words = [
        blooms.bin.slice(8 * word, 8)
        .bin.reinterpret(dtype=pl.Int64, endianness="little")
        .alias(f"{name}_{word}")
        for word in range(WORDS)
    ]
    counted = pl.DataFrame(words).select(
        pl.sum_horizontal(
            [pl.col(word.name).bitwise_count_ones().cast(pl.Int16) for word in words], ignore_nulls=False
        ).cast(pl.Int16)
    )
    return [*words, counted.to_series().alias(f"{name}_bits")]


def identities(frame: pl.DataFrame, encoder: Encoder, mois: str) -> pl.DataFrame:
    """Tokens and filters of the people of a frame holding the identity columns of the contract.

    Columns: :data:`TOKENS` (String, 32 hexadecimal characters) then, for each of :data:`FILTERS`, eight Int64
    and a count of bits; one row per row of ``frame``, same order. Anything whose source is missing is null;
    without a whole birth date every filter is, for a constant salt would bring frequencies back.
    """
    plain = _plain(frame, mois)
    texts = {
        "jeton_nir": ("nir", plain["nir"]),
        "jeton_nir_provisoire": ("nir_provisoire", plain["nir_provisoire"]),
        "jeton_date": ("date", plain["date"]),
        "jeton_naissance_prenom_date": ("nom_prenom_date", _together(plain, "naissance", "prenom", "date")),
        "jeton_usage_prenom_date": ("nom_prenom_date", _together(plain, "usage", "prenom", "date")),
        "jeton_prenom_date": ("prenom_date", _together(plain, "prenom", "date")),
        "jeton_phon_naissance_annee": (
            _PHONETIC + "_annee",
            _together(plain, "phon_naissance", "phon_prenom", "annee"),
        ),
        "jeton_phon_usage_annee": (
            _PHONETIC + "_annee",
            _together(plain, "phon_usage", "phon_prenom", "annee"),
        ),
        "jeton_phon_naissance_date": (_PHONETIC + "_date", _together(plain, "phon_naissance", "date")),
        "jeton_phon_usage_date": (_PHONETIC + "_date", _together(plain, "phon_usage", "date")),
        "jeton_lieu_date": ("lieu_date", _together(plain, "lieu", "date")),
    }
    columns = [tokens(encoder.field(champ), text).alias(name) for name, (champ, text) in texts.items()]
    for name, (champ, words) in _FILTER_SOURCES.items():
        blooms = filters(encoder.field(champ), plain["date"], plain[words])
        columns.extend(filter_columns(name, blooms))
    return pl.DataFrame(columns)


_PHONETIC = f"phonetique_{phonetics.VERSION}"

_FILTER_SOURCES = {
    "filtre_naissance": ("filtre_nom", "mots_naissance"),
    "filtre_usage": ("filtre_nom", "mots_usage"),
    "filtre_prenoms": ("filtre_prenoms", "mots_prenoms"),
}


def _plain(frame: pl.DataFrame, mois: str) -> pl.DataFrame:
    """Everything the encoders read, normalised, in clear: lives in memory only."""
    name = normalise.names("nom_naissance", "nom_usage", "prenoms")
    born = normalise.birth("date_naissance", mois)
    sexe = pl.col("sexe").cast(pl.String)
    number = nir.nir("nir", sexe=sexe, annee=born.annee, mois=born.mois)
    has_nir = "nir" in frame.columns
    place = pl.col("lieu_naissance").cast(pl.String).str.to_uppercase().str.extract(r"^\s*([0-9AB]{5})\s*$")
    plain = frame.select(
        nir=number.definitif if has_nir else pl.lit(None, pl.String),
        nir_provisoire=number.provisoire if has_nir else pl.lit(None, pl.String),
        date=born.date,
        annee=born.annee.cast(pl.String),
        naissance=normalise.compact(name.naissance),
        usage=normalise.compact(name.usage),
        prenom=name.premier_prenom,
        lieu=place,
        mots_naissance=normalise.joined_particles(name.naissance),
        mots_usage=normalise.joined_particles(name.usage),
        mots_prenoms=name.prenoms,
    )
    return plain.with_columns(
        phon_naissance=_phonetic(plain["naissance"]),
        phon_usage=_phonetic(plain["usage"]),
        phon_prenom=_phonetic(plain["prenom"]),
    )


def _phonetic(words: pl.Series) -> pl.Series:
    different = words.drop_nulls().unique()
    codes = pl.Series([phonetics.phonetic(word) for word in different], dtype=pl.String)
    return words.replace_strict(different, codes, default=None, return_dtype=pl.String)


def _together(plain: pl.DataFrame, *parts: str) -> pl.Series:
    return plain.select(pl.concat_str(parts, separator="|")).to_series()


def _blooms(function: Mac, rows: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    met: dict[str, int] = {}
    current = ""
    for day, words in rows:
        if day != current:
            current, met = day, {}
        bits = 0
        for bigram in bigrams(words):
            found = met.get(bigram)
            if found is None:
                found = met[bigram] = mask(function(f"{day}|{bigram}".encode()))
            bits |= found
        yield bits.to_bytes(FILTER_BITS // 8, "little")


@cache
def _single_masks() -> tuple[int, ...]:
    return tuple(1 << position for position in range(FILTER_BITS))


@cache
def _pair_masks() -> tuple[int, ...]:
    single = _single_masks()
    return tuple(single[i & 511] | single[i >> _POSITION_BITS] for i in range(1 << 2 * _POSITION_BITS))
