"""A warehouse of a few households, written as the partners deliver them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import schemas
from pipelines.calendar import window
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse
from tests.eligibility.situations import BENEFITS, PERSON_BENEFITS

MOIS = "2026-06"
TABLES = (
    "caf_foyers", "caf_personnes", "caf_prestations_personnes", "caf_ressources",
    "cpam_assures", "cpam_rattachements", "cpam_ressources",
)  # fmt: skip


class Delivery:
    """Rows of the core tables, filled household by household."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self.links: list[dict[str, Any]] = []

    def foyer(self, foyer: str, *, mois: Sequence[str] | None = None, **rest: Any) -> None:
        zeros: dict[str, Any] = dict.fromkeys(BENEFITS, 0.0)
        row = {"foyer_id": foyer, "commune_insee": "31483", "sitfam": "CEL", "occlog": "LOC"} | zeros | rest
        self.rows["caf_foyers"] += [row | {"mois": month} for month in mois or window(MOIS)]

    def allocataire(
        self, personne: str, foyer: str, role: str = "DEM", *, salaire: float = 0.0, **rest: Any
    ) -> None:
        row = {"personne_id": personne, "foyer_id": foyer, "role": role, "nati": "F", "etudiant": 0,
               "enceinte": 0, "naissance_annee": 1985, "sexe": "1", "commune_insee": "31483"}  # fmt: skip
        self.rows["caf_personnes"].append(row | rest)
        if role != "ENF":
            zeros: dict[str, Any] = dict.fromkeys(PERSON_BENEFITS, 0.0)
            months = window(MOIS)
            self.rows["caf_prestations_personnes"] += [
                {"personne_id": personne, "mois": m} | zeros for m in months
            ]
            self.rows["caf_ressources"] += [_income(personne, m, salaire) for m in months]

    def assure(self, personne: str, *, salaire: float | None = 0.0, **rest: Any) -> None:
        row = {"personne_id": personne, "regime": "GE", "c2s": "0", "ressources_connues": 1,
               "ne_en_france": 1, "naissance_annee": 1985, "sexe": "1", "commune_insee": "31483"}  # fmt: skip
        self.rows["cpam_assures"].append(row | rest)
        if salaire is not None:
            self.rows["cpam_ressources"] += [_income(personne, m, salaire) for m in window(MOIS)[:-1]]

    def indemnites(self, personne: str, montant: float, natress: str = "011") -> None:
        self.rows["cpam_ressources"] += [
            {"personne_id": personne, "mois": m, "natress": natress, "montant": montant} for m in window(MOIS)
        ]

    def enfant(self, enfant: str, *parents: str) -> None:
        self.assure(enfant, salaire=None, naissance_annee=2018, naissance_mois=3)
        self.rows["cpam_rattachements"] += [{"enfant_id": enfant, "ouvrant_droit_id": p} for p in parents]

    def lien(self, caf: str, cpam: str) -> None:
        uid = len(self.links)
        self.links += [
            {"personne_uid": uid, "source": "caf", "personne_id": caf, "poids": None},
            {"personne_uid": uid, "source": "cpam", "personne_id": cpam, "poids": 20.0},
        ]

    def write(self, warehouse: Warehouse) -> None:
        for name, rows in self.rows.items():
            table = schemas.TABLES[name]
            kinds = {k: c.dtype.type for k, c in table.delivered.columns.items()}
            warehouse.replace(table.core_name, pl.DataFrame(rows, schema=kinds))
        kinds = {"personne_uid": pl.Int64, "source": pl.String, "personne_id": pl.String, "poids": pl.Float64}
        warehouse.replace("core__personnes_liees", pl.DataFrame(self.links, schema=kinds))


@pytest.fixture
def delivery() -> Delivery:
    return Delivery()


@pytest.fixture
def entrepot(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "e.duckdb", tmp_path / "travail") as opened:
        yield opened


@pytest.fixture
def reglages() -> Settings:
    return Settings()


def _income(personne: str, mois: str, salaire: float) -> dict[str, Any]:
    nature = "001" if salaire else "000"
    return {"personne_id": personne, "mois": mois, "natress": nature, "montant": salaire}
