"""Who can be recognised, without the key, by someone who knows every family of the territory?

The attacker knows the birth date, sex, commune and household of every resident, and the births, unions,
separations and moves of the last two years. It reads every delivered column that follows from these, not the
key. A person is *singled out* when one record alone resembles what is known of it most, and that record is
its own. On an invented territory, whose truth is known.

    python -m bench.appariement.quasi_identifiants [--habitants 44000] [--graine 1] [--simulation DOSSIER]
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import polars as pl
from rich.console import Console

from pipelines.calendar import month_number, shift
from pipelines.source import normalise
from pipelines.source.coarsen import birth_columns, presence_columns, separation_columns
from pipelines.territory import delivered_communes
from schemas.reading import read_strings

CONSOLE = Console(highlight=False, soft_wrap=True)
TERRITORY, MONTH = "comminges", "2026-06"
FEW = 5
"""A person among fewer candidates than this is nearly recognised (the threshold of our own tables)."""

LARGEST_DWELLING = 12
"""Insured persons sharing an address: beyond, an institution or a village, which tells no household."""

KNOWLEDGE: Final = ("personne", "menage", "histoire", "etat_civil")
"""What is known of somebody, each level with those before it."""

BENEFIT_AGES: Final = (0, 3, 14, 20)
"""Ages of a child, in years, at which the Paje begins and ends and the increase of the AF begins and ends."""

PEOPLE: Final = {"caf": "caf_personnes", "cpam": "cpam_assures", "departement": "dep_personnes"}
FILES: Final = {"caf": ("caf_foyers", "foyer_id"), "departement": ("dep_rsa", "dossier_id")}
TOGETHER: Final = "ensemble"

NO_TRAIT = pl.DataFrame(schema={"id": pl.Int64, "trait": pl.String})


@dataclass(frozen=True)
class Side:
    """One side of a comparison. ``persons``: id, cle (never null). ``traits``: id, trait, one row each."""

    persons: pl.DataFrame
    traits: pl.DataFrame = field(default_factory=lambda: NO_TRAIT)


@dataclass(frozen=True)
class Form:
    """How fine a delivery is: births, homes (commune → commune delivered), stays and family dates."""

    nom: str
    naissance: Callable[[str], pl.Expr]
    communes: Mapping[str, str] = field(default_factory=dict)
    is_short: bool = False


@dataclass(frozen=True)
class World:
    """The truth of an invented territory and what each partner holds of it, at month ``mois``.

    ``people``: personne, sexe, annee, mois_ne, pere, mere. ``members``: menage, personne, role, present_du,
    present_au. ``homes``: menage, mois, commune_insee, est_territoire, sitfam, sitfam_date. ``records`` and
    ``files`` by partner, ``attached``: enfant_id, ouvrant_droit_id.
    """

    mois: str
    people: pl.DataFrame
    members: pl.DataFrame
    homes: pl.DataFrame
    records: dict[str, pl.DataFrame]
    files: dict[str, pl.DataFrame]
    attached: pl.DataFrame

    @property
    def first(self) -> str:
        """First month the attacker remembers."""
        return shift(self.mois, -23)

    @property
    def present(self) -> pl.DataFrame:
        """menage, personne, role, commune_insee, est_territoire and the person, at the month delivered."""
        since, until = pl.col("present_du") <= self.mois, pl.col("present_au") >= self.mois
        now = self.homes.filter(mois=self.mois).drop("mois")
        here = self.members.filter(since & until.fill_null(True)).join(now, on="menage")
        return here.join(self.people, on="personne")


def attack(known: Side, seen: Side) -> pl.DataFrame:
    """The records that look most like what is known of each person: id, candidats, fiche.

    Candidates share the key. Among them the best have the most traits in common, then the fewest that are
    unknown; ``candidats`` counts the equally good ones and ``fiche`` is one of them. Persons without any
    candidate are absent.
    """
    with duckdb.connect() as connection:
        for name, frame in (
            ("connus", known.persons),
            ("fiches", seen.persons),
            ("traits_connus", known.traits),
            ("traits_vus", seen.traits),
        ):
            connection.register(name, frame.to_arrow())
        connection.execute("SET threads = 2; SET memory_limit = '3GB'")
        connection.execute(_COMPARISON)
        return pl.DataFrame(connection.sql("FROM meilleures ORDER BY id").to_arrow_table())


_COMPARISON: Final = """
CREATE TABLE vus AS
    SELECT f.id AS fiche, hash(f.cle) AS cle, hash(t.trait) AS trait, count(t.trait) AS n
    FROM fiches AS f LEFT JOIN traits_vus AS t USING (id) GROUP BY ALL;
