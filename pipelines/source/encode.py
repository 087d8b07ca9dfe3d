"""From normalised identities to tokens and Bloom filters: what linkage may compare, and nobody can read back.

HMAC-SHA256 under one HKDF subkey per field and key epoch. A token is the first 128 bits in hexadecimal.
A filter has 512 bits: each (birth date, bigram) sets 15 positions read from the 256 bits of one HMAC, 9 bits
in each of its first fifteen 16-bit little-endian words (independent positions, not double hashing). Salting
with the birth date leaves no frequency to mine.
"""

import hashlib
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_

import polars as pl

from pipelines.identifiers import nir
from pipelines.source import keys, normalise, phonetics
from schemas import ENCODING_VERSION

TOKEN_HEX = 32
FILTER_BITS = 512
POSITIONS = 15
WORDS = 8
_MOTS = [f"mot_{word}" for word in range(WORDS)]
_BLOCK = 64
_SLICE_ROWS = 50_000


class Mac:
    """HMAC-SHA256 under one key (RFC 2104), its two padded blocks hashed once for all messages."""

    def __init__(self, key: bytes) -> None:
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK, b"\0")))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK, b"\0")))

    def digests(self, messages: pl.Series) -> list[bytes]:
        """The 32 bytes of each text. One tight loop: this is where the time of a delivery goes."""
        inner, outer = self._inner.copy, self._outer.copy
        found: list[bytes] = []
        for message in messages.to_list():
            first, second = inner(), outer()
            first.update(message.encode())
            second.update(first.digest())
            found.append(second.digest())
        return found


@dataclass(frozen=True)
class Encoder:
    """The project's key under one epoch, for one partner."""

    key: bytes
    partenaire: str
    millesime: str

    def identifier(self, nature: str) -> Mac:
        """What re-keys identifiers of one nature: stable from month to month, no epoch."""
        return Mac(keys.subkey(self.key, f"identifiant/{self.partenaire}/{nature}"))

    def dwelling(self, mois: str) -> Mac:
        """What keys addresses for one delivery only."""
        return Mac(keys.subkey(self.key, f"logement/{self.partenaire}/{mois}"))

    def field(self, champ: str) -> Mac:
        """What keys one field of the identity, the same for every partner of the epoch and encoding."""
        generation = f"{ENCODING_VERSION}/{keys.check_epoch(self.millesime)}"
        return Mac(keys.subkey(self.key, f"identite/{generation}/{champ}"))


