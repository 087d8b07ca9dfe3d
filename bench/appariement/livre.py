"""The delivered identity through the real code of both ends: encoded as delivered, linked as in the chain."""

import tempfile
from pathlib import Path

import polars as pl

from bench.appariement.donnees import DataSet
from bench.appariement.facons import EPOCH, KEY
from pipelines.linkage.engines import DuckDbEngine
from pipelines.linkage.scoring import linkable, score
from pipelines.linkage.sources import PLAIN, TOKEN_DIGITS, TOKENS, _places
from pipelines.linkage.training import train
from pipelines.linkage.workspace import comparison_room
from pipelines.settings import Settings
from pipelines.source import normalise
from pipelines.source.encode import Encoder, identities
from schemas.fields import FILTER_COLUMNS

SEED = 20260131
SOUGHT = {
    "jeton_naissance_prenom_date": ("naissance", "prenom"),
    "jeton_naissance_prenom_chiffres": ("naissance", "prenom"),
    "jeton_naissance_prenom_commune": ("naissance", "prenom"),
    "jeton_naissance_initiale_date": ("naissance", "prenom"),
    "jeton_naissance_debut_prenom_date": ("naissance", "prenom"),
    "jeton_naissance_prenom_lieu_date": ("naissance", "lieu"),
    "jeton_date_commune": ("naissance", "prenom"),
}
"""For each column of tokens, what an attacker looks for in it. Used names share the tokens of birth names."""


BOUND = {
    "jeton_naissance_prenom_date": ("phon_naissance", "phon_prenom", "date"),
    "jeton_naissance_prenom_chiffres": ("phon_naissance", "phon_prenom", "chiffres", "lieu_su"),
    "jeton_naissance_prenom_commune": ("phon_naissance", "phon_prenom", "commune_insee", "lieu_su"),
    "jeton_naissance_initiale_date": ("phon_naissance", "initiale", "date"),
    "jeton_naissance_debut_prenom_date": ("debut_naissance", "phon_prenom", "date"),
    "jeton_naissance_prenom_lieu_date": ("phon_naissance", "phon_prenom", "lieu", "date"),
    "jeton_date_commune": ("date", "commune_insee"),
}
"""What each of those columns binds; a test holds it against the real tokens."""


def encode(data: DataSet) -> pl.DataFrame:
    """The identity file of every source, under one number per record, clear columns included."""
    parts = [
        _delivered_by(source, data) for source in data.fiches.partition_by("source", maintain_order=True)
    ]
    return pl.concat(parts).sort("fiche")


def _delivered_by(source: pl.DataFrame, data: DataSet) -> pl.DataFrame:
    encoded = identities(source, Encoder(KEY, "bench", EPOCH), data.mois)
    clear = source.select(
        "fiche",
        "source",
        "sexe",
        "commune_insee",
        naissance_annee=normalise.birth("date_naissance", data.mois).annee,
    )
    return pl.concat([clear, encoded], how="horizontal")


def linked(data: DataSet) -> pl.DataFrame:
    """gauche, droite, probabilite, poids, jumeaux: the pairs the chain would score."""
    with tempfile.TemporaryDirectory() as folder, comparison_room(Path(folder)) as room:
        room.register("_fiches", _records(encode(data)).to_arrow())
        room.execute("CREATE TABLE fiches AS SELECT * FROM _fiches ORDER BY fiche")
        engine = DuckDbEngine(room)
        pairs = score(engine, train(engine, data.sources, SEED))
    told = pairs.with_columns(jumeaux=pl.lit(True)).join(
        linkable(pairs, "poids", -1e9).select("gauche", "droite", est_liable=pl.lit(True)),
        on=["gauche", "droite"],
        how="left",
    )
    return told.select("gauche", "droite", "probabilite", "poids", jumeaux=pl.col("est_liable").is_null())


def _records(encoded: pl.DataFrame) -> pl.DataFrame:
    """The columns and types of the table ``fiches`` of the linkage, each name standing for the other."""
    numbers = (pl.col(name).str.head(TOKEN_DIGITS).str.to_integer(base=16) for name in TOKENS)
    frame = encoded.select(
        "fiche",
        "source",
        *(pl.col(name).cast(kind) for name, kind in PLAIN.items()),
        *numbers,
        *(pl.col(name).cast(pl.Int64) for name in FILTER_COLUMNS),
        commune_part=pl.len().over("commune_insee") / pl.len(),
    ).join(_places(Settings()), on="commune_insee", how="left")
    used = [name for name in frame.columns if "usage" in name]
    birth = [name.replace("usage", "naissance") for name in used]
    return frame.with_columns(
        *(pl.coalesce(u, b).alias(u) for u, b in zip(used, birth, strict=True)),
        *(pl.coalesce(b, u).alias(b) for u, b in zip(used, birth, strict=True)),
    )