CREATE TABLE sus AS
    SELECT c.id, hash(c.cle) AS cle, hash(t.trait) AS trait, count(*) AS n
    FROM connus AS c JOIN traits_connus AS t USING (id) GROUP BY ALL;
CREATE TABLE tailles AS SELECT fiche, any_value(cle) AS cle, sum(n)::INT AS taille FROM vus GROUP BY fiche;
CREATE TABLE ressemblances AS
    SELECT id, fiche, sum(least(sus.n, vus.n))::INT AS communs
    FROM sus JOIN vus USING (cle, trait) GROUP BY ALL;
CREATE TABLE notees AS
    SELECT id, fiche, (communs, -taille) AS note FROM ressemblances JOIN tailles USING (fiche);
CREATE TABLE sans_histoire AS
    SELECT cle, count(*) AS candidats, min(fiche) AS fiche
    FROM (FROM tailles QUALIFY taille = min(taille) OVER (PARTITION BY cle)) GROUP BY cle;
CREATE TABLE meilleures AS
    SELECT id, count(*) AS candidats, min(fiche) AS fiche
    FROM (FROM notees QUALIFY note = max(note) OVER (PARTITION BY id)) GROUP BY id
    UNION ALL
    SELECT c.id, s.candidats, s.fiche
    FROM connus AS c JOIN sans_histoire AS s ON s.cle = hash(c.cle)
    WHERE c.id NOT IN (SELECT id FROM ressemblances);
"""


def singled_out(found: pl.DataFrame, targets: int) -> dict[str, float]:
    """Shares of the ``targets`` persons: recognised, taken for another, among fewer than five; median k."""
    alone, right = pl.col("candidats") == 1, pl.col("fiche") == pl.col("id")
    shares = {"reconnus": alone & right, "pris_pour_un_autre": alone & ~right, "moins_de_5": _FEW}
    counted = {name: round(found.filter(test).height / targets, 4) for name, test in shares.items()}
    return counted | {"candidats_medians": _median(found["candidats"]), "personnes": targets}


_FEW = pl.col("candidats") < FEW


def _median(counts: pl.Series) -> float:
    middle = counts.cast(pl.Float64).median()
    return middle if isinstance(middle, float) else 0.0


def read_world(simulation: Path, mois: str = MONTH) -> World:
    """The invented territory of ``simulation``, as ``nonrecours simuler`` writes it."""
    truth, first = simulation / "verite", shift(mois, -23)
    born = pl.col("naissance")
    people = pl.read_parquet(truth / "personnes.parquet").filter(pl.col("deces").is_null())
    return World(
        mois=mois,
        people=people.select(
            "personne",
            pl.col("sexe").cast(pl.String),
            "pere",
            "mere",
            annee=born.dt.year(),
            mois_ne=born.dt.month(),
            date=born.dt.to_string("%Y-%m-%d"),
        ),
        members=pl.read_parquet(truth / "membres.parquet").filter(
            pl.col("present_au").is_null() | (pl.col("present_au") >= first)
        ),
        homes=pl.read_parquet(truth / "menages.parquet")
        .filter(pl.col("mois") >= first)
        .select("menage", "mois", "commune_insee", "est_territoire", "sitfam", "sitfam_date"),
        records={partner: _records(simulation, partner, mois) for partner in PEOPLE},
        files={partner: _table(simulation, partner, mois, name) for partner, (name, _) in FILES.items()},
        attached=_table(simulation, "cpam", mois, "cpam_rattachements"),
    )


def _table(simulation: Path, partner: str, mois: str, name: str) -> pl.DataFrame:
    return read_strings(next((simulation / partner / mois).glob(f"{name}.*")))


def _records(simulation: Path, partner: str, mois: str) -> pl.DataFrame:
    """The partner's persons with who they are (``personne``) and their birth as the partner knows it."""
    truth = pl.read_parquet(simulation / "verite" / "enregistrements.parquet").filter(partenaire=partner)
    who = truth.select("personne", personne_id="id").unique("personne_id")
    born = normalise.birth("date_naissance", mois)
    return (
        _table(simulation, partner, mois, PEOPLE[partner])
        .with_columns(annee=born.annee, mois_ne=born.mois, date=born.date)
        .join(who, on="personne_id")
    )