def tokens(function: Mac, texts: pl.Series) -> pl.Series:
    """The first 128 bits in hexadecimal of each text; null stays null; each different text is hashed once."""
    different = texts.drop_nulls().unique()
    hashed = [digest[: TOKEN_HEX // 2].hex() for digest in function.digests(different)]
    return texts.replace_strict(different, pl.Series(hashed, dtype=pl.String), default=None)


def bigrams(words: pl.Expr) -> pl.Expr:
    """Lists of the bigrams of each word, its borders marked: « LE » gives _L LE E_."""
    padded = "_" + words.str.replace_all(" ", "_ _", literal=True) + "_"
    every = pl.concat_list(padded.str.extract_all(".."), padded.str.slice(1).str.extract_all(".."))
    return every.list.eval(pl.element().filter(~pl.element().str.contains(" ", literal=True)))


def masks(digests: pl.Series) -> pl.DataFrame:
    """Fifteen positions of each 32-byte HMAC as eight Int64 words, ``mot_0`` (positions 0–63) … ``mot_7``."""
    units = digests.bin.reinterpret(dtype=pl.Array(pl.UInt16, 16), endianness="little")
    positions = [units.arr.get(i).cast(pl.UInt32) % FILTER_BITS for i in range(POSITIONS)]
    return pl.DataFrame(
        [
            reduce(or_, (_word_of_position(word).gather(p) for p in positions)).alias(f"mot_{word}")
            for word in range(WORDS)
        ]
    )


def filters(function: Mac, name: str, dates: pl.Series, words: pl.Series) -> pl.DataFrame:
    """Bloom filters of the words of each row, salted with its birth date; all null when either is missing.

    Columns ``name_0`` … ``name_7`` (Int64) and ``name_bits`` (Int16, bits set), one row per row given.
    """
    rows = pl.DataFrame({"date": dates, "mots": words}).with_row_index("rang").drop_nulls()
    slices = [_filled(function, part) for part in rows.iter_slices(_SLICE_ROWS)]
    found = pl.concat([_filled(function, rows.clear()), *slices])
    every = pl.DataFrame({"rang": pl.int_range(len(dates), dtype=pl.UInt32, eager=True)})
    placed = every.join(found, on="rang", how="left", maintain_order="left")
    bits = pl.sum_horizontal(pl.col(_MOTS).bitwise_count_ones().cast(pl.Int16), ignore_nulls=False)
    return placed.select(
        *(pl.col(mot).alias(f"{name}_{word}") for word, mot in enumerate(_MOTS)),
        bits.cast(pl.Int16).alias(f"{name}_bits"),
    )


def identities(frame: pl.DataFrame, encoder: Encoder, mois: str) -> pl.DataFrame:
    """Tokens and filters of all the people of a frame holding the identity columns of the contract.

    Columns: the tokens (String, 32 hexadecimal characters) then, for each filter, eight Int64 and a count of
    bits, as ``schemas`` declares them; one row per row of ``frame``, same order. Anything whose source is
    missing is null; without a whole birth date every filter is: a constant salt would bring frequencies back.
    """
    encoded = identities_of_slice(frame, encoder, mois)
    return without_borrowed(encoded, borrowed(encoded.lazy())).drop(MARKS)


NIR_TOKENS = ("jeton_nir", "jeton_nir_prenom")
"""Every token made of the NIR: missing for whom the number was lent."""

MARKS = ("est_contredit", "porteur")
"""What tells a lent number, never delivered: the record contradicts it; which first name bears it."""


def identities_of_slice(frame: pl.DataFrame, encoder: Encoder, mois: str, graine: int = 0) -> pl.DataFrame:
    """:func:`identities` of some of the people, lent numbers not yet removed, and ``MARKS``.

    ``graine``: what the marks of first names are hashed with, the same for all the slices of a table.
    """
    plain = _plain(frame, mois)
    texts = {
        "jeton_nir": ("nir", plain["nir"]),
        "jeton_nir_prenom": (f"nir_{_PHONETIC}", _together(plain, "nir", "phon_prenom")),
        "jeton_nir_provisoire": ("nir_provisoire", plain["nir_provisoire"]),
        "jeton_date_commune": ("date_commune", _together(plain, "date", "commune")),
        "jeton_naissance_prenom_lieu_date": (
            f"{_PHONETIC}_prenom_lieu_date",
            _together(plain, "paire_naissance", "lieu", "date"),
        ),
        **{
            f"jeton_{name}_{part}": (f"{_PHONETIC}_{part}", _together(plain, *parts))
            for name in ("naissance", "usage")
            for part, parts in _bound_to_a_name(name).items()
        },
    }
    salt = _together(plain, "date", "commune")
    columns = [tokens(encoder.field(champ), text).alias(name) for name, (champ, text) in texts.items()]
    blooms = [
        filters(encoder.field("filtres"), name, salt, plain[words]) for name, words in _FILTER_SOURCES.items()
    ]
    marks = [plain["nir_contredit"], plain["phon_prenom"].fill_null("").hash(graine)]
    contested, bearer = (mark.alias(name) for mark, name in zip(marks, MARKS, strict=True))
    return pl.concat([pl.DataFrame(columns), *blooms, pl.DataFrame([contested, bearer])], how="horizontal")


def borrowed(encoded: pl.LazyFrame) -> pl.Series:
    """The tokens of numbers that contradict a record and that several first names bear."""
    contested, bearer = MARKS
    known = encoded.select("jeton_nir", *MARKS).filter(pl.col("jeton_nir").is_not_null())
    doubtful = known.filter(contested).select("jeton_nir").unique()
    bearers = known.join(doubtful, on="jeton_nir", how="semi").group_by("jeton_nir")
    shared = bearers.agg(pl.col(bearer).n_unique()).filter(pl.col(bearer) > 1)
    return shared.select("jeton_nir").collect().to_series()


def without_borrowed(encoded: pl.DataFrame, lent: pl.Series) -> pl.DataFrame:
    """No token of the NIR where the record contradicts a shared number: the insured's, lent to kin."""
    keeps = ~(pl.col(MARKS[0]) & pl.col("jeton_nir").is_in(lent.implode())).fill_null(False)
    return encoded.with_columns(pl.when(keeps).then(token).alias(token) for token in NIR_TOKENS)


_PHONETIC = "phonetique"

_FILTER_SOURCES = {
    "filtre_naissance": "mots_naissance",
    "filtre_usage": "mots_usage",
    "filtre_prenoms": "mots_prenoms",
}
"""One namespace for the three: a name and a first name written in each other's place are still alike."""


def _bound_to_a_name(name: str) -> dict[str, tuple[str, ...]]:
    """What each token of a name binds together, always more than two things: no frequency is left."""
    return {
        "prenom_date": (f"paire_{name}", "date"),
        "prenom_chiffres": (f"phon_{name}", "phon_prenom", "chiffres", "lieu_su"),
        "prenom_commune": (f"phon_{name}", "phon_prenom", "commune", "lieu_su"),
        "initiale_date": (f"phon_{name}", "initiale", "date"),
        "debut_prenom_date": (f"debut_{name}", "phon_prenom", "date"),
    }


def _plain(frame: pl.DataFrame, mois: str) -> pl.DataFrame:
    """Everything the encoders read, normalised, in clear: lives in memory only."""
    name = normalise.names("nom_naissance", "nom_usage", "prenoms")
    born = normalise.birth("date_naissance", mois)
    sexe = pl.col("sexe").cast(pl.String)
    number = nir.nir("nir", sexe=sexe, annee=born.annee, mois=born.mois)
    has_nir = "nir" in frame.columns
    place = pl.col("lieu_naissance").cast(pl.String).str.to_uppercase().str.extract(r"^\s*([0-9AB]{5})\s*$")
    nothing = pl.lit(None, pl.String)
    plain = (
        frame.lazy()
        .select(
            nir=number.definitif if has_nir else nothing,
            nir_provisoire=number.provisoire if has_nir else nothing,
            nir_contredit=number.est_contredit.fill_null(False) if has_nir else pl.lit(False),
            date=born.date,
            annee=born.annee.cast(pl.String),
            jour=born.date.str.slice(5),
            chiffres=born.date.str.extract_all(r"\d").list.sort().list.join(""),
            naissance=normalise.compact(name.naissance),
            usage=normalise.compact(name.usage),
            prenom=name.premier_prenom,
            lieu=place,
            lieu_su=place.fill_null(""),
            commune=pl.col("commune_insee").cast(pl.String).str.strip_chars(),
            initiale=name.premier_prenom.str.slice(0, 1),
            debut_naissance=normalise.compact(name.naissance).str.slice(0, 3),
            debut_usage=normalise.compact(name.usage).str.slice(0, 3),
            mots_naissance=normalise.joined_particles(name.naissance),
            mots_usage=normalise.joined_particles(name.usage),
            mots_prenoms=name.prenoms,
        )
        .collect()
    )
    heard = plain.with_columns(
        phon_naissance=_phonetic(plain["naissance"]),
        phon_usage=_phonetic(plain["usage"]),
        phon_prenom=_phonetic(plain["prenom"]),
    )
    return heard.with_columns(_pair("naissance"), _pair("usage"))


def _pair(name: str) -> pl.Expr:
    """Name and first name in alphabetical order: the same when each is written in the other's place."""
    both = pl.concat_list(f"phon_{name}", "phon_prenom")
    known = pl.all_horizontal(pl.col(f"phon_{name}", "phon_prenom").is_not_null())
    return pl.when(known).then(both.list.sort().list.join("|")).alias(f"paire_{name}")


def _phonetic(words: pl.Series) -> pl.Series:
    different = words.drop_nulls().unique()
    codes = pl.Series([phonetics.phonetic(word) for word in different], dtype=pl.String)
    return words.replace_strict(different, codes, default=None, return_dtype=pl.String)


def _together(plain: pl.DataFrame, *parts: str) -> pl.Series:
    return plain.select(pl.concat_str(parts, separator="|")).to_series()


def _filled(function: Mac, rows: pl.DataFrame) -> pl.DataFrame:
    """rang and the eight words of the filter of each row (columns rang, date, mots)."""
    salted = (
        rows.select("rang", "date", bigramme=bigrams(pl.col("mots")))
        .explode("bigramme")
        .select("rang", sel=pl.concat_str("date", "bigramme", separator="|"))
    )
    digests = pl.Series(function.digests(salted["sel"]), dtype=pl.Binary)
    return masks(digests).with_columns(salted["rang"]).group_by("rang").agg(pl.col(_MOTS).bitwise_or())


@cache
def _word_of_position(word: int) -> pl.Series:
    """For each of the 512 positions, what it sets in one 64-bit word (two's complement)."""
    bits = [1 << position % 64 if position // 64 == word else 0 for position in range(FILTER_BITS)]
    return pl.Series([bit - (1 << 64) if bit >> 63 else bit for bit in bits], dtype=pl.Int64)
