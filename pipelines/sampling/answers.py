"""The answers a partner returns, held against the draw: a number not drawn is refused, others counted."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import whole_file
from pipelines.refusals import ContractRefusal, Refusal
from pipelines.sampling.draw import ANSWERED, PARTNERS, SAMPLE, prepare
from pipelines.sampling.reliability import Error, error_rate
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.check import RULE, check
from schemas.nomenclatures import codes
from schemas.reading import LINE, read_strings
from schemas.tables import SAMPLE_ANSWERS
from schemas.warehouse_tables import WAREHOUSE_TABLES

UNKNOWN_MODE, DENIES_ITSELF, ALREADY_READ = "hors_nomenclature:mode", "fiche_reniee", "deja_lue"
"""Rules besides those of every table: a mode of no list, a record its own partner denies, an answer known."""


def read_answers(
    warehouse: Warehouse, settings: Settings, partenaire: str, fichier: Path, lu_le: date | None = None
) -> dict[str, Any]:
    """Read the form ``fichier`` that ``partenaire`` returned and store its answers with the draw.

    NA or empty is a non-response, kept. Lines set aside go, by number and rule, to ``<rejets>/echantillon/``.
    Returns lignes_recues = lignes_acceptees + lignes_ecartees, the rules, the response and the error rates.
    Raises :class:`ContractRefusal` for a number that was not drawn at this partner or a wrong column.
    """
    _refuse_partner(partenaire)
    prepare(warehouse)
    read = read_strings(fichier)
    _refuse_unknown(warehouse, partenaire, read, fichier)
    checked = check(read, SAMPLE_ANSWERS, "delivered", date.today().strftime("%Y-%m"), None)
    judged = _judged(_with_lines(read, checked.rejected, checked.accepted), warehouse, partenaire)
    accepted = judged.filter(pl.col(RULE).is_null())
    rejected = pl.concat([checked.rejected, judged.drop_nulls(RULE).select(LINE, RULE)]).sort(LINE)
    _store(warehouse, partenaire, accepted, lu_le or date.today())
    _write_rejects(settings, partenaire, fichier, rejected)
    return {
        "lignes_recues": read.height,
        "lignes_acceptees": accepted.height,
        "lignes_ecartees": rejected.height,
        **{f"ecartees_{rule}": n for rule, n in rejected.group_by(RULE).len().sort(RULE).rows()},
        **_balance(warehouse, partenaire),
    }


def response_rates(warehouse: Warehouse) -> pl.DataFrame:
    """partenaire, strate_tirage, tirees, repondues, taux_reponse (0 to 1) of every draw together."""
    prepare(warehouse)
    rows = warehouse.query_file("core/echantillon_reponses_courantes")
    return (
        rows.group_by("partenaire", "strate_tirage")
        .agg(tirees=pl.len(), repondues=pl.col("est_repondue").sum())
        .with_columns(taux_reponse=pl.col("repondues") / pl.col("tirees"))
        .sort("partenaire", "strate_tirage")
    )


def _refuse_partner(partenaire: str) -> None:
    if partenaire not in PARTNERS:
        raise Refusal(
            "Ce partenaire ne répond à aucun échantillon.",
            ou="--partenaire",
            que_faire=f"Choisir parmi : {', '.join(PARTNERS)}.",
        )


def _refuse_unknown(warehouse: Warehouse, partenaire: str, read: pl.DataFrame, fichier: Path) -> None:
    """A number that was not drawn at this partner: another partner's file, or another project's."""
    if "echantillon_id" not in read.columns:
        return
    known = warehouse.read(SAMPLE).filter(partenaire=partenaire)["echantillon_id"]
    number = pl.col("echantillon_id").str.strip_chars()
    foreign = read.filter((number != "") & ~number.is_in(known.implode()))
    if foreign.height:
        lines = ", ".join(str(line) for line in foreign[LINE].head(5))
        raise ContractRefusal(
            f"{foreign.height} numéro(s) n'ont jamais été tirés à la {partenaire.upper()} (lignes {lines}).",
            ou=fichier.name,
            que_faire="Vérifier le partenaire, et que la colonne echantillon_id n'a pas été modifiée.",
        )


def _with_lines(read: pl.DataFrame, rejected: pl.DataFrame, accepted: pl.DataFrame) -> pl.DataFrame:
    """The accepted rows with their line numbers: the check keeps the order of the file."""
    kept = read.select(LINE).join(rejected, on=LINE, how="anti", maintain_order="left")
    return accepted.with_columns(kept[LINE])


def _judged(rows: pl.DataFrame, warehouse: Warehouse, partenaire: str) -> pl.DataFrame:
    """The rule each row breaks, if any: unknown mode, own record denied, answer already read."""
    known = warehouse.read(ANSWERED).filter(partenaire=partenaire)
    answered = pl.concat_str(
        [pl.col(c).cast(pl.String).fill_null("") for c in SAMPLE_ANSWERS.own], separator=";"
    )
    said = known.select(answered.alias("dit"))["dit"] if known.height else pl.Series([], dtype=pl.String)
    rules = [
        pl.when(~pl.col("mode").is_in(codes("MODE_VERIFICATION"))).then(pl.lit(UNKNOWN_MODE)),
        pl.when(pl.col(f"connu_{partenaire}") == 0).then(pl.lit(DENIES_ITSELF)),
        pl.when(answered.is_in(said.implode())).then(pl.lit(ALREADY_READ)),
    ]
    return rows.with_columns(pl.coalesce(rules).alias(RULE))


def _store(warehouse: Warehouse, partenaire: str, rows: pl.DataFrame, day: date) -> None:
    first = warehouse.count(ANSWERED) + 1
    ranks = pl.int_range(first, first + pl.len(), dtype=pl.Int64)
    marked = rows.sort(LINE).with_columns(
        partenaire=pl.lit(partenaire),
        date=pl.lit(day),
        rang=ranks,
    )
    warehouse.append(ANSWERED, marked.select(WAREHOUSE_TABLES[ANSWERED].columns))


def _write_rejects(settings: Settings, partenaire: str, fichier: Path, rejected: pl.DataFrame) -> None:
    path = settings.dossiers.rejets / "echantillon" / f"{partenaire}.csv"
    if rejected.is_empty():
        path.unlink(missing_ok=True)
        return
    with whole_file(path) as partial:
        rejected.write_csv(partial, separator=";")


def _balance(warehouse: Warehouse, partenaire: str) -> dict[str, Any]:
    rates = response_rates(warehouse).filter(partenaire=partenaire)
    drawn, answered = int(rates["tirees"].sum()), int(rates["repondues"].sum())
    return {
        "fiches_tirees": drawn,
        "fiches_repondues": answered,
        "taux_de_reponse": round(answered / max(drawn, 1), 3),
        **_said(error_rate(warehouse)),
    }


def _said(error: Error | None) -> dict[str, Any]:
    if error is None:
        return {"reponses_comparees_deux_a_deux": 0}
    return {
        "reponses_comparees_deux_a_deux": error.paires,
        "discordances": error.discordances,
        "taux_d_erreur": round(error.valeur, 3),
        "taux_d_erreur_au_plus": round(error.haut, 3),
    }