def known_to_everybody(world: World, form: Form, level: str) -> Side:
    """What the attacker knows, written as a delivery of this form would write it."""
    here = _labelled(world.present, form, world.mois)
    persons = here.filter("est_territoire").select(id="personne", cle="cle")
    levels = KNOWLEDGE[1 : KNOWLEDGE.index(level) + 1]
    found = [trait for name in levels for trait in _KNOWN[name](world, form, here)]
    return Side(persons.unique("id"), _stacked(found))


def seen_at(world: World, form: Form, partner: str, level: str) -> Side:
    """What a partner's delivery of this form shows of each person; ``id`` is who the person is."""
    records = _labelled(_shortened(world.records[partner], form, world.mois), form, world.mois)
    if partner == "cpam":
        traits = _seen_at_cpam(records, world) if level != "personne" else []
        return Side(_one_each(records), _stacked(traits))
    stays = _here(records, world.mois)
    levels = KNOWLEDGE[1 : KNOWLEDGE.index(level) + 1]
    found = [trait for name in levels for trait in _SEEN[name](world, form, partner, records, stays)]
    return Side(_one_each(stays), _stacked(found))


def seen_together(world: World, form: Form, level: str) -> Side:
    """The records of a person at every partner taken as one, as they are once linked (links held perfect)."""
    sides = [seen_at(world, form, partner, level) for partner in ("cpam", "caf", "departement")]
    persons = pl.concat(side.persons for side in sides).unique("id", keep="first", maintain_order=True)
    return Side(persons, pl.concat(side.traits for side in sides).unique())


def with_identity_files(world: World, side: Side, seen: bool) -> Side:
    """The same side with what equal tokens tell: the sex and commune of others born the same day.

    Tokens of a birth place, a name or a given name with a date are equal for one birth date only. On the
    known side, everybody born that day is listed.
    """
    if not seen:
        others = world.present.select("personne", "date", trait=_same_day())
        return Side(side.persons, _stacked([side.traits, _shared(others, "date")]))
    given = normalise.names("nom_naissance", "nom_usage", "prenoms")
    traits = [side.traits]
    for partner in PEOPLE:
        rows = world.records[partner].with_columns(prenom=given.premier_prenom, trait=_same_day())
        for other in ("lieu_naissance", "prenom"):
            group = pl.concat_str(other, "date", separator="|").alias("groupe")
            traits.append(_shared(rows.select("personne", "trait", group).unique(), "groupe"))
    return Side(side.persons, _stacked(traits).unique())


def _same_day() -> pl.Expr:
    return pl.concat_str(pl.lit("jour"), "sexe", "commune_insee", separator="|")


def _labelled(frame: pl.DataFrame, form: Form, mois: str) -> pl.DataFrame:
    """With ``qui`` (sex and birth), ``zone`` (commune) and ``cle`` (both), as delivered."""
    named = frame.with_columns(
        qui=pl.concat_str("sexe", form.naissance(mois), separator="|"),
        zone=pl.col("commune_insee").replace(form.communes),
    )
    return named.with_columns(cle=pl.concat_str("qui", "zone", separator="|"))


def _shortened(records: pl.DataFrame, form: Form, mois: str) -> pl.DataFrame:
    if "present_du" not in records.columns or not form.is_short:
        return records
    return records.with_columns(presence_columns(mois))


def _here(records: pl.DataFrame, mois: str) -> pl.DataFrame:
    since = pl.col("present_du").is_null() | (pl.col("present_du") <= mois)
    return records.filter(since & (pl.col("present_au").is_null() | (pl.col("present_au") >= mois)))


def _one_each(records: pl.DataFrame) -> pl.DataFrame:
    keyed = records.select(id="personne", cle="cle").drop_nulls()
    return keyed.sort("id", "cle").unique("id", keep="first", maintain_order=True)


def _stacked(traits: Iterable[pl.DataFrame]) -> pl.DataFrame:
    rows = [frame.select(pl.col("id").cast(pl.Int64), "trait").drop_nulls() for frame in traits]
    return pl.concat(rows) if rows else NO_TRAIT


def _shared(rows: pl.DataFrame, group: str) -> pl.DataFrame:
    """Traits of everybody else of the same group: personne, trait, group → id, trait."""
    others = rows.select(group, autre="personne", trait="trait")
    pairs = rows.select("personne", group).drop_nulls().join(others, on=group)
    return pairs.filter(pl.col("autre") != pl.col("personne")).select(id="personne", trait="trait")


def _side_of_family(role: str = "role") -> pl.Expr:
    return pl.when(pl.col(role) == "ENF").then(pl.lit("enfant")).otherwise(pl.lit("adulte"))


