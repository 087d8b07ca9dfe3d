"""The partner's folder: which file is which table, read and held against the contract."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from pipelines.calendar import check_month
from pipelines.identifiers import leaks
from pipelines.refusals import ContractRefusal, MissingSourceRefusal, Refusal
from pipelines.territory import known_communes
from schemas import PARTNERS, TABLES, Table, tables_of
from schemas.check import Checked, check
from schemas.reading import Slice, read_strings, slices

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
OPPOSITIONS = "oppositions"
CORRECT = "Vider ou corriger ces places à la source, puis recommencer : rien n'a été livré."
OWN_ID = "personne_id"
"""Column a partner may add to its oppositions file, which is read and not delivered."""


@dataclass(frozen=True)
class Entry:
    """The files of one partner's extract for one month, by table name; nothing is read yet."""

    partenaire: str
    mois: str
    files: dict[str, Path]

    @property
    def has_oppositions(self) -> bool:
        """True when the folder says who opposed."""
        return OPPOSITIONS in self.files

    def is_read_at_once(self, table: Table) -> bool:
        """True for the tables of the cellule, small, whose rows go together."""
        return bool(table.solidaire or table.vault) or table.name == OPPOSITIONS

    def tables(self) -> Iterator[Table]:
        """The tables the partner delivers and that are present, those naming persons first."""
        present = [table for table in tables_of(self.partenaire) if table.name in self.files]
        return iter(sorted(present, key=lambda table: not table.est_identite))

    def read(self, table: Table) -> Checked:
        """Typed rows and rows set aside of one table; raises :class:`ContractRefusal`."""
        strings = read_strings(self.files[table.name])
        if table.name == OPPOSITIONS and self.partenaire not in table.partners:
            strings = strings.drop(OWN_ID, strict=False)
        return check(strings, table, "nominative", self.mois, communes())

    def slices(self, table: Table) -> list[Slice]:
        """The parts of a table's file; raises :class:`ContractRefusal` when it is damaged."""
        return slices(self.files[table.name])

    def refuse_smuggled(self, table: Table, found: Sequence[leaks.Findings]) -> None:
        """Raise :class:`ContractRefusal` when a table read, its name or its metadata holds an identifier."""
        path = self.files[table.name]
        held = sum(found, leaks.Findings()).leaks()
        if held and self.is_read_at_once(table):
            held = leaks.scan(read_strings(path), table).leaks() or held
        leaks.refuse([*held, *leaks.around(path)], f"fichier {path.name}", CORRECT)

    def opposed_ids(self) -> pl.DataFrame:
        """personne_id and objet, where the oppositions file gives the partner's own ids; else no row."""
        columns = [OWN_ID, "objet"]
        strings = read_strings(self.files[OPPOSITIONS])
        if not set(columns) <= set(strings.columns):
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        trimmed = strings.select(pl.col(columns).cast(pl.String).str.strip_chars())
        return trimmed.filter(pl.col(OWN_ID) != "")


def open_entry(dossier: Path, partenaire: str, mois: str) -> Entry:
    """Find every expected file of a partner's folder.

    ``oppositions`` is admitted from every partner: applied before delivery. Raises :class:`Refusal` for an
    unknown partner or folder, :class:`ContractRefusal` for a file that is no table or a table twice,
    :class:`MissingSourceRefusal` for a table that is not there.
    """
    check_month(mois)
    _refuse_unknown_partner(partenaire)
    expected = {table.name for table in tables_of(partenaire)} | {OPPOSITIONS}
    files = _files(dossier)
    _refuse_strangers(files, expected, dossier)
    by_table = {path.stem: path for path in files}
    absent = [t.name for t in tables_of(partenaire) if not t.est_optionnelle and t.name not in by_table]
    if absent:
        raise MissingSourceRefusal(
            f"Table absente : {', '.join(absent)}.",
            ou=str(dossier),
            que_faire="Déposer le fichier ; sans ligne pour ce mois, un fichier avec son seul en-tête.",
        )
    return Entry(partenaire, mois, by_table)


@cache
def communes() -> dict[str, str]:
    """Every code of the COG, old ones mapped to the present commune."""
    known = known_communes()
    return dict(zip(known["commune_insee"], known["commune_actuelle"], strict=True))


def _refuse_unknown_partner(partenaire: str) -> None:
    if partenaire not in PARTNERS:
        raise Refusal(
            "Ce partenaire est inconnu.",
            ou="partenaire demandé",
            que_faire=f"Choisir parmi {', '.join(PARTNERS)}.",
        )


def _files(dossier: Path) -> list[Path]:
    if not dossier.is_dir():
        raise Refusal(
            "Le dossier à lire n'existe pas.", ou=str(dossier), que_faire="Vérifier le chemin du dossier."
        )
    return sorted(
        path
        for path in dossier.iterdir()
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _refuse_strangers(files: list[Path], expected: set[str], dossier: Path) -> None:
    strangers = [number for number, path in enumerate(files, 1) if path.stem not in expected]
    if strangers:
        raise ContractRefusal(
            f"{len(strangers)} fichier(s) de ce dossier ne portent pas le nom d'une table attendue.",
            ou=str(dossier),
            que_faire=f"Les retirer, ou les nommer : {', '.join(sorted(expected & set(TABLES)))}.",
        )
    stems = [path.stem for path in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise ContractRefusal(
            f"Deux fichiers pour une même table : {', '.join(twice)}.",
            ou=str(dossier),
            que_faire="Ne laisser que le bon.",
        )
