"""A partner late across a change of epoch or of encoding: its tokens equal nobody's, its ids did not change.

The others are linked under the new epoch. The late one keeps the links it had while all were under the same.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.linkage.alerts import Alert
from pipelines.linkage.sources import SOURCES, Extract
from pipelines.refusals import KeyRefusal
from pipelines.warehouse import Warehouse

PERSONS, PAIRS, AMBIGUOUS = "core__personnes_liees", "core__paires", "core__consentements_ambigus"
OPPOSED, QUALITY = "core__personnes_opposees", "out__qualite_appariement"

_EXTRACTS = """
SELECT extrait_id, partenaire, mois, est_utilise, millesime_cle,
    millesime_cle || '/' || version_encodage AS jetons
FROM meta__extraits WHERE est_utilise OR NOT est_remplace ORDER BY partenaire, mois
"""


@dataclass(frozen=True)
class Generations:
    """The used extracts whose tokens can be equal, and those left under an earlier epoch or encoding.

    ``communs``: for each partner, its newest extract of the last generation they all delivered; empty when
    there is none. ``millesimes``: epoch of each late partner, then of the others.
    """

    actuels: list[Extract]
    attardes: list[Extract]
    communs: list[Extract]
    millesimes: tuple[str, ...] = ()

    @property
    def sources(self) -> list[str]:
        """The sources of persons and consents found in late deliveries."""
        late = {extract.partenaire for extract in self.attardes}
        return [source.nom for source in SOURCES if source.partenaire in late]

    @property
    def alert(self) -> Alert:
        """Who is late, what it means, what to do."""
        late = ", ".join(f"{extract.partenaire} ({extract.mois})" for extract in self.attardes)
        return Alert(
            f"Extrait resté sous d'anciens jetons (millésime {', '.join(self.millesimes)}) : {late}. Ses "
            "personnes gardent les liens qu'elles avaient. Les personnes, consentements et oppositions "
            "arrivés depuis chez les autres n'ont pu lui être comparés : ils le seront à son prochain dépôt."
        )


def generations(warehouse: Warehouse) -> Generations:
    """The used extracts by generation of their tokens; that of the newest month is the present one."""
    rows = warehouse.query(_EXTRACTS)
    used = rows.filter("est_utilise")
    if used.is_empty():
        return Generations([], [], [])
    present = used.sort("mois", "jetons")["jetons"][-1]
    late = used.filter(pl.col("jetons") != present)
    epochs = [
        *late["millesime_cle"].unique(maintain_order=True),
        used.filter(jetons=present)["millesime_cle"][0],
    ]
    common = [] if late.is_empty() else _common(rows, used)
    return Generations(_extracts(used.filter(jetons=present)), _extracts(late), common, tuple(epochs))


def former_links(warehouse: Warehouse, extracts: Generations) -> dict[str, pl.DataFrame]:
    """The tables of the linkage as it last was; raises :class:`KeyRefusal` when there was none."""
    if not warehouse.exists(PERSONS) or warehouse.count(PERSONS) == 0:
        first = extracts.attardes[0]
        raise KeyRefusal(
            "Les extraits n'ont aucun mois commun sous un même millésime de clé : ils ne peuvent être liés.",
            ou=", ".join(f"{each.partenaire}/{each.mois}" for each in extracts.attardes),
            que_faire="Redéposer ce mois sous le millésime des autres : « nonrecours pseudonymiser … "
            f"--partenaire {first.partenaire} --mois {first.mois} --millesime {extracts.millesimes[-1]} "
            "--remplacer ».",
        )
    return {name: warehouse.read(name) for name in (PERSONS, PAIRS, AMBIGUOUS, OPPOSED, QUALITY)}


def rejoin(warehouse: Warehouse, former: dict[str, pl.DataFrame], late: list[str]) -> None:
    """Give the persons of ``late`` sources the links of ``former``, beside those just made by the others.

    A consent that was ambiguous stays so; an opposed person stays opposed, with every record of its person.
    """
    fresh = warehouse.read(PERSONS)
    still = former[AMBIGUOUS].join(warehouse.read(AMBIGUOUS), on="consentement_id", how="anti")
    people = pl.concat([_apart(fresh, still), _attached(fresh, former[PERSONS], late)])
    warehouse.replace(PERSONS, people.sort("personne_uid", "source", "personne_id"))
    warehouse.replace(AMBIGUOUS, pl.concat([warehouse.read(AMBIGUOUS), still]).sort("consentement_id"))
    for name in (PAIRS, QUALITY):
        with_late = former[name].filter(pl.any_horizontal(pl.col("source_g", "source_d").is_in(late)))
        warehouse.replace(name, pl.concat([warehouse.read(name), with_late], how="diagonal"))
    opposed = pl.concat([warehouse.read(OPPOSED), former[OPPOSED]]).unique()
    warehouse.replace(OPPOSED, _with_whole_persons(opposed, people).sort(pl.all()))


def _extracts(rows: pl.DataFrame) -> list[Extract]:
    return [Extract(*row) for row in rows.select("extrait_id", "partenaire", "mois").iter_rows()]


def _common(rows: pl.DataFrame, used: pl.DataFrame) -> list[Extract]:
    until = used.select("partenaire", dernier="mois")
    seen = rows.join(until, on="partenaire").filter(pl.col("mois") <= pl.col("dernier"))
    newest = seen.sort("mois").group_by("jetons", "partenaire").last()
    by_generation = newest.group_by("jetons").agg(pl.len(), pl.col("mois").min())
    complete = by_generation.filter(pl.col("len") == used.height).sort("mois", "jetons")
    if complete.is_empty():
        return []
    return _extracts(newest.filter(jetons=complete["jetons"][-1]).sort("partenaire"))


def _apart(fresh: pl.DataFrame, ambiguous: pl.DataFrame) -> pl.DataFrame:
    """``fresh`` with each of these consents a person of its own again."""
    last = int(str(fresh["personne_uid"].max() or 0))
    is_one = (pl.col("source") == "cellule") & pl.col("personne_id").is_in(
        ambiguous["consentement_id"].implode()
    )
    alone = last + is_one.cum_sum()
    return fresh.with_columns(
        personne_uid=pl.when(is_one).then(alone).otherwise("personne_uid").cast(pl.Int64),
        poids=pl.when(~is_one).then("poids"),
    )


def _attached(fresh: pl.DataFrame, former: pl.DataFrame, late: list[str]) -> pl.DataFrame:
    """The former records of ``late`` sources, each under the person its companions now are."""
    now = fresh.select("source", "personne_id", uid="personne_uid")
    companions = former.join(now, on=["source", "personne_id"]).group_by("personne_uid", "uid").len()
    chosen = companions.sort("len", "uid", descending=[True, False]).unique("personne_uid", keep="first")
    records = former.filter(pl.col("source").is_in(late)).join(
        chosen.select("personne_uid", "uid"), on="personne_uid", how="left"
    )
    best = records.sort(
        pl.col("poids").fill_null(0), "personne_uid", descending=[True, False], maintain_order=True
    )
    winner = best.drop_nulls("uid").unique(["source", "uid"], keep="first")
    kept = records.join(winner, on=["source", "uid", "personne_uid"], how="semi")
    others = records.join(kept, on=["source", "personne_id"], how="anti")
    beyond = 2 * int(str(fresh["personne_uid"].max() or 0)) + 1
    alone = others.with_columns(uid=beyond + pl.col("personne_uid"))
    return pl.concat([kept, alone]).select(
        personne_uid="uid", source="source", personne_id="personne_id", poids="poids"
    )


def _with_whole_persons(opposed: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Every record of every person one record of which is opposed."""
    of_person = people.select("source", "personne_id", "personne_uid")
    persons = opposed.join(of_person, on=["source", "personne_id"]).select("personne_uid", "objet").unique()
    extended = persons.join(of_person, on="personne_uid").select(opposed.columns)
    return pl.concat([opposed, extended]).unique()
