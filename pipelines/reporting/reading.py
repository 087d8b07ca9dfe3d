"""From the tables that went through disclosure control to the published figures."""

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.calendar import month_number, period_code, shift
from pipelines.refusals import Refusal
from pipelines.reporting import labels
from pipelines.reporting.figures import (
    Change,
    Circle,
    Count,
    Dimension,
    Estimate,
    Extract,
    Farmers,
    Group,
    MoreAnswers,
    Parameter,
    Part,
    Path,
    Place,
    Quality,
    QualityClass,
    Ratio,
    Right,
    Step,
)
from pipelines.territory import URBAN_INHABITANTS, Territory, delivered_communes
from pipelines.warehouse import Warehouse

HOUSEHOLD_STEP = 5
EURO_STEP, BIG_EURO_STEP = 100, 1000
BIG_EUROS = 20_000
METHODS = ("corrige", "observe", "naif")
RIGHTS = ("rsa", "ppa", "rsa_et_ppa")
HEADLINES = ("rsa", "ppa")

PATH_DIMENSIONS = ("chemin", "etape", "duree", "suite")
COMPARED_DIMENSIONS = ("aide_logement", "prestations_familiales", "prime_activite")
"""Dimensions shown beside the national figures only: what else the CAF pays."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Rates:
    """``out__diffusion`` and ``out__diffusion_risques``, asked for one cell at a time."""

    frame: pl.DataFrame
    ratios: pl.DataFrame

    def row(self, **wanted: str) -> Row | None:
        """The row of a cell, or None when the estimate made none."""
        rows = self.frame.filter(**wanted).rows(named=True)
        return rows[0] if rows else None

    def estimate(self, **wanted: str) -> Estimate | None:
        """The published figures of a cell; None is *secret statistique*."""
        row = self.row(**wanted)
        return rounded(row) if row and row["est_publie"] else None

    def ratio(self, groupe: str, droit: str, mois: str) -> Ratio | None:
        """The published ratio of a group to its reference."""
        rows = self.ratios.filter("est_publie", groupe=groupe, droit=droit, periode=period_code(mois))
        if rows.is_empty():
            return None
        row = rows.row(0, named=True)
        values = (round(row[name], 1) for name in ("rapport", "rapport_bas", "rapport_haut"))
        return Ratio(labels.group_name(row["reference"]), *values)

    def detail(self, **wanted: str) -> Estimate | None:
        """The one published method of a cell of the detail: corrected, or observed."""
        return self.estimate(**wanted, methode="corrige") or self.estimate(**wanted, methode="observe")


def rates(warehouse: Warehouse, mois: str) -> Rates:
    """The rates that may be shown.

    Raises :class:`Refusal` when disclosure control has not seen this period.
    """
    seen = warehouse.read("out__diffusion") if warehouse.exists("out__diffusion") else pl.DataFrame()
    if seen.is_empty() or seen.filter(periode=period_code(mois)).is_empty():
        raise Refusal(
            f"Le secret statistique n'a pas été contrôlé pour la période {period_code(mois)}.",
            ou="out__diffusion",
            que_faire="Lancer l'étape diffusion de ce mois, puis le rapport.",
        )
    return Rates(seen, warehouse.read("out__diffusion_risques"))


def rounded(row: Row) -> Estimate:
    """A row of the rates as it will be printed (shares become points out of 100)."""
    return Estimate(
        eligibles=_to(row["eligibles"], HOUSEHOLD_STEP),
        non_recourants=_to(row["non_recourants"], HOUSEHOLD_STEP),
        taux=_to(100 * row["taux"], 1),
        bas=None if row["taux_bas"] is None else _to(100 * row["taux_bas"], 1),
        haut=None if row["taux_haut"] is None else _to(100 * row["taux_haut"], 1),
        euros_mois=None if row["euros_mois"] is None else _euros(row["euros_mois"]),
    )


def _euros(value: float) -> int:
    return _to(value, BIG_EURO_STEP if value >= BIG_EUROS else EURO_STEP)


def _to(value: float, step: int) -> int:
    return int(float(value) / step + 0.5) * step


def rights(found: Rates, mois: str) -> tuple[Right, ...]:
    """The headline figures of each right over the territory."""
    return tuple(_right(found, droit, mois) for droit in RIGHTS)


def _right(found: Rates, droit: str, mois: str) -> Right:
    cell = {"droit": droit, "niveau": "EPCI", "groupe": "ensemble", "periode": period_code(mois)}
    main = found.row(**cell, methode="corrige") or {}
    return Right(
        droit=droit,
        corrige=found.estimate(**cell, methode="corrige"),
        observe=found.estimate(**cell, methode="observe"),
        naif=found.estimate(**cell, methode="naif"),
        lectures=tuple(m for m in METHODS if found.row(**cell, methode=m)),
        est_verifie=bool(main.get("est_verifie")),
        forme=str(main.get("forme") or ""),
        evolution=_change(found, cell, mois),
    )


def _change(found: Rates, cell: dict[str, str], mois: str) -> Change | None:
    earlier = period_code(shift(mois, -3))
    now = found.estimate(**cell, methode="corrige")
    before = found.estimate(**cell | {"periode": earlier}, methode="corrige")
    if now is None or before is None:
        return None
    points = now.taux - before.taux
    return Change(earlier, before, points, abs(points) <= _noise(now, before))


def _noise(now: Estimate, before: Estimate) -> float:
    """Half-width of the interval of a difference, points: the two errors taken as independent."""
    halves = [(e.haut - e.bas) / 2 for e in (now, before) if e.haut is not None and e.bas is not None]
    return math.hypot(*halves)


def places(found: Rates, territory: Territory, mois: str) -> tuple[Place, ...]:
    """Every grouping of the territory, by decreasing population; a grouping without a rate is hidden."""
    listed = [_place(found, territory, row, mois) for row in territory.groupings.rows(named=True)]
    return tuple(sorted(listed, key=lambda place: (-place.population, place.code)))


def _place(found: Rates, territory: Territory, grouping: Row, mois: str) -> Place:
    code = grouping["regroupement"]
    inside = territory.inside.filter(regroupement=code).sort("population", "nom", descending=[True, False])
    cell = {"niveau": "regroupement", "code_territoire": code, "groupe": "ensemble"}
    return Place(
        code=code,
        nom=grouping["nom"],
        population=int(inside["population"].sum()),
        communes=tuple(inside["nom"]),
        taux={d: found.detail(**cell, droit=d, periode=period_code(mois)) for d in HEADLINES},
    )


def parts(found: Rates, territory: Territory, reference: str, mois: str) -> tuple[Part, ...]:
    """The communes as partners name them, in the groupings that have several.

    A grouping under one name is that name: its only part is itself.
    """
    named = territory.inside.with_columns(
        livree=pl.col("commune_insee").replace(delivered_communes(reference))
    ).drop_nulls("regroupement")
    several = named.filter(pl.col("livree").n_unique().over("regroupement") > 1)
    own = several.filter(commune_insee=pl.col("livree")).join(territory.groupings, on="regroupement")
    ordered = own.sort("regroupement", "population", descending=[False, True])
    return tuple(_part(found, row, mois) for row in ordered.rows(named=True))


def _part(found: Rates, row: Row, mois: str) -> Part:
    alone = row["population"] >= URBAN_INHABITANTS
    cell = {"niveau": "commune", "code_territoire": row["commune_insee"], "groupe": "ensemble"}
    return Part(
        nom=row["nom"] if alone else f"Autres communes, {row['nom_right']}",
        regroupement=row["nom_right"],
        taux={
            d: found.estimate(**cell, methode="corrige", droit=d, periode=period_code(mois))
            for d in HEADLINES
        },
    )


def circles(territory: Territory) -> tuple[Circle, ...]:
    """The communes of the territory, the largest first so that small circles are drawn over."""
    ordered = territory.inside.sort("population", "commune_insee", descending=[True, False])
    return tuple(
        Circle(row["nom"], row["population"], row["latitude"], row["longitude"], row["regroupement"] or "")
        for row in ordered.rows(named=True)
    )


def profile(found: Rates, mois: str) -> tuple[Dimension, ...]:
    """The profile of the territory, one dimension per criterion, 50+ always in the age dimension."""
    rows = found.frame.filter(
        pl.col("droit").is_in(HEADLINES),
        pl.col("groupe") != "ensemble",
        niveau="EPCI",
        periode=period_code(mois),
    ).filter(pl.col("motif") != "detail")
    codes = sorted({*rows["groupe"], "age:50+"})
    known = {code.split(":")[0] for code in codes} - {*PATH_DIMENSIONS, *COMPARED_DIMENSIONS}
    dimensions = sorted(known, key=lambda d: labels.rank("dimensions", d))
    return tuple(_dimension(found, rows, name, codes, mois) for name in dimensions)


def comparison(found: Rates, mois: str) -> tuple[Group, ...]:
    """The groups whose national rate of 2018 was published and which are shown here, RSA."""
    groups = (_group(found, code, mois) for code in labels.compared_groups())
    return tuple(group for group in groups if group.taux["rsa"])


def path(found: Rates, mois: str) -> Path:
    """Where non-take-up stopped, and how long it lasts."""
    spot = _step(found, "suite:ponctuel", mois)
    return Path(
        etapes=_steps(found, "etape", mois),
        chemins=_steps(found, "chemin", mois),
        durees=_steps(found, "duree", mois),
        ponctuel=spot if any(spot.taux.values()) else None,
    )


def _steps(found: Rates, dimension: str, mois: str) -> tuple[Step, ...]:
    """The steps the estimate made, in the order of their names, hidden ones included."""
    made = set(found.frame.filter(niveau="EPCI", periode=period_code(mois))["groupe"])
    codes = [code for code in labels.codes("groupes") if code.split(":")[0] == dimension and code in made]
    return tuple(_step(found, code, mois) for code in codes)


def _step(found: Rates, code: str, mois: str) -> Step:
    cell = {"niveau": "EPCI", "groupe": code, "periode": period_code(mois)}
    return Step(code, labels.group_name(code), {d: found.detail(**cell, droit=d) for d in HEADLINES})


def _dimension(found: Rates, rows: pl.DataFrame, name: str, codes: list[str], mois: str) -> Dimension:
    own = [code for code in codes if code.split(":")[0] == name]
    ordered = sorted(own, key=_band if name == "age" else lambda code: labels.rank("groupes", code))
    methods = rows.filter(pl.col("groupe").is_in(own))["methode"].unique()
    return Dimension(
        code=name,
        nom=labels.label("dimensions", name),
        methode="corrige" if "corrige" in methods else "observe",
        groupes=tuple(_group(found, code, mois) for code in ordered),
    )


def _group(found: Rates, code: str, mois: str) -> Group:
    cell = {"niveau": "EPCI", "groupe": code, "periode": period_code(mois)}
    by_right = {droit: found.detail(**cell, droit=droit) for droit in HEADLINES}
    ratios = {droit: ratio for droit in HEADLINES if (ratio := found.ratio(code, droit, mois))}
    return Group(code, labels.group_name(code), by_right, labels.national_rate(code), ratios)


def _band(code: str) -> tuple[int, str]:
    """Age bands by their first age; 50+, which covers several, comes last."""
    band = code.split(":")[1]
    first = "".join(c for c in band.split("-")[0] if c.isdigit())
    lowest = not first or band[0] in "<-"
    return (999 if band == "50+" else 0 if lowest else int(first), code)


def farmers(warehouse: Warehouse) -> Farmers:
    """Whether the agricultural scheme is measured, and what other files see of it."""
    partners = set(_used_extracts(warehouse)["partenaire"])
    return Farmers(
        est_mesurable="msa" in partners,
        menages_rsa_msa=_single_count(warehouse, "menages_rsa_msa"),
        personnes_regime_agricole=_single_count(warehouse, "personnes_regime_agricole"),
    )


def _single_count(warehouse: Warehouse, modalite: str) -> int | None:
    rows = warehouse.read("out__diffusion_effectifs").filter(modalite=modalite)
    value = rows["menages"][0] if rows.height else None
    return None if value is None else _to(value, HOUSEHOLD_STEP)


def _used_extracts(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.read("meta__extraits").filter("est_utilise").sort("partenaire", "mois", "extrait_id")


def extracts(warehouse: Warehouse, mois: str) -> tuple[Extract, ...]:
    """The files used, with their month and the rows received, accepted and set aside."""
    lines = warehouse.read("meta__lignes").group_by("extrait_id").agg(
        pl.col("lignes_recues", "lignes_acceptees", "lignes_ecartees").sum()
    )  # fmt: skip
    used = _used_extracts(warehouse).join(lines, on="extrait_id", how="left").fill_null(0)
    newest = used.sort("mois").group_by("partenaire").last()
    ordered = sorted(newest.rows(named=True), key=lambda row: labels.rank("partenaires", row["partenaire"]))
    return tuple(_extract(row, mois) for row in ordered)


def _extract(row: Row, mois: str) -> Extract:
    return Extract(
        partenaire=row["partenaire"],
        mois=row["mois"],
        retard_mois=month_number(mois) - month_number(row["mois"]),
        recues=int(row["lignes_recues"]),
        acceptees=int(row["lignes_acceptees"]),
        ecartees=int(row["lignes_ecartees"]),
    )


def corrections(warehouse: Warehouse) -> int:
    """Rows of earlier months that the newest extracts changed."""
    if not warehouse.exists("meta__corrections"):
        return 0
    return int(warehouse.read("meta__corrections")["lignes_changees"].sum() or 0)


def alerts(warehouse: Warehouse, mois: str) -> tuple[str, ...]:
    """The messages of the quality gate for the month."""
    if not warehouse.exists("meta__alertes"):
        return ()
    rows = warehouse.read("meta__alertes").filter(mois=mois).sort("gravite", "source", "message")
    return tuple(
        f"{labels.label('partenaires', row['source'])} : {row['message']}" for row in rows.rows(named=True)
    )


ROUNDING = 1e-6

LINKED_FILES = ("caf", "cpam")
"""The two files whose linkage the rate rests on."""


def quality_by_class(warehouse: Warehouse) -> tuple[QualityClass, ...]:
    """Persons missed and linked wrongly in each class, between the two files the rate rests on."""
    couple = pl.concat_list("source_g", "source_d").list.sort() == list(LINKED_FILES)
    told = _shown_quality(warehouse).filter(couple, pl.col("mesure").is_in(["rappel", "part_faux_liens"]))
    coded = told.drop_nulls(["bas", "haut"]).with_columns(
        code=pl.concat_str("classe", "modalite", separator=":")
    )
    return tuple(
        QualityClass(
            code,
            _out_of_ten_thousand(coded.filter(code=code, mesure="rappel"), is_missed=True),
            _out_of_ten_thousand(coded.filter(code=code, mesure="part_faux_liens")),
        )
        for code in coded["code"].unique(maintain_order=True)
    )


def _out_of_ten_thousand(rows: pl.DataFrame, is_missed: bool = False) -> tuple[int, int] | None:
    """Ends of a share, rounded outwards; of its complement when it counts those found."""
    if rows.is_empty():
        return None
    low, high = rows.select("bas", "haut").row(0)
    ends = (1 - high, 1 - low) if is_missed else (low, high)
    return math.floor(10_000 * ends[0] + ROUNDING), math.ceil(10_000 * ends[1] - ROUNDING)


def _shown_quality(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.read("out__diffusion_appariement").filter("est_publie").drop_nulls("valeur")


def quality(warehouse: Warehouse) -> tuple[Quality, ...]:
    """The measures of the linkage over everybody, the ones a manager needs first."""
    rows = _shown_quality(warehouse).filter(classe="ensemble").rows(named=True)
    return tuple(
        sorted((_quality(row) for row in rows), key=lambda q: (labels.rank("mesures", q.mesure), q.sources))
    )


def _quality(row: Row) -> Quality:
    mesure, pair = row["mesure"], (row["source_g"], row["source_d"])
    is_share = labels.is_listed("mesures_parts", mesure)
    scale = 100 if is_share else 1
    low, high = (None if row[end] is None else scale * float(row[end]) for end in ("bas", "haut"))
    return Quality(
        mesure=mesure,
        sources=" – ".join(labels.label("partenaires", source) for source in pair if source),
        est_part=is_share,
        est_principale=labels.is_listed("mesures_principales", mesure),
        valeur=scale * float(row["valeur"]),
        bas=low,
        haut=high,
        n=row["n"],
    )


def counts(warehouse: Warehouse) -> tuple[Count, ...]:
    """Households by situation: excluded, covered, and why."""
    rows = warehouse.read("out__diffusion_effectifs").sort("rubrique", "droit", "modalite", nulls_last=True)
    return tuple(
        Count(
            rubrique=row["rubrique"],
            modalite=row["modalite"],
            droit=row["droit"] or "",
            menages=_to(row["menages"], HOUSEHOLD_STEP) if row["est_publie"] else None,
        )
        for row in rows.rows(named=True)
    )


MORE_ANSWERS = "verifications_manquantes"


def parameters(warehouse: Warehouse) -> tuple[Parameter, ...]:
    """The parameters of the correction, of the headline rights."""
    known = [_parameter(row) for row in _parameter_rows(warehouse).drop_nulls("valeur").rows(named=True)]
    kept = [p for p in known if p.droit in ("", *HEADLINES) and p.nom != MORE_ANSWERS]
    ordered = sorted(kept, key=lambda p: (labels.rank("droits", p.droit), labels.rank("parametres", p.nom)))
    return tuple(ordered)


def more_answers(warehouse: Warehouse) -> tuple[MoreAnswers, ...]:
    """How many more verification answers each headline right needs."""
    rows = _parameter_rows(warehouse).filter(nom=MORE_ANSWERS).rows(named=True)
    needs = {_right_and_source(row["source"])[0]: row["valeur"] for row in rows}
    return tuple(
        MoreAnswers(droit, None if needs[droit] is None else round(needs[droit]))
        for droit in HEADLINES
        if droit in needs
    )


def _parameter_rows(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.read("out__parametres_estimation").sort("nom", "source", nulls_last=True)


def _parameter(row: Row) -> Parameter:
    droit, source = _right_and_source(row["source"])
    return Parameter(row["nom"], droit, float(row["valeur"]), row["bas"], row["haut"], source)


def _right_and_source(source: str | None) -> tuple[str, str]:
    """``rsa`` and ``ménages liés`` from ``rsa ; ménages liés``: the estimate names the right first."""
    first, _, rest = (source or "").partition(" ; ")
    return (first, rest) if first in labels.codes("droits") else ("", source or "")
