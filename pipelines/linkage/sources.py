"""Identity files of the used extracts, one record per person inside each source."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.linkage.chains import representatives
from pipelines.refusals import ContractRefusal, MissingSourceRefusal
from pipelines.settings import Settings
from pipelines.territory import load as load_territory
from pipelines.warehouse import Warehouse

FILTERS = ("filtre_naissance", "filtre_usage", "filtre_prenoms")
WORDS = 8
TOKENS = (
    "jeton_nir",
    "jeton_nir_prenom",
    "jeton_nir_provisoire",
    "jeton_date_commune",
    "jeton_naissance_prenom_lieu_date",
    "jeton_naissance_prenom_date",
    "jeton_naissance_prenom_chiffres",
    "jeton_naissance_prenom_commune",
    "jeton_naissance_initiale_date",
    "jeton_naissance_debut_prenom_date",
    "jeton_usage_prenom_date",
    "jeton_usage_prenom_chiffres",
    "jeton_usage_prenom_commune",
    "jeton_usage_initiale_date",
    "jeton_usage_debut_prenom_date",
)
TOKEN_DIGITS = 15
"""Hexadecimal digits of a token kept for the comparison: among ten million records, 60 bits make one wrong
equality once in twenty thousand runs, and a whole number takes a sixth of the memory of a text."""
FILTER_COLUMNS = tuple(f"{name}_{part}" for name in FILTERS for part in (*range(WORDS), "bits"))
PLAIN = {"sexe": pl.String, "commune_insee": pl.String, "naissance_annee": pl.Int32}

_NOBODY = pl.DataFrame(schema={"gauche": pl.Int64, "droite": pl.Int64})
_KM_PER_DEGREE = 111.2
_USED_NAME = {token: token.replace("_usage_", "_naissance_") for token in TOKENS if "_usage_" in token}


class IdentitiesDeleted(MissingSourceRefusal):
    """The identity file was deleted after an earlier linkage: its persons cannot be compared again."""


@dataclass(frozen=True)
class Source:
    """A partner's list of persons. ``est_evenementielle``: rows are events (consents), not persons.

    ``livreur``: the partner that delivers it, when it is not the source itself.
    """

    nom: str
    table: str
    identifiant: str = "personne_id"
    est_evenementielle: bool = False
    est_attendue: bool = True
    livreur: str | None = None

    @property
    def partenaire(self) -> str:
        """The partner in whose delivery the source is found."""
        return self.livreur or self.nom


OPPOSITION = "opposition"

SOURCES = (
    Source("caf", "caf_personnes"),
    Source("departement", "dep_personnes"),
    Source("cpam", "cpam_assures"),
    Source("msa", "msa_assures", est_attendue=False),
    Source("cellule", "consentements", "consentement_id", est_evenementielle=True, est_attendue=False),
    Source(
        OPPOSITION,
        "oppositions",
        "consentement_id",
        est_evenementielle=True,
        est_attendue=False,
        livreur="cellule",
    ),
)
"""Order matters: the first source of a person is its anchor."""

PERSON_SOURCES = tuple(source.nom for source in SOURCES if not source.est_evenementielle)

EVENTS = tuple(source.nom for source in SOURCES if source.est_evenementielle)
"""Sources in which one person may have several records: they teach nothing about pairs of two persons."""


@dataclass(frozen=True)
class Extract:
    """A used extract, as ``meta__extraits`` describes it."""

    extrait_id: str
    partenaire: str
    mois: str

    def identity_file(self, depot: Path, table: str) -> Path:
        """Where the tokens of ``table`` were delivered."""
        return self.folder(depot) / f"{table}__identite.parquet"

    def folder(self, depot: Path) -> Path:
        """Folder of the delivery."""
        return depot / self.partenaire / self.mois


def used_extracts(warehouse: Warehouse) -> list[Extract]:
    """The extracts the month is built from."""
    rows = warehouse.query("SELECT * FROM meta__extraits WHERE est_utilise ORDER BY partenaire, mois")
    return [Extract(*row) for row in rows.select("extrait_id", "partenaire", "mois").iter_rows()]


def load_records(
    room: duckdb.DuckDBPyConnection, settings: Settings, extracts: list[Extract]
) -> pl.DataFrame:
    """Fill table ``fiches`` with one record per person of a source; return everyone.

    The frame returned has one row per delivered person: source, personne_id, fiche (number of the record that
    stands for the person, 0..n-1, null never). ``fiches`` holds the tokens under the same number, with where
    the commune is (kilometres) and its share of the records; consents and oppositions stay one record per
    consentement_id.
    Raises :class:`MissingSourceRefusal` when the identity file of an expected source is gone or empty.
    """
    places, members = _places(settings), list[pl.DataFrame]()
    for source in SOURCES:
        if (frame := _read_source(settings, source, extracts)) is not None:
            persons = _one_record_per_person(frame, source, sum(part["fiche"].n_unique() for part in members))
            members.append(persons.select("source", "personne_id", "fiche"))
            records = persons.filter(pl.col("rang") == pl.col("representant")).join(
                places, on="commune_insee", how="left", maintain_order="left"
            )
            _register(room, records.drop("rang", "representant", "personne_id"))
    _count_communes(room)
    return pl.concat(members)


def _one_record_per_person(frame: pl.DataFrame, source: Source, first: int) -> pl.DataFrame:
    """rang, representant (a rang) and fiche, records being numbered from ``first``."""
    ranked = frame.with_columns(rang=pl.int_range(pl.len(), dtype=pl.Int64))
    same = [] if source.est_evenementielle else [_same_person(ranked)]
    chained = representatives(ranked.height, pl.concat([_NOBODY, *same]))
    return ranked.with_columns(representant=chained, fiche=first + chained.rank("dense").cast(pl.Int64) - 1)


def _read_source(settings: Settings, source: Source, extracts: list[Extract]) -> pl.DataFrame | None:
    files = [
        path
        for extract in extracts
        if extract.partenaire == source.partenaire
        and (path := _delivered_file(settings, source, extract)) is not None
    ]
    if not files:
        return None
    frame = _most_complete(pl.concat([_typed(path, source) for path in files]))
    if frame.is_empty() and source.est_attendue:
        raise MissingSourceRefusal(
            "Le fichier d'identité ne contient personne : tous les autres paraîtraient inconnus de cette "
            "source, et le taux n'aurait pas de sens.",
            ou=f"{source.partenaire}, {', '.join(path.name for path in files)}",
            que_faire="Redemander l'extrait au partenaire : il n'a livré que l'en-tête.",
        )
    return frame


def certificate_path(settings: Settings) -> Path:
    """Where the certificate of the deleted identity files is."""
    return settings.dossiers.sorties / "appariement" / "effacement_identites.json"


def deleted_files(certificate: Path) -> list[dict[str, Any]]:
    """The lines of the certificate: one per deleted file; none before the first deletion."""
    if not certificate.is_file():
        return []
    return list(json.loads(certificate.read_text(encoding="utf-8"))["fichiers"])


def _delivered_file(settings: Settings, source: Source, extract: Extract) -> Path | None:
    path = extract.identity_file(settings.dossiers.depot, source.table)
    if path.is_file():
        return path
    if source.est_attendue or path.name in _promised_files(path.parent):
        name = f"{source.partenaire}/{extract.mois}/{path.name}"
        deleted = _deleted_on(settings, name)
        refusal = MissingSourceRefusal if deleted is None else IdentitiesDeleted
        raise refusal(
            _why_missing(extract, deleted),
            ou=name,
            que_faire=f"Demander au partenaire de redéposer {extract.mois} : « nonrecours pseudonymiser … "
            f"--partenaire {source.partenaire} --mois {extract.mois} --remplacer ». L'appariement déjà fait "
            "pour ce mois reste valable jusque-là.",
        )
    return None


def _deleted_on(settings: Settings, name: str) -> str | None:
    lines = [line for line in deleted_files(certificate_path(settings)) if line["fichier"] == name]
    return str(lines[-1]["efface_le"])[:10] if lines else None


def _why_missing(extract: Extract, deleted: str | None) -> str:
    if deleted is None:
        return f"Le fichier d'identité de l'extrait de {extract.mois} n'a pas été livré, ou a été retiré."
    return (
        f"Le fichier d'identité de l'extrait de {extract.mois} a été effacé le {deleted}, après un premier "
        "appariement. Le partenaire n'a rien déposé depuis : ses personnes ne peuvent être liées de nouveau."
    )


def _promised_files(folder: Path) -> set[str]:
    manifest = folder / "manifeste.json"
    return set(json.loads(manifest.read_text(encoding="utf-8"))["fichiers"]) if manifest.is_file() else set()


def _typed(path: Path, source: Source) -> pl.DataFrame:
    try:
        return _with_used_name(_columns(path, source))
    except (pl.exceptions.PolarsError, OSError):
        pass  # the message of polars may quote a value
    raise ContractRefusal(
        "Ce fichier d'identité n'est pas lisible, ou une colonne n'a pas son type.",
        ou=f"{source.nom}/{path.name}",
        que_faire="Comparer son empreinte au manifeste, puis redemander l'extrait.",
    )


def _columns(path: Path, source: Source) -> pl.DataFrame:
    frame = pl.scan_parquet(path)
    wanted = {source.identifiant, *PLAIN, *TOKENS, *FILTER_COLUMNS}
    if missing := sorted(wanted - set(frame.collect_schema())):
        raise ContractRefusal(
            f"Colonne absente du fichier d'identité : {', '.join(missing)}.",
            ou=f"{source.nom}/{path.name}",
            que_faire="Pseudonymiser à nouveau l'extrait avec la version courante de nonrecours.",
        )
    return frame.select(
        pl.lit(source.nom).alias("source"),
        pl.col(source.identifiant).cast(pl.String).alias("personne_id"),
        *(pl.col(name).cast(dtype) for name, dtype in PLAIN.items()),
        *(pl.col(name).cast(pl.String).str.head(TOKEN_DIGITS).str.to_integer(base=16) for name in TOKENS),
        *(pl.col(name).cast(pl.Int64) for name in FILTER_COLUMNS),
    ).collect(engine="streaming")


def _with_used_name(frame: pl.DataFrame) -> pl.DataFrame:
    """A person with one name uses it: the empty one of birth and used name takes the value of the other."""
    filters = {f"filtre_usage_{part}": f"filtre_naissance_{part}" for part in (*range(WORDS), "bits")}
    pairs = _USED_NAME | filters
    return frame.with_columns(
        *(pl.coalesce(used, birth).alias(used) for used, birth in pairs.items()),
        *(pl.coalesce(birth, used).alias(birth) for used, birth in pairs.items()),
    )


def _most_complete(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per personne_id: the one with the most tokens, then the first in the order of its tokens."""
    filled = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in TOKENS)
    several = frame["personne_id"].is_duplicated()
    chosen = (
        frame.filter(several)
        .sort(-filled, *TOKENS, "commune_insee")
        .unique("personne_id", keep="first", maintain_order=True)
    )
    return pl.concat([frame.filter(~several), chosen]).sort("personne_id")


