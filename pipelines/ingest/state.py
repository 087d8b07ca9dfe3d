"""The state as known at a month: which extracts make it, the core tables, what the newest changed."""

import polars as pl

from pipelines.warehouse import Warehouse
from schemas import PARTNERS, RAW_MARKS, TABLES, WAREHOUSE_TABLES, Table
from schemas.fields import kind_of

EXTRACTS = "meta__extraits"
CORRECTIONS = "meta__corrections"
META_TABLES = (EXTRACTS, "meta__lignes", "meta__rejets", "meta__codes_inconnus", "meta__jetons", CORRECTIONS)


def prepare(warehouse: Warehouse) -> None:
    """Create the raw and meta tables that are not there yet, empty and typed."""
    wanted = {table.raw_name: (*table.delivered_columns, *RAW_MARKS) for table in TABLES.values()}
    wanted |= {name: WAREHOUSE_TABLES[name].columns for name in META_TABLES}
    present = set(warehouse.query("SELECT table_name FROM duckdb_tables()")["table_name"])
    for name in wanted.keys() - present:
        warehouse.replace(name, _empty(wanted[name]))


def known_extracts(warehouse: Warehouse) -> pl.DataFrame:
    """``meta__extraits``, empty before the first ingestion."""
    if warehouse.exists(EXTRACTS):
        return warehouse.read(EXTRACTS)
    return _empty(WAREHOUSE_TABLES[EXTRACTS].columns)


def _empty(columns: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(schema={name: kind_of(name).dtype for name in columns})


def chain_of_extracts(warehouse: Warehouse, used: dict[str, str]) -> dict[str, list[str]]:
    """Per partner, the extracts that make the state, oldest first, the used one last.

    ``used``: partner → extrait_id of the run. Replaced extracts and those of later months are left out.
    """
    known = warehouse.read(EXTRACTS).filter(~pl.col("est_remplace")).sort("mois", "rang")
    months = {row["extrait_id"]: row["mois"] for row in known.iter_rows(named=True)}
    chains: dict[str, list[str]] = {partner: [] for partner in PARTNERS}
    for partner, extrait_id in used.items():
        mine = known.filter(pl.col("partenaire") == partner, pl.col("mois") < months[extrait_id])
        chains[partner] = [*mine["extrait_id"], extrait_id]
    return chains


def build_state(warehouse: Warehouse, chains: dict[str, list[str]]) -> None:
    """Build every core table of the contract from the chains of extracts (``sql/core/core__*.sql``)."""
    for name, partners in _owners().items():
        extracts = [extrait for partner in partners for extrait in chains[partner]]
        newest = [chains[partner][-1] for partner in partners if chains[partner]]
        warehouse.build(f"core/{name}", extraits=extracts, derniers=newest)


def _owners() -> dict[str, tuple[str, ...]]:
    return {table.core_name: table.partners for table in TABLES.values()}


def count_corrections(warehouse: Warehouse, used: dict[str, str]) -> int:
    """Fill ``meta__corrections``: rows of months delivered before that the used extracts changed; their sum.

    A row counts once when it is new, gone or different in a month that an earlier extract (the replaced one
    included) had already delivered.
    """
    changes = [
        _changes(warehouse, table, used[table.partner])
        for table in TABLES.values()
        if table.est_mensuelle and table.partner in used
    ]
    declared = _empty(WAREHOUSE_TABLES[CORRECTIONS].columns)
    warehouse.replace(CORRECTIONS, pl.concat([declared, *changes]).sort("table_contrat", "mois"))
    return sum(int(frame["lignes_changees"].sum()) for frame in changes)


def _changes(warehouse: Warehouse, table: Table, extrait_id: str) -> pl.DataFrame:
    rows = warehouse.query_file(
        "core/lignes_changees",
        brute=table.raw_name,
        extrait=extrait_id,
        cle=[f"$.{name}" for name in table.key],
    )
    return rows.select(pl.lit(table.name).alias("table_contrat"), "mois", "lignes_changees")
