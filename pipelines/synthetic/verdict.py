"""What the chain found, held against the truth of an invented territory."""

from itertools import combinations
from pathlib import Path

import polars as pl

from pipelines.refusals import Refusal
from pipelines.warehouse import Warehouse

CORRESPONDENCE = {"nature", "identifiant", "identifiant_livre"}
"""Columns of the file each partner keeps: the way back from the delivered identifiers."""

WHOLE_TERRITORY, EVERYBODY = "EPCI", "ensemble"


def judge_linkage(warehouse: Warehouse, verite: Path, correspondances: Path) -> pl.DataFrame:
    """Links between each two sources against the truth, counted in pairs of records.

    Returns source_g, source_d, precision, rappel, f1, vrais, faux, manques. A true pair is two delivered
    records of one person, one in each source; ``manques`` are true pairs not linked. ``correspondances`` is
    searched with its subfolders. Raises :class:`Refusal` when it holds no correspondence file.
    """
    known = _records(warehouse, verite, correspondances)
    sources = known["source"].unique().sort().to_list()
    rows = [_judged(known, left, right) for left, right in combinations(sources, 2)]
    return pl.DataFrame(rows, schema=_LINKAGE, orient="row")


def judge_rates(warehouse: Warehouse, verite: Path, mois: str) -> pl.DataFrame:
    """The territory's published rates against the true ones, for the three months ending at ``mois``.

    Returns droit, taux_vrai, taux_observe, taux_naif, taux_corrige, taux_bas, taux_haut (0 to 1),
    eligibles_vrais, eligibles_corriges, est_couvert, ecart_points (corrected minus true, in points).
    """
    truth = (
        pl.read_parquet(verite / "taux.parquet")
        .filter(pl.col("mois") == mois, pl.col("est_hors_agricole") == _without_farmers(warehouse))
        .select("droit", taux_vrai="taux", eligibles_vrais="eligibles")
    )
    judged = truth
    for method, column in (("observe", "taux_observe"), ("naif", "taux_naif")):
        rate = _published(warehouse, method).select("droit", pl.col("taux").alias(column))
        judged = judged.join(rate, on="droit", how="left")
    corrected = _published(warehouse, "corrige").select(
        "droit", "taux_bas", "taux_haut", taux_corrige="taux", eligibles_corriges="eligibles"
    )
    return judged.join(corrected, on="droit", how="left").sort("droit").select(*_RATES, *_DERIVED)


_LINKAGE = {
    "source_g": pl.String,
    "source_d": pl.String,
    "precision": pl.Float64,
    "rappel": pl.Float64,
    "f1": pl.Float64,
    "vrais": pl.Int64,
    "faux": pl.Int64,
    "manques": pl.Int64,
}

_RATES = (
    "droit",
    "taux_vrai",
    "taux_observe",
    "taux_naif",
    "taux_corrige",
    "taux_bas",
    "taux_haut",
    "eligibles_vrais",
    "eligibles_corriges",
)

_DERIVED = (
    pl.col("taux_vrai").is_between(pl.col("taux_bas"), pl.col("taux_haut")).alias("est_couvert"),
    ((pl.col("taux_corrige") - pl.col("taux_vrai")) * 100).round(2).alias("ecart_points"),
)


def _records(warehouse: Warehouse, verite: Path, correspondances: Path) -> pl.DataFrame:
    """source, personne_uid, personne: each delivered record, the person found and the true one."""
    ways = way_back(correspondances)
    truth = pl.read_parquet(verite / "enregistrements.parquet").select(
        pl.col("partenaire").alias("source"), pl.col("id").alias("identifiant"), "personne"
    )
    linked = warehouse.read("core__personnes_liees").select("source", "personne_id", "personne_uid")
    return (
        linked.join(ways, left_on="personne_id", right_on="identifiant_livre")
        .join(truth.unique(), on=["source", "identifiant"])
        .select("source", "identifiant", "personne_uid", "personne")
    )


def way_back(folder: Path) -> pl.DataFrame:
    """identifiant, identifiant_livre of every correspondence file under ``folder``."""
    files = [path for path in sorted(folder.rglob("*.parquet")) if _is_correspondence(path)]
    if not files:
        raise Refusal(
            "Aucune table de correspondance dans ce dossier.",
            ou=str(folder),
            que_faire="Donner le dossier que « nonrecours pseudonymiser » a rempli chez les partenaires.",
        )
    frames = [pl.read_parquet(path, columns=["identifiant", "identifiant_livre"]) for path in files]
    return pl.concat(frames).unique()


def _is_correspondence(path: Path) -> bool:
    return set(pl.read_parquet_schema(path)) >= CORRESPONDENCE


def _judged(
    known: pl.DataFrame, left: str, right: str
) -> tuple[str, str, float, float, float, int, int, int]:
    one, other = (known.filter(pl.col("source") == source) for source in (left, right))
    true, found = _pairs(one, other, "personne"), _pairs(one, other, "personne_uid")
    right_ones = found.join(true, on=["identifiant", "identifiant_right"], how="semi").height
    return (left, right, *_scores(right_ones, found.height, true.height))


def _pairs(left: pl.DataFrame, right: pl.DataFrame, key: str) -> pl.DataFrame:
    columns = ["identifiant", key]
    return left.select(columns).join(right.select(columns), on=key).select("identifiant", "identifiant_right")


def _scores(right: int, found: int, true: int) -> tuple[float, float, float, int, int, int]:
    """precision, rappel, f1 (not a number when there is nothing to judge), vrais, faux, manques."""
    nothing = float("nan")
    precision = right / found if found else nothing
    recall = right / true if true else nothing
    f1 = 2 * right / (found + true) if found + true else nothing
    return precision, recall, f1, right, found - right, true - right


def _without_farmers(warehouse: Warehouse) -> bool:
    """True when the MSA delivers nothing: the farmers it serves are outside the field."""
    return not (warehouse.exists("core__msa_foyers") and warehouse.count("core__msa_foyers"))


def _published(warehouse: Warehouse, method: str) -> pl.DataFrame:
    rates = warehouse.read("out__taux")
    return rates.filter(
        (pl.col("niveau") == WHOLE_TERRITORY)
        & (pl.col("groupe") == EVERYBODY)
        & (pl.col("methode") == method)
    )
