"""Which blocking rule brings the links: found by it, and found by it alone."""

import duckdb
import polars as pl

from pipelines.linkage.model import BLOCKING
from pipelines.linkage.scoring import linkable, weight

SCHEMA = {
    "famille": pl.String,
    "source_g": pl.String,
    "source_d": pl.String,
    "liens": pl.Int64,
    "liens_seule": pl.Int64,
}


def contributions(room: duckdb.DuckDBPyConnection, pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """famille, source_g, source_d, liens, liens_seule: rules that differ by birth or used name count as one.

    ``pairs``: the scored pairs, of which those between sources heavy enough to be links are counted.
    ``liens_seule``: links no other family would have compared, lost if the rule went.
    """
    crossing = pairs.filter(pl.col("source_g") != pl.col("source_d"))
    links = linkable(crossing, "poids", weight(threshold)).select("gauche", "droite", "source_g", "source_d")
    if links.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    room.register("_liens", links.to_arrow())
    counted: pl.DataFrame = room.sql(_counting()).pl()
    room.unregister("_liens")
    return counted.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _counting() -> str:
    families = _families()
    found = ", ".join(
        f"coalesce({condition}, false) AS r{n}" for n, condition in enumerate(families.values())
    )
    number = " + ".join(f"r{n}::INTEGER" for n in range(len(families)))
    each = " UNION ALL ".join(
        f"SELECT '{name.replace(chr(39), chr(39) * 2)}' AS famille, source_g, source_d, "  # noqa: S608
        f"count_if(r{n}) AS liens, count_if(r{n} AND trouvee = 1) AS liens_seule FROM comptees GROUP BY ALL"
        for n, name in enumerate(families)
    )
    return (
        f"WITH regles AS (SELECT source_g, source_d, {found} FROM _liens "  # noqa: S608
        "JOIN fiches AS l ON l.fiche = gauche JOIN fiches AS r ON r.fiche = droite), "
        f"comptees AS (SELECT *, {number} AS trouvee FROM regles) "
        f"SELECT * FROM ({each}) ORDER BY source_g, source_d, famille"
    )


def _families() -> dict[str, str]:
    conditions: dict[str, list[str]] = {}
    for rule in BLOCKING:
        conditions.setdefault(rule.famille, []).append(f"({rule.condition})")
    return {name: f"({' OR '.join(parts)})" for name, parts in conditions.items()}
