"""Clerical review of links, blind: patterns of agreement in words; no value, no score, no decision is shown.

It audits the links that were made, and the pairs just refused. The pattern alone does not always tell, and
the pairs no blocking rule brought together never reach the reader: it says nothing of them.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from pipelines.linkage.model import COMPARISONS
from pipelines.refusals import Refusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

Answer = Literal["o", "n", "d"]

ANSWERS: dict[str, Answer] = {"o": "o", "n": "n", "d": "d"}
LEAVE = "q"
QUESTION = "Une même personne ? o(ui), n(on), d(oute), q(uitter) : "
REFEREE = "arbitre"
"""The reader whose answers settle the disagreements of the two others."""

REFUSED = "refusees"
BANDS = {"moins_10": 10.0, "10_20": 20.0, "20_30": 30.0, "30_plus": float("inf")}
"""Bands of weight of the links made, by the weight in bits they stop at; refused pairs are apart."""

SAMPLE, ANSWERED = "meta__relecture_tirage", "meta__relecture"
_ANSWERED_SCHEMA = {
    "tirage": pl.String, "rang": pl.Int64, "bande": pl.String, "lecteur": pl.String, "reponse": pl.String,
    "date": pl.Date,
}  # fmt: skip
_STRATUM = ["source_g", "source_d", "bande"]
_PAIR = ["source_g", "personne_id_g", "source_d", "personne_id_d"]
_NOUNS = {
    "nir": "NIR", "date": "date de naissance", "noms": "noms", "prenoms": "prénoms",
    "lieu": "lieu de naissance", "commune": "commune", "sexe": "sexe",
}  # fmt: skip
_TWINS = "attention : deux prénoms différents à la même date, peut-être des jumeaux"


def sample(warehouse: Warehouse, settings: Settings, size: int) -> str:
    """Draw, once, the pairs of the last linkage that every reader judges; return the mark of the draw.

    Strata are couples of sources and bands of weight; the order of the pairs says nothing of their stratum.
    Writes ``meta__relecture_tirage``, in which a pair is a digest and its pattern. A second
    call on the same linkage draws nothing again. Raises :class:`Refusal` before the first linkage.
    """
    mark = linkage_mark(warehouse)
    if warehouse.exists(SAMPLE) and warehouse.query(_KNOWN_DRAW, tirage=mark).item():
        return mark
    pairs = _banded(warehouse.read("core__paires")).sort(_PAIR)
    drawn = _drawn(pairs, size, np.random.default_rng(settings.appariement.graine))
    digests = pl.Series([_digest(mark, *row) for row in drawn.select(_PAIR).rows()], dtype=pl.String)
    warehouse.append(
        SAMPLE,
        drawn.select(
            *_STRATUM, "motif", "n", tirage=pl.lit(mark), empreinte=digests,
            rang=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        ).select("tirage", "rang", *_STRATUM, "n", "motif", "empreinte"),
    )  # fmt: skip
    return mark


_KNOWN_DRAW = "SELECT count(*) > 0 FROM meta__relecture_tirage WHERE tirage = $tirage"
_MARK = (
    "SELECT count(*) AS n, sum(hash(personne_id_g, personne_id_d, motif, est_retenue) % 1000000007) AS somme "
    "FROM core__paires"
)


def linkage_mark(warehouse: Warehouse) -> str:
    """A mark of the pairs of the last linkage: another linkage, another mark."""
    if not warehouse.exists("core__paires") or not warehouse.count("core__paires"):
        raise Refusal(
            "Aucune paire à relire : aucun appariement n'a été fait.",
            ou="core__paires",
            que_faire="Lancer « nonrecours executer --mois AAAA-MM », puis relire.",
        )
    return hashlib.sha256(str(warehouse.query(_MARK).row(0)).encode()).hexdigest()[:16]


def _banded(pairs: pl.DataFrame) -> pl.DataFrame:
    band = pl.lit(None, pl.String)
    for name, stop in reversed(BANDS.items()):
        band = pl.when(pl.col("poids") < stop).then(pl.lit(name)).otherwise(band)
    return pairs.with_columns(bande=pl.when("est_retenue").then(band).otherwise(pl.lit(REFUSED)))


def _drawn(pairs: pl.DataFrame, size: int, generator: np.random.Generator) -> pl.DataFrame:
    """About ``size`` pairs, shuffled: as the square root of each stratum, one at least; ``n`` is its size.

    In proportion, fragile links would be too few to judge; in equal parts, the whole would be badly known.
    """
    strata = pairs.with_columns(n=pl.len().over(_STRATUM).cast(pl.Int64))
    shuffled = strata[generator.permutation(strata.height)]
    roots = pairs.group_by(_STRATUM).agg(root=pl.len().sqrt())["root"].sum()
    share = (size * pl.col("n").sqrt() / roots).round().clip(lower_bound=1)
    drawn = shuffled.filter(pl.int_range(pl.len()).over(_STRATUM) < share)
    return drawn[generator.permutation(drawn.height)]


def _digest(mark: str, *ids: str) -> str:
    return hashlib.sha256("|".join((mark, *ids)).encode()).hexdigest()[:32]


def in_words(pattern: str) -> str:
    """« NIR égaux ; date de naissance égale ; … » from the levels of a pair; what cannot be compared is said.

    The words are those of the model.
    """
    levels = dict(part.split(":") for part in pattern.split())
    words = {spec.nom: [level.libelle for level in spec.niveaux] for spec in COMPARISONS}
    said = [words[name][-1 - int(levels[name])] for name in words if levels[name] != "."]
    twins = [_TWINS] if levels["prenoms"] == "0" else []
    return " ; ".join(said + _silent(levels) + twins)


def _silent(levels: dict[str, str]) -> list[str]:
    """What is missing on one side, or speaks only of other pairs; nothing when all can be compared."""
    nouns = [noun for name, noun in _NOUNS.items() if levels[name] == "."]
    return [f"absents ou non comparables : {', '.join(nouns)}"] if nouns else []


def answers(warehouse: Warehouse, mark: str) -> pl.DataFrame:
    """tirage, rang, bande, lecteur, reponse, date: what was answered on this draw."""
    if not warehouse.exists(ANSWERED):
        return pl.DataFrame(schema=_ANSWERED_SCHEMA)
    return warehouse.read(ANSWERED).filter(tirage=mark)


def left_to_read(warehouse: Warehouse, mark: str, reader: str) -> pl.DataFrame:
    """The pairs of the draw this reader has not answered, in order: rang, bande, motif."""
    done = answers(warehouse, mark).filter(lecteur=reader)
    drawn = warehouse.read(SAMPLE).filter(tirage=mark).join(done, on="rang", how="anti")
    return drawn.sort("rang").select("rang", "bande", "motif")


def left_to_settle(warehouse: Warehouse, mark: str) -> pl.DataFrame:
    """The pairs two readers answered differently and nobody settled: rang, bande, motif."""
    told = answers(warehouse, mark)
    differing = (
        told.filter(pl.col("lecteur") != REFEREE).group_by("rang").agg(pl.col("reponse").n_unique() > 1)
    ).filter("reponse")
    return left_to_read(warehouse, mark, REFEREE).join(
        differing, on="rang", how="semi", maintain_order="left"
    )


def read_pairs(
    warehouse: Warehouse,
    mark: str,
    reader: str,
    ask: Callable[[str], str],
    say: Callable[[str], None],
    pairs: pl.DataFrame,
) -> int:
    """Show ``pairs`` one by one and store each answer at once; return how many were answered.

    ``ask`` shows a question and returns what was typed; ``q``, or the end of its input, ends the reading.
    """
    total = warehouse.read(SAMPLE).filter(tirage=mark).height
    for done, (rank, band, pattern) in enumerate(pairs.rows()):
        say(f"\nPaire {rank} sur {total}\n{in_words(pattern)}")
        answer = _answer(ask, say)
        if answer is None:
            return done
        row = (mark, rank, band, reader, answer, date.today())
        warehouse.append(ANSWERED, pl.DataFrame([row], schema=_ANSWERED_SCHEMA, orient="row"))
    return pairs.height


def _answer(ask: Callable[[str], str], say: Callable[[str], None]) -> Answer | None:
    while True:
        try:
            typed = ask(QUESTION).strip().lower()[:1]
        except EOFError:
            return None
        if typed == LEAVE:
            return None
        if typed in ANSWERS:
            return ANSWERS[typed]
        say("Répondre o, n, d ou q.")