def _event(kind: str, *columns: str) -> pl.Expr:
    return pl.concat_str(pl.lit(kind), *columns, separator="|").alias("trait")


def _of_household(here: pl.DataFrame, group: str, events: pl.DataFrame) -> pl.DataFrame:
    """Each event of a household, told of everybody living there now."""
    return here.select(group, "personne").join(events, on=group).select(id="personne", trait="trait")


def _known_household(world: World, form: Form, here: pl.DataFrame) -> list[pl.DataFrame]:
    """Members of the household, and parents and children wherever they live."""
    rows = here.with_columns(cote=_side_of_family())
    family = _shared(rows.with_columns(_event("foyer", "cote", "qui")), "menage")
    dwelling = _shared(rows.with_columns(_event("logement", "qui")), "menage")
    return [family, dwelling, *_known_parents(world, form, here)]


def _known_parents(world: World, form: Form, here: pl.DataFrame) -> list[pl.DataFrame]:
    everybody = _labelled(world.people.with_columns(commune_insee=pl.lit("")), form, world.mois)
    named = everybody.select("personne", parent_qui="qui")
    found = []
    for parent in ("pere", "mere"):
        children = here.filter(role="ENF").select("personne", "qui", parent=parent).drop_nulls()
        both = children.join(named, left_on="parent", right_on="personne")
        found.append(both.select(_event("parent", "parent_qui"), id="personne"))
        found.append(both.select(_event("enfant", "qui"), id="parent"))
    return found


def _known_history(world: World, form: Form, here: pl.DataFrame) -> list[pl.DataFrame]:
    """Births of the children, whenever; arrivals, departures and moves since the first month remembered."""
    people = _labelled(world.people.with_columns(commune_insee=pl.lit("")), form, world.mois)
    rows = world.members.join(people, on="personne")
    arrivals = rows.filter((pl.col("present_du") >= world.first) | (pl.col("role") == "ENF"))
    departures = rows.filter(pl.col("present_au") < world.mois)
    moves = _moves(world.homes, "menage", form)
    birthdays = [_birthdays(rows.filter(role="ENF"), age) for age in BENEFIT_AGES]
    events = (
        *(birthday.filter(pl.col("mois") >= world.first).select("menage", "trait") for birthday in birthdays),
        arrivals.select("menage", _event("arrivee", "qui", "present_du")),
        departures.select("menage", _event("depart", "qui", "present_au")),
        moves.select("menage", "trait"),
    )
    return [_of_household(here, "menage", event) for event in events]


