"""Who each invented person is: names, NIR, telephone; and where each dwelling is.

Names are inherited, wives mostly use their husband's, namesakes exist. A NIR is built as INSEE builds it
(sex, year, month, commune or country of birth, order, key), with order numbers from 500 up.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.synthetic import names
from pipelines.synthetic.margins import section

FIRST_ORDER = 500
"""Order numbers of the small communes never reach it: an invented NIR is nobody's."""

CORSICA_SPLIT = 1976
"""First birth year numbered 2A or 2B."""

HUSBAND_NAME = {18: 0.60, 35: 0.80, 65: 0.90}
"""Share of married women using the husband's name, by the age the band starts at (published figures)."""
DOUBLE_NAME = 0.05
KEPT_AFTER_DIVORCE = 0.35
DIT_ALIAS = 0.005
PROVISIONAL_NIR_FOREIGN_BORN = 0.05

_STREETS = names.words(
    """des~Pyrénées de~la~Garonne du~Comminges de~l'Église de~la~Mairie des~Écoles du~Stade de~la~Gare
    du~Moulin de~la~Fontaine des~Tilleuls du~Lavoir de~la~Poste du~8~Mai~1945 du~11~Novembre
    de~la~République Jean~Jaurès Victor~Hugo des~Acacias du~Château de~la~Paix des~Jardins
    du~Foirail de~l'Ancien~Marché de~la~Serre des~Coteaux du~Pont~Vieux du~Bois~Joli des~Vergers
    de~Bellevue des~Chênes de~l'Ormeau du~Cagire de~la~Montjoie des~Prés de~la~Croix du~Barry
    d'Encausse de~Toulouse de~Tarbes"""
)
_TOWN_KINDS = ["Rue", "Rue", "Rue", "Avenue", "Impasse", "Boulevard", "Place", "Allée"]
_VILLAGE_KINDS = ["Chemin", "Route", "Rue", "Impasse", "Quartier"]
_HAMLETS = names.words(
    """Le~Village Le~Bourg Au~Village Lieu-dit~Bordeneuve Lieu-dit~Le~Tuco Lieu-dit~Lasserre
    Lieu-dit~Marrot Lieu-dit~Les~Barthes Quartier~Haut Lieu-dit~En~Galin Lieu-dit~Peyrouset
    Lieu-dit~La~Goutille"""
)
VILLAGE_DWELLINGS = 300
HAMLET, SHARED_HAMLET = 0.35, 0.15
"""Share of village dwellings without street number, and of those under a name several share (assumed)."""


def invent_identities(
    rng: np.random.Generator, personnes: pl.DataFrame, unions: pl.DataFrame, mois: str
) -> pl.DataFrame:
    """One row per person: personne, sexe, date_naissance, lieu_naissance, origine, nom_naissance, nom_usage,
    prenoms, nir, nir_provisoire, telephone, courriel, est_ne_etranger.

    ``mois`` is the month at which married women's ages are taken. ``nom_usage`` is null when it is the
    birth name; ``nir_provisoire`` is null for whoever has a definitive NIR only.
    """
    persons = personnes.sort("personne")
    father, mother = _rows_of(persons, "pere"), _rows_of(persons, "mere")
    origin = _origins(rng, persons, father, mother)
    surname = _surnames(rng, persons, origin, father, mother)
    given = _given_names(rng, persons, origin, father)
    surname, given = _with_homonyms(rng, persons, father, mother, surname, given)
    frame = persons.select(
        "personne",
        "sexe",
        pl.col("naissance").alias("date_naissance"),
        "lieu_naissance",
        est_ne_etranger=pl.col("lieu_naissance").str.starts_with("99"),
    ).with_columns(
        origine=pl.Series(origin),
        nom_naissance=pl.Series(surname),
        prenoms=pl.Series(_full(rng, given, persons)),
    )
    frame = frame.join(
        _used_names(rng, frame, unions, mois), on="personne", how="left", maintain_order="left"
    )
    return _with_numbers(rng, frame)


def nir_key(body: str) -> str:
    """The two digits of control of a 13-character NIR (97 minus the remainder by 97; 2A is 19, 2B is 18)."""
    return f"{97 - int(body.replace('2A', '19').replace('2B', '18')) % 97:02d}"


