"""One delivery into the raw tables: every row accepted or set aside, and counted."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipelines.files import whole_file
from pipelines.ingest import smuggled
from pipelines.ingest.manifest import Delivery
from pipelines.refusals import ContractRefusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas import RAW_MARKS, Table, tables_of
from schemas.check import Checked, check
from schemas.fields import TOKEN_COLUMNS
from schemas.reading import read_strings

LINES = "meta__lignes"
REJECTS = "meta__rejets"
UNKNOWN_CODES = "meta__codes_inconnus"
TOKENS = "meta__jetons"


def load_delivery(
    warehouse: Warehouse, settings: Settings, delivery: Delivery, communes: dict[str, str]
) -> None:
    """Check every delivered table, then append the accepted rows to the raw tables.

    Raises :class:`pipelines.refusals.ContractRefusal` for a file that breaks the contract as a whole; nothing
    of the delivery is then written.
    """
    files = [(table, delivery.file_of(table.name)) for table in tables_of(delivery.partenaire)]
    for table in tables_of(delivery.partenaire):
        smuggled.refuse_clear_identities(delivery, table)
    results = [(table, _checked(path, table, delivery, communes)) for table, path in files if path]
    for table, result in results:
        _store(warehouse, settings, delivery, table, result)
        _count_tokens(warehouse, delivery, table)


def _checked(path: Path, table: Table, delivery: Delivery, communes: dict[str, str]) -> Checked:
    """The table held against the contract; a refusal names the delivery and the file."""
    try:
        rows = read_strings(path, is_vouched_for=True)
        smuggled.refuse_smuggled(rows, table)
        return check(rows, table, "delivered", delivery.mois, communes)
    except ContractRefusal as refusal:
        where = f"{delivery.where}/{path.name}"
        raise ContractRefusal(refusal.quoi, ou=where, que_faire=refusal.que_faire) from None


def _store(
    warehouse: Warehouse, settings: Settings, delivery: Delivery, table: Table, result: Checked
) -> None:
    marks = zip(RAW_MARKS, (delivery.manifest.extrait_id, delivery.mois), strict=True)
    warehouse.append(table.raw_name, result.accepted.with_columns(pl.lit(v).alias(k) for k, v in marks))
    _write_rejects(settings, delivery, table, result)
    _count(warehouse, delivery, table, result)


def _write_rejects(settings: Settings, delivery: Delivery, table: Table, result: Checked) -> None:
    path = settings.dossiers.rejets / delivery.partenaire / delivery.mois / f"{table.name}.csv"
    if result.rejected.is_empty():
        path.unlink(missing_ok=True)
        return
    with whole_file(path) as partial:
        result.rejected.write_csv(partial, separator=";")


def _count(warehouse: Warehouse, delivery: Delivery, table: Table, result: Checked) -> None:
    mark = {"extrait_id": delivery.manifest.extrait_id, "table_contrat": table.name}
    lines = {
        "lignes_recues": result.received,
        "lignes_acceptees": result.accepted.height,
        "lignes_ecartees": result.rejected.height,
    }
    warehouse.append(LINES, pl.DataFrame([mark | lines]))
    rejects = [
        mark | {"partenaire": delivery.partenaire, "regle": rule, "lignes": n}
        for rule, n in result.rejected_by_rule().items()
    ]
    codes = [
        mark | {"colonne": column, "modalite": code, "lignes": n}
        for column, counts in result.unknown_codes.items()
        for code, n in counts.items()
    ]
    for name, rows in ((REJECTS, rejects), (UNKNOWN_CODES, codes)):
        if rows:
            warehouse.append(name, pl.DataFrame(rows))


def _count_tokens(warehouse: Warehouse, delivery: Delivery, table: Table) -> None:
    """Empty tokens per column, from the footer of the identity file: none of its rows is read here."""
    path = delivery.file_of(table.identite_name)
    if path is None or not path.is_file():
        return
    footer = pq.read_metadata(path)
    empty = dict.fromkeys(TOKEN_COLUMNS, 0)
    for group in (footer.row_group(i) for i in range(footer.num_row_groups)):
        for part in (group.column(j) for j in range(group.num_columns)):
            if part.path_in_schema in empty and part.statistics is not None:
                empty[part.path_in_schema] += part.statistics.null_count
    mark = {
        "extrait_id": delivery.manifest.extrait_id,
        "table_contrat": table.name,
        "lignes": footer.num_rows,
    }
    rows = [mark | {"colonne": column, "lignes_vides": n} for column, n in empty.items()]
    warehouse.append(TOKENS, pl.DataFrame(rows))