def _birthdays(children: pl.DataFrame, age: int) -> pl.DataFrame:
    """``mois`` and ``trait`` of the birthday at which a benefit of the household changes."""
    number = (pl.col("annee") + age) * 12 + pl.col("mois_ne") - 1
    month = pl.format("{}-{}", number // 12, (number % 12 + 1).cast(pl.String).str.zfill(2))
    return children.with_columns(mois=month).with_columns(_event(f"anniversaire|{age}", "mois"))


def _known_status(world: World, form: Form, here: pl.DataFrame) -> list[pl.DataFrame]:
    return [here.select(_event(kind, kind), id="personne") for kind in ("sitfam", "sitfam_date")]


def _moves(homes: pl.DataFrame, group: str, form: Form) -> pl.DataFrame:
    """Months at which the commune delivered changes, with the one left."""
    zoned = homes.with_columns(zone=pl.col("commune_insee").replace(form.communes)).sort(group, "mois")
    left = zoned.with_columns(avant=pl.col("zone").shift().over(group))
    return left.filter(pl.col("avant") != pl.col("zone")).with_columns(_event("demenage", "mois", "avant"))


def _seen_household(
    world: World, form: Form, partner: str, records: pl.DataFrame, stays: pl.DataFrame
) -> list[pl.DataFrame]:
    rows = stays.with_columns(cote=_side_of_family()).with_columns(_event("foyer", "cote", "qui"))
    return [_shared(rows, FILES[partner][1])]


def _seen_history(
    world: World, form: Form, partner: str, records: pl.DataFrame, stays: pl.DataFrame
) -> list[pl.DataFrame]:
    group = FILES[partner][1]
    departures = records.filter(pl.col("present_au") < world.mois)
    events = (
        records.select(group, _event("arrivee", "qui", "present_du")).drop_nulls(),
        departures.select(group, _event("depart", "qui", "present_au")).drop_nulls(),
        _moves(world.files[partner], group, form).select(group, "trait"),
        *(_benefit_changes(world.files["caf"]) if partner == "caf" else ()),
    )
    return [_of_household(stays, group, event) for event in events]


def _benefit_changes(files: pl.DataFrame) -> list[pl.DataFrame]:
    """The months at which a child's age began or ended a benefit, by foyer, as birthdays."""
    af, base, paje = (_euros(name) for name in ("af", "af_base", "paje_base"))
    paid = files.sort("foyer_id", "mois").with_columns(grand=af - base > 1, petit=paje > 0)
    known = paid.with_columns(pl.col("grand", "petit").shift().over("foyer_id").name.suffix("_avant"))
    changes = (_begun("petit"), _ended("petit"), _begun("grand"), _ended("grand"))
    return [
        known.filter(change).select("foyer_id", _event(f"anniversaire|{age}", "mois"))
        for age, change in zip(BENEFIT_AGES, changes, strict=True)
    ]


def _euros(column: str) -> pl.Expr:
    return pl.col(column).str.replace(",", ".").cast(pl.Float64)


def _begun(benefit: str) -> pl.Expr:
    return pl.col(benefit) & ~pl.col(f"{benefit}_avant")


def _ended(benefit: str) -> pl.Expr:
    return ~pl.col(benefit) & pl.col(f"{benefit}_avant")


def _seen_status(
    world: World, form: Form, partner: str, records: pl.DataFrame, stays: pl.DataFrame
) -> list[pl.DataFrame]:
    if partner != "caf":
        return []
    now = world.files["caf"].filter(mois=world.mois)
    shown = now.with_columns(separation_columns()) if form.is_short else now
    events = [shown.select("foyer_id", _event(kind, kind)).drop_nulls() for kind in ("sitfam", "sitfam_date")]
    return [_of_household(stays, "foyer_id", event) for event in events]


def _seen_at_cpam(records: pl.DataFrame, world: World) -> list[pl.DataFrame]:
    """Who shares the address or the C2S household, and children with their holders."""
    address = normalise.dwelling("adresse", "commune_insee").alias("logement")
    rows = records.with_columns(address, _event("logement", "qui"))
    together = [
        rows.filter(pl.len().over(group) <= LARGEST_DWELLING).select("personne", "trait", group)
        for group in ("logement", "foyer_c2s_id")
    ]
    shared = [_shared(frame, frame.columns[-1]) for frame in together]
    return [pl.concat(shared).unique(), *_attached(records, world.attached)]


def _attached(records: pl.DataFrame, attached: pl.DataFrame) -> list[pl.DataFrame]:
    child = records.select(enfant="personne", enfant_id="personne_id", enfant_qui="qui")
    holder = records.select(parent="personne", ouvrant_droit_id="personne_id", parent_qui="qui")
    both = attached.join(child, on="enfant_id").join(holder, on="ouvrant_droit_id")
    return [
        both.select(_event("parent", "parent_qui"), id="enfant"),
        both.select(_event("enfant", "enfant_qui"), id="parent"),
    ]


_KNOWN: Final = {"menage": _known_household, "histoire": _known_history, "etat_civil": _known_status}
_SEEN: Final = {"menage": _seen_household, "histoire": _seen_history, "etat_civil": _seen_status}

_YOUNG_MONTHS = 26 * 12


def _age(mois: str) -> pl.Expr:
    return month_number(mois) - (pl.col("annee") * 12 + pl.col("mois_ne").fill_null(1) - 1)


def _written(annee: pl.Expr, mois: pl.Expr) -> pl.Expr:
    return pl.concat_str(annee.cast(pl.String), mois.cast(pl.String).fill_null(""), separator="-")


def year_and_month_of_the_young(mois: str) -> pl.Expr:
    """Contract version 1: birth year, and month under 26."""
    young = pl.when(_age(mois) < _YOUNG_MONTHS).then("mois_ne")
    return _written(pl.col("annee"), young)


def as_delivered(mois: str) -> pl.Expr:
    """The birth as :mod:`pipelines.source.coarsen` delivers it."""
    born = normalise.Birth(date=pl.lit(None), annee=pl.col("annee"), mois=pl.col("mois_ne"))
    return _written(*birth_columns(born, mois))


def pivotal_ages_alone(mois: str) -> pl.Expr:
    """As delivered under 26, the birth year above."""
    grown = _age(mois) >= _YOUNG_MONTHS
    return pl.when(grown).then(pl.col("annee").cast(pl.String)).otherwise(as_delivered(mois))


def exact_year(mois: str) -> pl.Expr:
    """What the identity files add: the birth year beside what is delivered."""
    return pl.concat_str(as_delivered(mois), pl.col("annee").cast(pl.String), separator="/")


def forms(territory: str = TERRITORY) -> list[Form]:
    """From contract version 1 to what is delivered, one choice more at each step."""
    small = delivered_communes(territory)
    return [
        Form("version 1 : année, mois avant 26 ans, commune, dates entières", year_and_month_of_the_young),
        Form("+ séjours et dates familiales limités", year_and_month_of_the_young, is_short=True),
        Form("+ mois aux seuls âges pivots", pivotal_ages_alone, is_short=True),
        Form("+ classes d'années de naissance", as_delivered, is_short=True),
        Form("livré : + petites communes regroupées", as_delivered, small, is_short=True),
    ]


_WITH_FILES: Final = (
    Form("version 1", year_and_month_of_the_young),
    Form("livré, année et commune exactes dans les fichiers d'identité", exact_year, is_short=True),
)


def measure(world: World, form: Form) -> dict[str, dict[str, dict[str, float]]]:
    """Partner → what is known → shares of the residents that partner holds (``ensemble``: anybody)."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for level in KNOWLEDGE:
        known = known_to_everybody(world, form, level)
        for partner in (*PEOPLE, TOGETHER):
            whole = partner == TOGETHER
            seen = seen_together(world, form, level) if whole else seen_at(world, form, partner, level)
            found.setdefault(partner, {})[level] = _measured(known, seen)
    return found


def measure_with_identities(world: World, form: Form) -> dict[str, dict[str, float]]:
    """The same for all the records of a person, with equal tokens: until the identity files are deleted."""
    found = {}
    for level in KNOWLEDGE:
        known = with_identity_files(world, known_to_everybody(world, form, level), seen=False)
        seen = with_identity_files(world, seen_together(world, form, level), seen=True)
        found[level] = _measured(known, seen)
    return found


def _measured(known: Side, seen: Side) -> dict[str, float]:
    held = known.persons.join(seen.persons.select("id"), on="id", how="semi")
    return singled_out(attack(Side(held, known.traits), seen), held.height)


def published(world: World, habitants: int, graine: int) -> dict[str, Any]:
    """What docs/preuves keeps."""
    return {
        "territoire": {"habitants": habitants, "graine": graine, "mois": world.mois},
        "lecture": "parts des personnes que détient chaque partenaire : reconnues (une seule fiche ressemble "
        "le plus, la leur), prises pour une autre, et celles dont moins de cinq fiches ressemblent le plus",
        "formes": {form.nom: measure(world, form) for form in forms()},
        "avec_fichiers_identite": {form.nom: measure_with_identities(world, form) for form in _WITH_FILES},
    }


def main() -> None:
    """Invent a territory (or read one), attack it, write the figures."""
    given = _arguments()
    with TemporaryDirectory() as scratch:
        folder = given.simulation or _invented(Path(scratch), given.habitants, given.graine)
        figures = published(read_world(folder), given.habitants, given.graine)
    given.sortie.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _print(figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Part des personnes reconnues par recoupement, sans la clé.")
    parser.add_argument("--habitants", type=int, default=44_000)
    parser.add_argument("--graine", type=int, default=1)
    parser.add_argument("--simulation", type=Path, help="dossier déjà écrit par « nonrecours simuler »")
    parser.add_argument("--sortie", type=Path, default=Path("docs/preuves/quasi_identifiants.json"))
    return parser.parse_args()


def _invented(scratch: Path, habitants: int, graine: int) -> Path:
    from pipelines.synthetic import simulate_territory

    folder = scratch / "simulation"
    simulate_territory(TERRITORY, graine, folder, MONTH, MONTH, habitants)
    return folder


def _print(figures: dict[str, Any]) -> None:
    CONSOLE.print(f"{'reconnus, sur 100':60s}", *(f"{level:>11s}" for level in KNOWLEDGE))
    for form, partners in figures["formes"].items():
        for partner, levels in partners.items():
            _print_row(f"{form[:44]} ({partner})", levels)
    for form, levels in figures["avec_fichiers_identite"].items():
        _print_row(f"avec fichiers d'identité : {form[:26]}", levels)


def _print_row(name: str, levels: dict[str, dict[str, float]]) -> None:
    CONSOLE.print(f"{name:60s}", *(f"{100 * levels[level]['reconnus']:11.1f}" for level in KNOWLEDGE))


if __name__ == "__main__":
    main()