def invent_addresses(rng: np.random.Generator, menages_mois: pl.DataFrame) -> pl.DataFrame:
    """One address per dwelling and commune: logement, commune_insee, adresse.

    Villages have hamlets where several dwellings share one address; towns have buildings whose flats carry
    a number most of the time.
    """
    dwellings = menages_mois.select("logement", "commune_insee").unique().sort("commune_insee", "logement")
    size = dwellings.height
    town = dwellings.select(pl.len().over("commune_insee") > VILLAGE_DWELLINGS).to_series().to_numpy()
    building = town & (rng.random(size) < 0.35)
    anchor = np.where(building, np.arange(size) // 8 * 8, np.arange(size))
    street = np.where(town, _streets(rng, size, _TOWN_KINDS), _streets(rng, size, _VILLAGE_KINDS))
    hamlet = ~town & (rng.random(size) < HAMLET)
    address = np.where(hamlet, _hamlets(rng, size), _numbered(rng, street)[anchor])
    flat = building & (rng.random(size) < 0.7)
    suffix = np.where(flat, np.char.add(" Apt ", (np.arange(size) % 8 + 1).astype(str)), "")
    return dwellings.with_columns(adresse=pl.Series(np.char.add(address, suffix)))


def _rows_of(persons: pl.DataFrame, parent: str) -> npt.NDArray[np.int64]:
    """Row of each person's parent, -1 when unknown."""
    index = persons.select(pl.col("personne").alias(parent), row=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = persons.select(parent).join(index, on=parent, how="left", maintain_order="left")
    return joined["row"].fill_null(-1).to_numpy()


def _origins(
    rng: np.random.Generator,
    persons: pl.DataFrame,
    father: npt.NDArray[np.int64],
    mother: npt.NDArray[np.int64],
) -> names.Texts:
    """Origin of the surname: by country of birth, else at random, else the father's or the mother's."""
    drawn = rng.choice(names.ORIGINS, persons.height, p=names.BORN_IN_FRANCE_SHARES)
    place = persons["lieu_naissance"]
    foreign = place.replace_strict(
        names.ORIGIN_OF_COUNTRY, default="autre", return_dtype=pl.String
    ).to_numpy()
    origin = np.where(place.str.starts_with("99").fill_null(False).to_numpy(), foreign, drawn).astype("U12")
    for rows in _generations(father, mother):
        parent = np.where(father[rows] >= 0, father[rows], mother[rows])
        known = parent >= 0
        origin[rows[known]] = origin[parent[known]]
    return origin


def _generations(father: npt.NDArray[np.int64], mother: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Rows grouped so that parents always come in an earlier group than their children."""
    depth = np.zeros(len(father), dtype=np.int64)
    for _ in range(8):
        above_father = np.where(father >= 0, depth[father] + 1, 0)
        above_mother = np.where(mother >= 0, depth[mother] + 1, 0)
        depth = np.maximum(above_father, above_mother)
    return [np.flatnonzero(depth == level) for level in range(int(depth.max(initial=0)) + 1)]


def _surnames(
    rng: np.random.Generator,
    persons: pl.DataFrame,
    origin: names.Texts,
    father: npt.NDArray[np.int64],
    mother: npt.NDArray[np.int64],
) -> names.Texts:
    """Drawn for the founders, inherited by the others, one choice per couple of parents."""
    surname = _with_adult_twins(rng, persons, father, mother, _drawn_surnames(rng, origin))
    choice = _choice_of_couple(rng, father, mother)
    born = persons["naissance"].dt.year().to_numpy()
    for rows in _generations(father, mother)[1:]:
        of_father, of_mother = _parents_names(surname, father[rows], mother[rows])
        double = (choice[rows] < 0.05) & (born[rows] >= 2005) & (of_father != of_mother)
        single = np.where(choice[rows] > 0.93, of_mother, of_father)
        surname[rows] = np.where(double, _hyphenated(of_father, of_mother), single)
    return surname


def _drawn_surnames(rng: np.random.Generator, origin: names.Texts) -> names.Texts:
    surname = np.empty(len(origin), dtype="U64")
    for one in names.ORIGINS:
        rows = np.flatnonzero(origin == one)
        surname[rows] = names.surnames(one).draw(rng, len(rows))
    alias = np.flatnonzero(rng.random(len(origin)) < DIT_ALIAS)
    other = names.surnames("occitane").draw(rng, len(alias))
    surname[alias] = np.char.add(np.char.add(surname[alias], " dit "), other)
    return surname


def _with_adult_twins(
    rng: np.random.Generator,
    persons: pl.DataFrame,
    father: npt.NDArray[np.int64],
    mother: npt.NDArray[np.int64],
    surname: names.Texts,
) -> names.Texts:
    """Some adults born the same day in the same commune are twins: one birth name, a home of their own."""
    founders = persons.with_columns(row=pl.int_range(pl.len())).filter((father < 0) & (mother < 0))
    pairs = _pairs(founders.drop_nulls("lieu_naissance"), "naissance", "lieu_naissance")
    wanted = round(founders.height * section("identite")["part_adultes_avec_jumeau"] / 2)
    apart = rng.spawn(1)[0]
    for index in apart.choice(len(pairs), min(len(pairs), wanted), replace=False) if pairs else []:
        first, second = pairs[int(index)]
        surname[second] = surname[first]
    return surname


def _pairs(founders: pl.DataFrame, *alike: str) -> list[list[int]]:
    """The first two rows of each group of founders who share all these columns."""
    groups = founders.group_by(alike, maintain_order=True).agg(pl.col("row").head(2))
    return groups.filter(pl.col("row").list.len() == 2)["row"].to_list()


def _choice_of_couple(
    rng: np.random.Generator, father: npt.NDArray[np.int64], mother: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    couples, of_person = np.unique(np.stack([father, mother], axis=1), axis=0, return_inverse=True)
    return rng.random(len(couples))[of_person.ravel()]


def _parents_names(
    surname: names.Texts, father: npt.NDArray[np.int64], mother: npt.NDArray[np.int64]
) -> tuple[names.Texts, names.Texts]:
    """The father's and the mother's surnames, each standing for the other when unknown."""
    of_father = np.where(father >= 0, surname[father], surname[mother])
    of_mother = np.where(mother >= 0, surname[mother], of_father)
    return of_father, of_mother


def _hyphenated(left: names.Texts, right: names.Texts) -> names.Texts:
    first = [str(name).split("-")[0].split(" dit ")[0] for name in left]
    second = [str(name).split("-")[-1].split(" dit ")[0] for name in right]
    return np.array([f"{one}-{two}" for one, two in zip(first, second, strict=True)], dtype="U64")


def _given_names(
    rng: np.random.Generator, persons: pl.DataFrame, origin: names.Texts, father: npt.NDArray[np.int64]
) -> names.Texts:
    """First given name, by sex, era and culture; half the children of immigrants take French ones."""
    foreign = persons["lieu_naissance"].str.starts_with("99").fill_null(False).to_numpy()
    keeps = foreign | (np.isin(origin, names.NON_LATIN_ORIGINS) & (rng.random(len(origin)) < 0.5))
    culture = np.where(keeps, origin, "francaise")
    sexe, year = persons["sexe"].to_numpy(), persons["naissance"].dt.year().to_numpy()
    given = _drawn_given_names(rng, culture, sexe, year)
    share = section("identite")["fils_prenomme_comme_le_pere"]
    same = (father >= 0) & (sexe == 1) & (rng.random(len(origin)) < share)
    given[same] = given[father[same]]
    return given


def _drawn_given_names(
    rng: np.random.Generator,
    culture: names.Texts,
    sexe: npt.NDArray[np.int8],
    year: npt.NDArray[np.int32],
) -> names.Texts:
    given = np.empty(len(culture), dtype="U40")
    eras = names.eras(year)
    for one in np.unique(culture):
        for sex in (1, 2):
            for start in np.unique(eras):
                rows = np.flatnonzero((culture == one) & (sexe == sex) & (eras == start))
                given[rows] = names.given_names(str(one), sex, int(start)).draw(rng, len(rows))
    return given


def _with_homonyms(
    rng: np.random.Generator,
    persons: pl.DataFrame,
    father: npt.NDArray[np.int64],
    mother: npt.NDArray[np.int64],
    surname: names.Texts,
    given: names.Texts,
) -> tuple[names.Texts, names.Texts]:
    """Now and then two unrelated persons of one sex and birth date bear the same names."""
    founders = persons.with_columns(row=pl.int_range(pl.len())).filter((father < 0) & (mother < 0))
    pairs = _pairs(founders, "sexe", "naissance")
    wanted = min(len(pairs), max(1, persons.height // section("identite")["adultes_par_paire_homonyme"]))
    for index in rng.choice(len(pairs), wanted, replace=False) if pairs else []:
        model, copy = pairs[int(index)]
        surname[copy], given[copy] = surname[model], given[model]
    return surname, given


def _full(rng: np.random.Generator, given: names.Texts, persons: pl.DataFrame) -> list[str]:
    """The given names of the civil registry: one to three, the next ones a generation or two older."""
    sexe, year = persons["sexe"].to_numpy(), persons["naissance"].dt.year().to_numpy()
    french = np.full(len(given), "francaise", dtype="U12")
    second = _drawn_given_names(rng, french, sexe, year - 30)
    third = _drawn_given_names(rng, french, sexe, year - 60)
    count = rng.choice([1, 2, 3], len(given), p=[0.25, 0.40, 0.35])
    parts = zip(given, second, third, count, strict=True)
    return [" ".join(dict.fromkeys(map(str, (one, two, three)[:n]))) for one, two, three, n in parts]


def _used_names(
    rng: np.random.Generator, identities: pl.DataFrame, unions: pl.DataFrame, mois: str
) -> pl.DataFrame:
    """personne, nom_usage of the married who use their spouse's name, alone or after their own."""
    wives = _latest_marriages(identities, unions, mois)
    use, double = rng.random(wives.height), rng.random(wives.height)
    kept = (
        wives.with_columns(tirage=pl.Series(use), double=pl.Series(double) < DOUBLE_NAME)
        .filter(pl.col("tirage") < pl.col("part"))
        .filter(pl.col("nom_conjoint") != pl.col("nom_naissance"))
    )
    both = pl.concat_str(pl.col("nom_naissance"), pl.lit("-"), pl.col("nom_conjoint"))
    return kept.select("personne", nom_usage=pl.when("double").then(both).otherwise(pl.col("nom_conjoint")))


def _latest_marriages(identities: pl.DataFrame, unions: pl.DataFrame, mois: str) -> pl.DataFrame:
    """The last marriage of each woman, with the share of such women who use the husband's name."""
    turned = unions.rename({"personne": "conjoint", "conjoint": "personne"})
    both_ways = pl.concat([unions, turned.select(unions.columns)]).unique()
    spouse = identities.select(
        pl.col("personne").alias("conjoint"), pl.col("nom_naissance").alias("nom_conjoint")
    )
    age = (pl.lit(date(int(mois[:4]), int(mois[5:7]), 1)) - pl.col("date_naissance")).dt.total_days() / 365.25
    share = pl.lit(HUSBAND_NAME[18])
    for start, value in HUSBAND_NAME.items():
        share = pl.when(age >= start).then(pl.lit(value)).otherwise(share)
    return (
        both_ways.filter(pl.col("est_mariage"))
        .join(identities.filter(pl.col("sexe") == 2), on="personne")
        .join(spouse, on="conjoint")
        .sort("personne", "debut", "conjoint")
        .unique("personne", keep="last", maintain_order=True)
        .with_columns(part=share * pl.when(pl.col("fin").is_null()).then(1.0).otherwise(KEPT_AFTER_DIVORCE))
    )


def _with_numbers(rng: np.random.Generator, identities: pl.DataFrame) -> pl.DataFrame:
    """NIR, provisional NIR, telephone (numbers reserved for fiction) and e-mail."""
    born = pl.col("date_naissance").dt.strftime("%y%m")
    place = _nir_place()
    order = pl.int_range(1, pl.len() + 1).over("sexe", born, place) + _order_start(born, place)
    root = pl.concat_str(born, place, order.cast(pl.String).str.zfill(3))
    bodies = identities.select(
        definitive=pl.concat_str(pl.col("sexe").cast(pl.String), root),
        provisional=pl.concat_str((pl.col("sexe") + 6).cast(pl.String), root),
    )
    waiting = identities["est_ne_etranger"].fill_null(False).to_numpy() & (
        rng.random(identities.height) < PROVISIONAL_NIR_FOREIGN_BORN
    )
    return identities.with_columns(
        nir=_keyed(bodies["definitive"]),
        nir_provisoire=pl.when(pl.Series(waiting)).then(_keyed(bodies["provisional"])),
        telephone=pl.Series([f"063998{number:04d}" for number in rng.integers(0, 10_000, identities.height)]),
        courriel=pl.concat_str(
            pl.lit("personne"), pl.col("personne").cast(pl.String), pl.lit("@example.org")
        ),
    )


def _nir_place() -> pl.Expr:
    """Birth place as the NIR writes it: Corsica was département 20 until 1975."""
    place = pl.col("lieu_naissance").fill_null("99999")
    corsican = place.str.contains("^2[AB]") & (pl.col("date_naissance").dt.year() < CORSICA_SPLIT)
    return pl.when(corsican).then(pl.concat_str(pl.lit("20"), place.str.slice(2))).otherwise(place)


def _order_start(born: pl.Expr, place: pl.Expr) -> pl.Expr:
    crowded = pl.len().over("sexe", born, place) > 999 - FIRST_ORDER
    return pl.when(crowded).then(0).otherwise(FIRST_ORDER)


def _keyed(bodies: pl.Series) -> pl.Series:
    return pl.Series([body + nir_key(body) for body in bodies], dtype=pl.String)


def _hamlets(rng: np.random.Generator, size: int) -> names.Texts:
    """Most houses away from a street bear a name of their own; some share the village's."""
    own = np.char.add("Lieu-dit ", names.surnames("occitane").draw(rng, size))
    return np.where(rng.random(size) < SHARED_HAMLET, rng.choice(_HAMLETS, size), own)


def _streets(rng: np.random.Generator, size: int, kinds: list[str]) -> names.Texts:
    kind, name = rng.choice(kinds, size), rng.choice(_STREETS, size)
    return np.char.add(np.char.add(kind, " "), name)


def _numbered(rng: np.random.Generator, street: names.Texts) -> names.Texts:
    number = rng.integers(1, 90, len(street)).astype(str)
    twice = np.where(rng.random(len(street)) < 0.04, " bis ", " ")
    return np.char.add(np.char.add(number, twice), street)
