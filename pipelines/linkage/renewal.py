"""Links carried over: when identities are already deleted, what was linked stays linked."""

from pipelines.linkage.alerts import Alert
from pipelines.warehouse import Warehouse

CARRIED_OVER = Alert(
    "Liens reconduits du mois précédent : des identités étaient déjà effacées. Les personnes nouvelles ne "
    "sont liées à aucune autre ; pour les lier, redéposer l'extrait resté en arrière."
)

_LAST_LINKAGE = """
SELECT coalesce(CAST(bilan ->> '$.liens_reconduits' AS BIGINT), 0) > 0 AS est_reconduit
FROM meta__executions WHERE etape = 'appariement' ORDER BY finie_le DESC LIMIT 1
"""


def can_carry_over(warehouse: Warehouse) -> bool:
    """True when an earlier linkage left links to carry over."""
    return warehouse.exists("core__personnes_liees") and warehouse.count("core__personnes_liees") > 0


def carry_over(warehouse: Warehouse) -> dict[str, int | float | str]:
    """Keep the links of the records still delivered; newcomers are persons of one record. Return counts.

    Pairs, opposed persons and quality stay those of the linkage carried over.
    """
    _with_classes(warehouse)
    former = warehouse.query("SELECT count(*) AS n, max(personne_uid) AS dernier FROM core__personnes_liees")
    after = warehouse.build("core/core__personnes_liees")
    renewed = int(
        warehouse.query(
            "SELECT count(*) FROM core__personnes_liees WHERE personne_uid <= $dernier",
            dernier=former["dernier"][0],
        ).item()
    )
    return {
        "fiches": after,
        "liens_reconduits": renewed,
        "fiches_nouvelles_non_liees": after - renewed,
        "fiches_disparues": int(former["n"][0]) - renewed,
    }


def _with_classes(warehouse: Warehouse) -> None:
    """The quality of a linkage made before classes of persons were told apart is about everybody."""
    if warehouse.exists("out__qualite_appariement"):
        for column in ("classe", "modalite"):
            warehouse.connection.execute(
                f"ALTER TABLE out__qualite_appariement ADD COLUMN IF NOT EXISTS {column} VARCHAR "
                "DEFAULT 'ensemble'"
            )


def was_carried_over(warehouse: Warehouse) -> bool:
    """True when the last linkage was carried over: identities newly delivered still wait to be linked."""
    last = warehouse.query(_LAST_LINKAGE)
    return not last.is_empty() and bool(last.item())
