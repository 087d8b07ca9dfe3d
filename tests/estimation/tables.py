"""Tiny warehouses written one household at a time."""

from typing import Any

import polars as pl

from pipelines.warehouse import Warehouse
from schemas.fields import kind_of
from schemas.warehouse_tables import WAREHOUSE_TABLES

MONTHS = ["2026-04", "2026-05", "2026-06"]
SAINT_GAUDENS, AURIGNAC = "31483", "31028"

INPUTS = (
    "core__menages",
    "core__menages_personnes",
    "core__droits",
    "core__droits_anterieurs",
    "core__personnes_liees",
    "core__personnes_opposees",
    "core__caf_foyers",
    "core__caf_personnes",
    "core__caf_prestations_personnes",
    "core__caf_ressources",
    "core__cpam_assures",
    "core__cpam_ressources",
    "core__departement_rsa",
    "core__msa_foyers",
    "core__msa_personnes",
    "core__departement_personnes",
    "meta__echantillon",
    "meta__echantillon_reponses",
    "core__cellule_consentements",
    "core__cellule_oppositions",
    "core__consentements_ambigus",
    "out__qualite_appariement",
    "meta__extraits",
)

_UNDECLARED = {"core__consentements_ambigus": {"consentement_id": pl.String, "n_candidats": pl.Int64}}


class Tables:
    """Rows of the input tables, by name."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in INPUTS}

    def add(self, table: str, **row: Any) -> None:
        """One row; columns left out are null."""
        self.rows[table].append(row)

    def caf(
        self,
        name: str,
        rsa: str | None = "oui",
        ppa: str | None = "non",
        motif: str | None = None,
        age: int = 40,
        commune: str = SAINT_GAUDENS,
        montants: tuple[float, float] = (500.0, 100.0),
        mois: list[str] | None = None,
        **dossier: Any,
    ) -> None:
        """A CAF household ``name`` of one adult, with its dossier in each month."""
        for month in mois or MONTHS:
            self.add("core__caf_foyers", foyer_id=name, mois=month, commune_insee=commune, **dossier)
        self.add("core__caf_personnes", personne_id=f"p-{name}", foyer_id=name, role="DEM")
        self._household(name, "caf", rsa, ppa, motif, age, commune, montants)

    def cpam(
        self,
        name: str,
        rsa: str | None = "oui",
        ppa: str | None = "non",
        motif: str | None = None,
        age: int = 40,
        commune: str = SAINT_GAUDENS,
        c2s: str = "0",
        montants: tuple[float, float] = (500.0, 100.0),
    ) -> None:
        """A CPAM household ``name`` of one adult."""
        self.add("core__cpam_assures", personne_id=f"p-{name}", regime="GE", c2s=c2s)
        self._household(name, "cpam", rsa, ppa, motif, age, commune, montants)

    def also(self, menage: str, person: str, role: str, uid: int) -> None:
        """One more person of the CPAM household ``menage``, in the cluster ``uid``."""
        self.add(
            "core__menages_personnes",
            menage_id=menage,
            instrument="cpam",
            source="cpam",
            personne_id=person,
            role=role,
        )
        self.add("core__personnes_liees", personne_uid=uid, source="cpam", personne_id=person)

    def paid_by_the_msa(self, name: str) -> None:
        """A CPAM household of whom the Département says that the MSA pays it the RSA."""
        self.cpam(name)
        paid = {"fonorg": "MSA", "rsa_etat": "2", "rsa_du": 300.0}
        for month in MONTHS:
            self.add("core__departement_rsa", dossier_id="d", mois=month, **paid)
        self.add("core__departement_personnes", personne_id="p-d", dossier_id="d", role="DEM")
        self.link(3, ("cpam", name), ("departement", "d"))

    def recall(self, value: float, classe: str = "ensemble", **ends: float) -> None:
        """The recall between CAF and CPAM that the linkage measured."""
        couple = {"source_g": "caf", "source_d": "cpam", "classe": classe, "modalite": classe}
        self.add("out__qualite_appariement", mesure="rappel", valeur=value, n=500, **couple, **ends)

    def link(self, uid: int, *persons: tuple[str, str]) -> None:
        """Persons (source, name of the household) of one cluster."""
        for source, name in persons:
            self.add(
                "core__personnes_liees", personne_uid=uid, source=source, personne_id=f"p-{name}", poids=20.0
            )

    def verified(self, source: str, name: str, volet: str = "B", poids: float = 1.0, **answers: Any) -> None:
        """The household ``name`` of ``source``, drawn with weight ``poids``; its answer."""
        number = f"{source}-{name}"
        self.add(
            "meta__echantillon",
            tirage="2026-06-1",
            mois=MONTHS[-1],
            partenaire=source,
            echantillon_id=number,
            personne_id=f"p-{name}",
            menage_base_id=name,
            volet=volet,
            strate_tirage="s",
            probabilite_tirage=1 / poids,
        )
        self.add("meta__echantillon_reponses", partenaire=source, echantillon_id=number, rang=1, **answers)

    def _household(
        self,
        name: str,
        instrument: str,
        rsa: str | None,
        ppa: str | None,
        motif: str | None,
        age: int,
        commune: str,
        montants: tuple[float, float],
    ) -> None:
        self.add(
            "core__menages",
            menage_id=name,
            instrument=instrument,
            commune_insee=commune,
            regle="seul",
            n_adultes=1,
            n_enfants=0,
            age_reference=age,
            poids_variante=1.0,
            menage_base_id=name,
        )
        self.add(
            "core__menages_personnes",
            menage_id=name,
            instrument=instrument,
            source=instrument,
            personne_id=f"p-{name}",
            role="DEM",
        )
        for right, state, amount in (("rsa", rsa, montants[0]), ("ppa", ppa, montants[1])):
            for month in MONTHS if state else []:
                self.add(
                    "core__droits",
                    menage_id=name,
                    instrument=instrument,
                    mois=month,
                    droit=right,
                    eligible=state,
                    motif=motif if state == "inconnu" else None,
                    montant_eur_mois=amount if state == "oui" else None if state == "inconnu" else 0.0,
                    poids_eligible=1.0 if state == "oui" else 0.0,
                )

    def write(self, warehouse: Warehouse) -> None:
        """Every input table, empty ones included."""
        for name, rows in self.rows.items():
            schema = _schema(name)
            complete = [dict.fromkeys(schema) | row for row in rows]
            warehouse.replace(name, pl.DataFrame(complete, schema=schema, orient="row"))


def _schema(name: str) -> dict[str, Any]:
    if name in _UNDECLARED:
        return _UNDECLARED[name]
    return {column: kind_of(column).dtype for column in WAREHOUSE_TABLES[name].columns}
