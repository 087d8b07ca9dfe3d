"""The measures as a table to read."""

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.appariement.facons import WAYS

LABELS = {"clair": "texte clair (référence)", "livre": "ce qui est livré"} | {w.nom: w.libelle for w in WAYS}


def show(result: dict[str, Any], console: Console) -> None:
    """Two tables: quality of the links and cost; what an attacker without the key reads."""
    console.print(_quality(result))
    for size in (str(result["habitants"]), str(result["departement"])):
        console.print(_attacks(result, size))


def _quality(result: dict[str, Any]) -> Table:
    sets = list(result["qualite"]["clair"])
    table = Table(title="F1 à p ≥ 0,95 / au meilleur seuil", show_lines=False)
    for column in ("façon", *sets, "octets", "ns / Jaro–Winkler"):
        table.add_column(column, justify="left" if column == "façon" else "right")
    for way, by_set in result["qualite"].items():
        cost = result["couts"].get(way, {})
        ratio = cost.get("nanosecondes", {}).get("rapport", "")
        cells = [_f1(by_set.get(name)) for name in sets]
        table.add_row(LABELS[way], *cells, str(cost.get("octets", "")), str(ratio))
    return table


def _f1(figures: dict[str, float] | None) -> str:
    return f"{figures['f1']:.4f} / {figures['f1_meilleur']:.4f}".replace(".", ",") if figures else "—"


def _attacks(result: dict[str, Any], size: str) -> Table:
    table = Table(title=f"Nommés à bon droit, population de {size} : avec jetons, sans, écart (points)")
    for column in ("façon", "colonne", "avec", "sans", "écart"):
        table.add_column(column, justify="left" if column in ("façon", "colonne") else "right")
    for way, by_size in result["attaques"].items():
        for column, told in by_size.get(size, {}).items():
            cells = (f"{100 * told[name]:.1f}".replace(".", ",") for name in ("avec", "sans", "gain"))
            table.add_row(LABELS[way], column, *cells)
    return table
