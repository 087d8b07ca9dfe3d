"""A small world of the same shape as the synthetic territory's, built without the law: quick to test with."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.synthetic.frames import COLUMNS, World

TOWN, VILLAGE, OUTSIDE = "31483", "31005", "65258"


def small_world(rng: np.random.Generator, menages: int, debut: str, fin: str) -> World:
    """A world of ``menages`` households, from ``debut`` to ``fin``."""
    mois = calendar.months_between(debut, fin)
    personnes, membres, unions = _people(rng, menages, mois[0])
    menages_mois = _households(rng, menages, mois)
    adults = personnes.filter(pl.col("naissance") < date(2006, 1, 1))["personne"].to_list()
    dossiers = _dossiers(rng, menages, mois)
    frames = {
        "personnes": personnes,
        "unions": unions,
        "membres": membres,
        "menages_mois": menages_mois,
        "etats": _states(personnes, mois),
        "prestations": pl.DataFrame(
            {
                "personne": adults[:5] * len(mois),
                "mois": np.repeat(mois, 5),
                "aah": 300.0,
                "caah": 0.0,
                "ass": 0.0,
                "asi": 0.0,
            }
        ),
        "ressources": _incomes(rng, adults, mois),
        "droits": _rights(rng, menages, mois),
        "dossiers": dossiers,
        "c2s": _c2s(rng, membres, mois),
        "sans_assurance": personnes.select("personne").head(1),
    }
    return World(
        **{name: frame.select(list(COLUMNS[name])).cast(COLUMNS[name]) for name, frame in frames.items()}
    )


def _people(rng: np.random.Generator, menages: int, debut: str) -> tuple[pl.DataFrame, ...]:
    persons: list[dict[str, Any]] = []
    members: list[dict[str, Any]] = []
    unions: list[dict[str, Any]] = []
    for menage in range(1, menages + 1):
        first = len(persons) + 1
        sizes = int(rng.integers(1, 5))
        birth = date(int(rng.integers(1935, 2000)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
        for rank in range(sizes):
            role = "DEM" if rank == 0 else "CJT" if rank == 1 else "ENF"
            born = birth if role != "ENF" else date(int(rng.integers(2008, 2024)), 5, 10 + rank)
            persons.append(
                {
                    "personne": first + rank,
                    "sexe": 1 if rank == 0 else 2 if rank == 1 else int(rng.integers(1, 3)),
                    "naissance": born,
                    "deces": None,
                    "lieu_naissance": str(rng.choice(["31483", "31555", "65440", "99352", "97411", "2A004"])),
                    "nati": "F",
                    "pere": first if role == "ENF" else None,
                    "mere": first + 1 if role == "ENF" else None,
                }
            )
            members.append(
                {
                    "menage": menage,
                    "personne": first + rank,
                    "role": role,
                    "present_du": debut,
                    "present_au": None,
                }
            )
        if sizes > 1:
            unions.append(
                {
                    "personne": first,
                    "conjoint": first + 1,
                    "debut": "2001-05",
                    "fin": None,
                    "est_mariage": bool(rng.random() < 0.7),
                }
            )
    schema = {
        "personne": pl.Int64,
        "sexe": pl.Int8,
        "naissance": pl.Date,
        "deces": pl.Date,
        "lieu_naissance": pl.String,
        "nati": pl.String,
        "pere": pl.Int64,
        "mere": pl.Int64,
    }
    return (
        pl.DataFrame(persons, schema=schema),
        pl.DataFrame(
            members,
            schema={
                "menage": pl.Int64,
                "personne": pl.Int64,
                "role": pl.String,
                "present_du": pl.String,
                "present_au": pl.String,
            },
        ),
        pl.DataFrame(
            unions,
            schema={
                "personne": pl.Int64,
                "conjoint": pl.Int64,
                "debut": pl.String,
                "fin": pl.String,
                "est_mariage": pl.Boolean,
            },
        ),
    )


def _grid(menages: int, mois: list[str]) -> pl.DataFrame:
    ids = pl.DataFrame({"menage": range(1, menages + 1)}, schema={"menage": pl.Int64})
    return ids.join(pl.DataFrame({"mois": mois}), how="cross")


def _households(rng: np.random.Generator, menages: int, mois: list[str]) -> pl.DataFrame:
    home = pl.Series(rng.choice([TOWN, VILLAGE, OUTSIDE], menages, p=[0.5, 0.4, 0.1]))
    per = pl.DataFrame(
        {
            "menage": range(1, menages + 1),
            "commune_insee": home,
            "sitfam": pl.Series(rng.choice(["CEL", "MAR"], menages)),
        },
        schema_overrides={"menage": pl.Int64},
    )
    return (
        _grid(menages, mois)
        .join(per, on="menage")
        .with_columns(
            logement=pl.col("menage") + 1000,
            est_territoire=pl.col("commune_insee") != OUTSIDE,
            occlog=pl.lit("LOC"),
            sitfam_date=pl.lit("2001-05"),
            aide_logement=pl.lit(120.0),
            af=pl.lit(0.0),
            af_base=pl.lit(0.0),
            cf=pl.lit(0.0),
            asf=pl.lit(0.0),
            paje_base=pl.lit(0.0),
            paje_prepare=pl.lit(0.0),
            aspa=pl.lit(0.0),
            est_agricole=pl.col("menage") % 20 == 0,
        )
    )


def _states(personnes: pl.DataFrame, mois: list[str]) -> pl.DataFrame:
    grid = personnes.select("personne").join(pl.DataFrame({"mois": mois}), how="cross")
    return grid.with_columns(
        act=pl.lit("CDI"),
        etudiant=pl.lit(False),
        enceinte=pl.lit(False),
        regime=pl.when(pl.col("personne") % 25 == 0).then(pl.lit("AG")).otherwise(pl.lit("GE")),
    )


def _incomes(rng: np.random.Generator, adults: list[int], mois: list[str]) -> pl.DataFrame:
    grid = pl.DataFrame({"personne": adults}, schema={"personne": pl.Int64}).join(
        pl.DataFrame({"mois": mois}), how="cross"
    )
    kind = pl.Series(
        rng.choice(
            ["001", "010", "011", "022", "030", "nil"], grid.height, p=[0.5, 0.1, 0.1, 0.15, 0.05, 0.1]
        )
    )
    amount = pl.Series(rng.integers(200, 2000, grid.height).astype(float))
    return grid.with_columns(natress=kind, montant=amount).filter(pl.col("natress") != "nil")


def _rights(rng: np.random.Generator, menages: int, mois: list[str]) -> pl.DataFrame:
    grid = _grid(menages, mois).join(pl.DataFrame({"droit": ["rsa", "ppa"]}), how="cross")
    eligible = pl.Series(rng.choice(["oui", "non", "inconnu"], grid.height, p=[0.2, 0.7, 0.1]))
    return grid.with_columns(eligible=eligible, motif=pl.lit(None, pl.String), montant_eur_mois=pl.lit(250.0))


def _dossiers(rng: np.random.Generator, menages: int, mois: list[str]) -> pl.DataFrame:
    per = pl.DataFrame(
        {
            "menage": range(1, menages + 1),
            "est_au_caf": rng.random(menages) < 0.6,
            "ressources_source": rng.choice(["DTR", "DRM", "ANNUELLES"], menages),
            "rsa": rng.random(menages) < 0.4,
        },
        schema_overrides={"menage": pl.Int64},
    )
    has = pl.col("rsa") & pl.col("est_au_caf")
    nothing = pl.lit(None, pl.String)
    return (
        _grid(menages, mois)
        .join(per, on="menage")
        .with_columns(
            caf_num=pl.when("est_au_caf").then(pl.lit("311")),
            dtr_phase=pl.when(has).then(pl.lit(2, pl.Int8)),
            fonorg=pl.when(has).then(pl.lit("CAF")),
            rsa_etat=pl.when(has).then(pl.lit("2")),
            rsa_natpf=pl.when(has).then(pl.lit("RSD")),
            rsa_demande_le=pl.when(has).then(pl.lit("2023-02")),
            rsa_motif=nothing,
            rsa_motif_refus=nothing,
            rsa_motif_cloture=nothing,
            rsa_du=pl.when(has).then(300.0).otherwise(0.0),
            ppa_etat=nothing,
            ppa_motif=nothing,
            ppa_due=pl.lit(0.0),
        )
        .drop("rsa")
    )


def _c2s(rng: np.random.Generator, membres: pl.DataFrame, mois: list[str]) -> pl.DataFrame:
    drawn = membres.filter(pl.col("menage") % 5 == 0).select("personne", foyer_c2s="menage")
    return drawn.join(pl.DataFrame({"mois": mois}), how="cross").with_columns(
        c2s=pl.lit(1, pl.Int8), c2s_debut=pl.lit("2025-01"), c2s_fin=pl.lit(None, pl.String)
    )
