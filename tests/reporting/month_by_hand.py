"""The tables of a month written by hand, as the stages before the report write them."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import check_table

MOIS = "2026-06"
ISSUED = date(2026, 7, 30)

_RATES = {
    "droit": pl.String, "niveau": pl.String, "code_territoire": pl.String, "periode": pl.String,
    "est_trimestre": pl.Boolean, "groupe": pl.String, "eligibles": pl.Float64,
    "non_recourants": pl.Float64, "taux": pl.Float64, "taux_bas": pl.Float64, "taux_haut": pl.Float64,
    "euros_mois": pl.Float64, "methode": pl.String, "est_diffusable": pl.Boolean,
    "est_verifie": pl.Boolean, "forme": pl.String,
}  # fmt: skip


def rate(eligibles: float, taux: float, half: float | None = 0.04, **columns: Any) -> dict[str, Any]:
    """One row of out__taux; the EPCI, corrected, unless said."""
    untaken = eligibles * taux
    base = {
        "droit": "rsa", "niveau": "EPCI", "code_territoire": "200072643", "periode": "2026-T2",
        "est_trimestre": True, "groupe": "ensemble", "methode": "corrige", "est_diffusable": eligibles >= 20,
        "est_verifie": False, "forme": "revenus", "eligibles": eligibles, "non_recourants": untaken,
        "taux": taux, "euros_mois": untaken * 265,
        "taux_bas": None if half is None else max(0.0, taux - half),
        "taux_haut": None if half is None else min(1.0, taux + half),
    }  # fmt: skip
    return base | columns


def totals(est_verifie: bool = False, before: float = 0.29) -> list[dict[str, Any]]:
    """The rows of the whole territory, this quarter and the one before."""
    common = {"est_verifie": est_verifie}
    return [
        rate(1643, 0.312, **common),
        rate(1391, 0.214, None, methode="observe", **common),
        rate(1702, 0.384, None, methode="naif", **common),
        rate(2876, 0.271, 0.05, droit="ppa", **common),
        rate(2530, 0.188, None, droit="ppa", methode="observe", **common),
        rate(2961, 0.352, None, droit="ppa", methode="naif", **common),
        rate(612, 0.244, 0.06, droit="rsa_et_ppa", **common),
        rate(1601, before, periode="2026-T1", **common),
        rate(2800, 0.272, 0.05, droit="ppa", periode="2026-T1", **common),
    ]


GROUPINGS = {
    "31483": (1025, 0.30), "31390": (228, 0.34), "31080": (170, 0.27), "31239": (151, 0.41),
    "65258": (44, 0.36), "31135": (14, 0.40), "31324": (11, 0.35),
}  # fmt: skip
"""Entitled households and rate by grouping (bassins de vie); the last two are under 20 households."""


def groupings() -> list[dict[str, Any]]:
    """The rows of the groupings."""
    return [
        rate(
            size * factor,
            taux,
            0.03 + 1 / size**0.5,
            niveau="regroupement",
            code_territoire=code,
            droit=droit,
        )
        for droit, factor in (("rsa", 1.0), ("ppa", 1.75))
        for code, (size, taux) in GROUPINGS.items()
    ]


COMMUNES = {"31483": (520, 0.28), "31585": (505, 0.32), "31390": (110, 0.35), "31147": (118, 0.33)}
"""Entitled households and rate of the communes as delivered, in the two groupings that have several."""

PATHS = {
    "chemin:primaire": 0.262, "chemin:secondaire": 0.05, "etape:jamais_demande": 0.25, "etape:refuse": 0.012,
    "etape:clos": 0.03, "etape:declaration_manquante": 0.02, "duree:durable": 0.19, "duree:recente": 0.122,
}  # fmt: skip


def communes() -> list[dict[str, Any]]:
    """The rows of the communes as delivered."""
    return [
        rate(size, taux, 0.08, niveau="commune", code_territoire=code, droit=droit)
        for droit in ("rsa", "ppa")
        for code, (size, taux) in COMMUNES.items()
    ]


def paths() -> list[dict[str, Any]]:
    """Where non-take-up stopped and how long it lasts, out of all entitled households."""
    rows = [
        rate(1643, share, share / 10, groupe=groupe, droit=droit)
        for droit in ("rsa", "ppa")
        for groupe, share in PATHS.items()
    ]
    spot = rate(1350, 0.011, None, groupe="suite:ponctuel", methode="observe", euros_mois=None)
    return [*rows, spot]


def ratios() -> pl.DataFrame:
    """Two groups compared with a third."""
    key = {
        "droit": "rsa",
        "code_territoire": "200072643",
        "periode": "2026-T2",
        "reference": "logement:locataire",
    }
    return pl.DataFrame(
        [
            key
            | {"groupe": "logement:proprietaire", "rapport": 2.36, "rapport_bas": 1.9, "rapport_haut": 2.84},
            key | {"groupe": "logement:heberge", "rapport": 1.59, "rapport_bas": 0.9, "rapport_haut": 2.3},
        ]
    ).select(
        "droit", "code_territoire", "periode", "groupe", "reference", "rapport", "rapport_bas", "rapport_haut"
    )


PROFILE = {
    "age:25-29": (240, 0.39), "age:30-49": (760, 0.27), "age:50-64": (520, 0.33), "age:65+": (110, 0.42),
    "age:<25": (13, 0.45), "age:50+": (630, 0.345), "menage:seul": (810, 0.35),
    "menage:parent_seul": (430, 0.19), "menage:couple_sans_enfant": (210, 0.46),
    "menage:couple_enfants": (193, 0.31), "logement:proprietaire": (390, 0.52),
    "logement:locataire": (1020, 0.22), "logement:heberge": (233, 0.35), "c2s:oui": (890, 0.21),
    "c2s:non": (753, 0.43), "aide_logement:oui": (800, 0.19), "aide_logement:non": (843, 0.43),
    "distance:moins_10": (700, 0.29), "distance:10_19": (943, 0.33),
}  # fmt: skip


def profile() -> list[dict[str, Any]]:
    """The rows of the profile, of the path and of the communes."""
    groups = [
        rate(size, taux, 0.05 + 2 / size, groupe=groupe, droit=droit)
        for droit in ("rsa", "ppa")
        for groupe, (size, taux) in PROFILE.items()
    ]
    return [*groups, *paths(), *communes()]


COUNTS = pl.DataFrame(
    [
        ("situations", "recourant", "rsa", 1128.0),
        ("situations", "primaire", "rsa", 402.0),
        ("situations", "secondaire", "rsa", 113.0),
        ("situations", "inconnu", "rsa", 214.0),
        ("situations", "en_cours", "rsa", 74.0),
        ("situations", "parti", "rsa", 31.0),
        ("situations", "desaccord", "rsa", 3.0),
        ("inconnus", "A2 ressources_inconnues", "rsa", 190.0),
        ("inconnus", "A1 titre_sejour", "rsa", 24.0),
        ("desaccords", "A1 ouvert_sans_montant", "rsa", 3.0),
        ("partis", "A1 mutation", "rsa", 31.0),
        ("couverture", "caf_vus_a_la_cpam", None, 5120.0),
        ("couverture", "cpam_seulement", None, 9240.0),
        ("couverture", "departement_dossiers_rsa", None, 1310.0),
        ("exclus", "oppositions_contact", None, 12.0),
        ("msa", "menages_rsa_msa", "rsa", 58.0),
        ("msa", "personnes_regime_agricole", None, 4120.0),
    ],
    schema={"rubrique": pl.String, "modalite": pl.String, "droit": pl.String, "menages": pl.Float64},
    orient="row",
)
PARAMETERS = pl.DataFrame(
    [
        ("R", 0.962, 0.93, 0.985, "rsa ; moins de 30 ans ; non vérifié"),
        ("f", 0.004, 0.001, 0.009, "rsa ; moins de 30 ans ; non vérifié"),
        ("kappa", 0.91, None, None, "rsa ; ménages liés non allocataires"),
        ("Se", 0.928, None, None, "rsa ; 1454 ménages payés dont les ressources sont connues"),
        ("cov", 0.97, None, None, "rsa ; ménages éligibles liés"),
        ("U", 812.0, None, None, "rsa ; ménages"),
        ("X", 264.0, 190.0, 340.0, "rsa ; ménages absents de la CAF"),
        ("R", 0.951, 0.92, 0.98, "rsa_seul ; moins de 30 ans ; non vérifié"),
        ("verifications_manquantes", 625.0, None, None, "rsa ; réponses de plus pour ± 3 points"),
        ("verifications_manquantes", None, None, None, "ppa ; réponses de plus : hors d'atteinte"),
        ("retard_mois", 1.0, None, None, "cpam ; extrait de 2026-05"),
    ],
    schema={
        "nom": pl.String,
        "valeur": pl.Float64,
        "bas": pl.Float64,
        "haut": pl.Float64,
        "source": pl.String,
    },
    orient="row",
)
QUALITY = pl.DataFrame(
    {
        "mesure": ["rappel", "precision", "liens", "liens", "rappel", "rappel"],
        "source_g": ["caf"] * 6,
        "source_d": ["cpam"] * 6,
        "classe": ["ensemble"] * 2 + ["age"] * 4,
        "modalite": ["ensemble"] * 2 + ["50_64", "65_plus"] * 2,
        "valeur": [0.988, 0.9991, 1200.0, 300.0, 0.99, 0.97],
        "bas": [0.985, 0.998, None, None, 0.9813, 0.95],
        "haut": [0.991, 0.9996, None, None, 0.996, 0.98],
        "n": [5210, 5210, 1200, 300, 1200, 300],
    }
)


def fill(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    """Write every table the report reads."""
    write(warehouse, "out__taux", pl.DataFrame(rows, schema=_RATES))
    write(warehouse, "out__risques", ratios())
    write(warehouse, "out__effectifs", COUNTS)
    write(warehouse, "out__parametres_estimation", PARAMETERS)
    write(warehouse, "out__qualite_appariement", QUALITY)
    write_deliveries(warehouse)


def write(warehouse: Warehouse, name: str, frame: pl.DataFrame) -> None:
    """Write a table held against its declaration: what is written by hand here is what the stages write."""
    check_table(name, frame)
    warehouse.replace(name, frame)


def write_deliveries(warehouse: Warehouse) -> None:
    """Three extracts, the CPAM's one month late, and what was read of them."""
    partners, months = ["caf", "cpam", "departement"], ["2026-06", "2026-05", "2026-06"]
    identifiers = [f"{name}-{month}" for name, month in zip(partners, months, strict=True)]
    manifest = {
        "millesime_cle": "2026",
        "version_encodage": "1",
        "controle_cle": "0a1b",
        "date": date(2026, 7, 12),
        "empreinte": "ab" * 32,
        "est_remplace": False,
    }
    extracts = pl.DataFrame(
        {"extrait_id": identifiers, "partenaire": partners, "mois": months, "rang": [1, 2, 3]}
    )
    extracts = extracts.with_columns(**{name: pl.lit(value) for name, value in manifest.items()})
    write(warehouse, "meta__extraits", extracts.with_columns(est_utilise=pl.lit(True)))
    lines = {"lignes_recues": [181204, 40211, 9120], "lignes_acceptees": [181190, 40211, 8990]}
    tables = ["caf_foyers", "cpam_assures", "dep_rsa"]
    read = pl.DataFrame({"extrait_id": identifiers, "table_contrat": tables, **lines})
    set_aside = pl.col("lignes_recues") - pl.col("lignes_acceptees")
    write(warehouse, "meta__lignes", read.with_columns(lignes_ecartees=set_aside))
    changed = {"table_contrat": ["caf_foyers"], "mois": ["2026-03"], "lignes_changees": [1204]}
    write(warehouse, "meta__corrections", pl.DataFrame(changed))
    alert = {
        "etape": ["qualite"],
        "mois": [MOIS],
        "gravite": ["alerte"],
        "source": ["cpam"],
        "message": ["volume inhabituel (+9 %)"],
    }
    write(warehouse, "meta__alertes", pl.DataFrame(alert))


def path_of(settings: Settings) -> Path:
    return settings.dossiers.sorties / "200072643" / "2026-T2" / "rapport.html"