def _same_person(persons: pl.DataFrame) -> pl.DataFrame:
    """Pairs (gauche, droite) of ranks of one source which are one person beyond doubt."""
    by_nir = _chained(persons, ["jeton_nir_prenom"])
    identity = ["jeton_naissance_prenom_lieu_date", "sexe"]
    alike = persons.select("rang", "jeton_nir", *identity).drop_nulls(identity)
    alike = alike.filter(pl.struct(identity).is_duplicated())
    one_nir = pl.col("jeton_nir").drop_nulls().n_unique().over(identity) <= 1
    return pl.concat([by_nir, _chained(alike.filter(one_nir), identity)])


def _chained(persons: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return (
        persons.select("rang", *key)
        .drop_nulls(key)
        .select(gauche=pl.col("rang").min().over(key), droite="rang")
        .filter(pl.col("gauche") != pl.col("droite"))
    )


def _places(settings: Settings) -> pl.DataFrame:
    """Centre of each known commune, in kilometres east and north on a plane."""
    communes = load_territory(settings.territoire).communes
    parallel = pl.col("latitude").mean().radians().cos()
    return communes.unique("commune_insee").select(
        "commune_insee",
        est_km=pl.col("longitude") * _KM_PER_DEGREE * parallel,
        nord_km=pl.col("latitude") * _KM_PER_DEGREE,
    )


def _register(room: duckdb.DuckDBPyConnection, records: pl.DataFrame) -> None:
    """Add the records of a source to ``fiches``, in the order of their numbers."""
    room.register("_fiches", records.to_arrow())
    exists = room.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'fiches'").fetchall()
    room.execute("INSERT INTO fiches FROM _fiches" if exists else "CREATE TABLE fiches AS FROM _fiches")
    room.unregister("_fiches")


def _count_communes(room: duckdb.DuckDBPyConnection) -> None:
    """commune_part: share of the records that live in the commune of each."""
    room.execute("ALTER TABLE fiches ADD COLUMN commune_part DOUBLE")
    room.execute(
        "UPDATE fiches SET commune_part = part FROM ("
        "SELECT commune_insee AS code, count(*) / sum(count(*)) OVER () AS part FROM fiches GROUP BY code"
        ") WHERE commune_insee = code"
    )
