"""pseudonymiser: from a partner's nominative folder to a delivered one, whole or not at all."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.calendar import month_number
from pipelines.files import sha256, whole_file, whole_folder
from pipelines.refusals import ContractRefusal, Refusal
from pipelines.source import keys, normalise, vault
from pipelines.source import oppositions as opposing
from pipelines.source.encode import Encoder, identities, tokens
from pipelines.source.entry import OPPOSITIONS, Entry, communes, open_entry
from pipelines.source.leaks import refuse_leaks
from pipelines.source.rekey import Rekeyer
from schemas import CONTRACT_VERSION, ENCODING_VERSION, TABLES, Table
from schemas.check import Checked
from schemas.tables import IDENTITY

MANIFEST = "manifeste.json"
_ROW_GROUP = 250_000
CELLULE = "cellule"
BIRTH_MONTH_UNDER_YEARS = 26
"""The law needs the birth month at 3, 14, 18, 20 and 25 years; above, the year alone is delivered."""


@dataclass
class _Delivery:
    """One delivery under way: what it reads, the key it uses, what it has counted."""

    entry: Entry
    encoder: Encoder
    rekeyer: Rekeyer
    people: dict[str, Checked] = field(default_factory=dict, repr=False)
    opposed: opposing.Opposed = opposing.NOBODY
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: list[pl.DataFrame] = field(default_factory=list, repr=False)
    unknown_codes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    consents: tuple[pl.DataFrame, pl.DataFrame] | None = field(default=None, repr=False)
    oppositions_received: int = 0


def pseudonymise(
    entree: Path,
    depot: Path,
    *,
    cle: Path,
    partenaire: str,
    mois: str,
    millesime: str | None = None,
    correspondance: Path,
    coffre: Path | None = None,
    coffre_publique: Path | None = None,
    remplacer: bool = False,
) -> dict[str, Any]:
    """Deliver ``depot/partenaire/mois`` from the nominative files of ``entree``; return counts only.

    ``correspondance`` is the Parquet file (0600) that maps clear ids to delivered ones; the lines set aside
    go beside it. ``millesime``: key epoch, the year of the month by default. For the cellule, names and
    telephones are sealed into ``coffre`` for ``coffre_publique``.
    Raises :class:`Refusal` (contract, key, month already delivered) before anything is visible anywhere.
    """
    key = keys.read_key(cle)
    entry = open_entry(entree, partenaire, mois)
    encoder = Encoder(key, partenaire, keys.check_epoch(millesime or keys.epoch_of(mois)))
    delivery = _Delivery(entry, encoder, Rekeyer(encoder))
    sealed_for = _recipient(partenaire, coffre, coffre_publique)
    with _delivered_folder(depot / partenaire / mois, remplacer) as folder:
        _apply_oppositions(delivery)
        for table in entry.tables():
            _deliver_table(delivery, table, folder)
        manifest = _write_manifest(delivery, folder, remplacer)
        _leave_at_partner(delivery, correspondance)
        if sealed_for and coffre and delivery.consents:
            vault.seal(*delivery.consents, vault.vault_file(coffre, mois), sealed_for)
    return _counts(delivery, manifest)


@contextmanager
def _delivered_folder(path: Path, remplacer: bool) -> Iterator[Path]:
    """A folder that appears whole; an earlier delivery stays until then, and comes back on failure."""
    former = path.with_name(f".remplace-{path.name}")
    if former.exists() and not path.exists():
        former.replace(path)
    if path.exists() and any(path.iterdir()) and not remplacer:
        raise Refusal(
            "Ce mois est déjà livré.",
            ou=str(path),
            que_faire="Pour livrer une correction, relancer avec --remplacer.",
        )
    shutil.rmtree(former, ignore_errors=True)
    try:
        with whole_folder(path) as folder:
            yield folder
            if path.exists():
                path.replace(former)
    except BaseException:
        if former.exists() and not path.exists():
            former.replace(path)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _recipient(partenaire: str, coffre: Path | None, coffre_publique: Path | None) -> Any:
    if partenaire != CELLULE:
        return None
    if coffre is None:
        raise Refusal(
            "Le dossier du coffre n'est pas donné : les noms des personnes consentantes ne peuvent aller "
            "nulle part.",
            ou="coffre",
            que_faire="Donner le dossier du coffre et sa clé publique.",
        )
    return vault.recipient(coffre_publique)


def _apply_oppositions(delivery: _Delivery) -> None:
    """Read the tables that name people, and find who opposed, before any row is re-keyed."""
    entry = delivery.entry
    delivery.people = {table.name: entry.read(table) for table in entry.tables() if table.est_identite}
    if not entry.has_oppositions:
        return
    read = entry.read(TABLES[OPPOSITIONS])
    _refuse_unread_oppositions(read, entry)
    delivery.oppositions_received = read.received
    accepted = {name: checked.accepted for name, checked in delivery.people.items()}
    delivery.opposed = opposing.opposed(accepted, read.accepted, entry.opposed_ids(), entry.mois)


def _refuse_unread_oppositions(read: Checked, entry: Entry) -> None:
    """A line set aside is counted and forgotten; an opposition may not be."""
    if not read.rejected.is_empty():
        raise ContractRefusal(
            f"{read.rejected.height} opposition(s) illisible(s) : rien n'est livré tant qu'elles le sont.",
            ou=f"fichier {entry.files[OPPOSITIONS].name}",
            que_faire="Corriger ces lignes ; « nonrecours verifier --classeur » les nomme.",
        )


def _deliver_table(delivery: _Delivery, table: Table, folder: Path) -> None:
    checked = delivery.people.pop(table.name, None) or delivery.entry.read(table)
    kept = delivery.opposed.withheld(checked.accepted, table)
    _count(delivery, table, checked, kept.height)
    numbered = _numbered(kept, delivery.encoder) if table.name == OPPOSITIONS else kept
    rekeyed = delivery.rekeyer.rekeyed(numbered)
    if table.vault:
        delivery.consents = (
            kept,
            rekeyed.select(c for c in ("consentement_id", "action_id") if c in rekeyed),
        )
    delivered = _delivered(rekeyed, table, delivery)
    refuse_leaks(delivered, table.name)
    _write(delivered, folder / f"{table.name}.parquet")
    if table.est_identite:
        _write(_identity(rekeyed, table, delivery), folder / f"{table.identite_name}.parquet")


def _count(delivery: _Delivery, table: Table, checked: Checked, delivered: int) -> None:
    delivery.tables[table.name] = {
        "lignes_recues": checked.received,
        "lignes_livrees": delivered,
        "lignes_ecartees": checked.rejected.height,
        "lignes_retirees_par_opposition": checked.accepted.height - delivered,
        "ecartees_par_regle": checked.rejected_by_rule(),
    }
    delivery.rejected.append(checked.rejected.select(pl.lit(table.name).alias("table"), "ligne", "regle"))
    if checked.unknown_codes:
        delivery.unknown_codes[table.name] = checked.unknown_codes


def _numbered(oppositions: pl.DataFrame, encoder: Encoder) -> pl.DataFrame:
    """Oppositions numbered by their content, so that the number does not depend on the order of the lines."""
    content = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator="\x1f")
    rows = oppositions.with_columns(contenu=content)
    repeated = rows.with_columns(contenu=pl.concat_str("contenu", pl.cum_count("contenu").over("contenu")))
    return repeated.with_columns(
        consentement_id=tokens(encoder.identifier("opposition"), repeated["contenu"])
    ).drop("contenu")


def _delivered(rekeyed: pl.DataFrame, table: Table, delivery: _Delivery) -> pl.DataFrame:
    """The columns of the delivered form and no other, in an order that says nothing of the file read."""
    mois = delivery.entry.mois
    with_birth = rekeyed.with_columns(_birth_columns(mois)) if table.est_identite else rekeyed
    derived = _with_derived(with_birth, table, delivery)
    chosen = derived.select(table.delivered_columns).sort(pl.all())
    return _validated(chosen, table, "delivered")


def _birth_columns(mois: str) -> list[pl.Expr]:
    born = normalise.birth("date_naissance", mois)
    age_months = month_number(mois) - (born.annee * 12 + born.mois - 1)
    young = pl.when(age_months < BIRTH_MONTH_UNDER_YEARS * 12).then(born.mois)
    return [born.annee.alias("naissance_annee"), young.alias("naissance_mois")]


def _with_derived(frame: pl.DataFrame, table: Table, delivery: _Delivery) -> pl.DataFrame:
    if "logement_id" not in table.derived:
        return frame
    address = frame.select(normalise.dwelling("adresse", "commune_insee")).to_series()
    dwelling = tokens(delivery.encoder.dwelling(delivery.entry.mois), address).alias("logement_id")
    return frame.with_columns(dwelling, _born_in_france())


def _born_in_france() -> pl.Expr:
    """1 for a commune of the COG, 0 for a country 99xxx, null for anything else."""
    place = pl.col("lieu_naissance").str.strip_chars().str.to_uppercase()
    french = pl.when(place.is_in(list(communes()))).then(1).when(place.str.contains(r"^99\d{3}$")).then(0)
    return french.cast(pl.Int8).alias("ne_en_france")


def _identity(rekeyed: pl.DataFrame, table: Table, delivery: _Delivery) -> pl.DataFrame:
    """One row per id: tokens and filters of the row that gives most of them, sorted by id."""
    key = table.key[0]
    read = [column for column in IDENTITY if column in rekeyed.columns]
    persons = rekeyed.select(key, *read).unique().sort(pl.all())
    mois = delivery.entry.mois
    encoded = identities(persons, delivery.encoder, mois)
    clear = persons.select(
        key, "sexe", "commune_insee", naissance_annee=normalise.birth("date_naissance", mois).annee
    )
    whole = pl.concat([clear, encoded], how="horizontal").select(table.identite_columns)
    emptiness = pl.sum_horizontal(pl.all().exclude(key).is_null())
    fullest = whole.with_columns(vides=emptiness).sort(key, "vides", pl.all().exclude(key, "vides"))
    one_each = fullest.unique(key, keep="first", maintain_order=True).drop("vides")
    return _validated(one_each, table, "identite")


def _validated(frame: pl.DataFrame, table: Table, form: Any) -> pl.DataFrame:
    schema = table.schema(form)
    try:
        return frame if schema is None else schema.validate(frame)
    except Exception:
        raise AssertionError(f"{table.name}: the {form} form breaks its own schema") from None


def _write(frame: pl.DataFrame, path: Path) -> None:
    """The same rows give the same bytes: one chunk, row groups of one size."""
    frame.rechunk().write_parquet(path, compression="zstd", row_group_size=_ROW_GROUP)


def _write_manifest(delivery: _Delivery, folder: Path, remplacer: bool) -> dict[str, Any]:
    """Write the manifest, last file of the folder, and return it."""
    files = {
        path.name: {"lignes": pl.scan_parquet(path).select(pl.len()).collect().item(), "sha256": sha256(path)}
        for path in sorted(folder.glob("*.parquet"))
    }
    entry, encoder = delivery.entry, delivery.encoder
    manifest = {
        "extrait_id": _extract_id(entry, files),
        "partenaire": entry.partenaire,
        "mois": entry.mois,
        "version_contrat": CONTRACT_VERSION,
        "version_outil": version("nonrecours"),
        "millesime_cle": encoder.millesime,
        "version_encodage": ENCODING_VERSION,
        "controle_cle": keys.fingerprint(encoder.key),
        "date": date.today().isoformat(),
        "remplace": remplacer,
        "fichiers": files,
        "bilan": delivery.tables,
        "oppositions": {
            "recues": delivery.oppositions_received,
            "personnes_retirees": len(delivery.opposed.personnes),
        },
    }
    (folder / MANIFEST).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return manifest


def _extract_id(entry: Entry, files: dict[str, dict[str, Any]]) -> str:
    """Follows from the content: a corrected extract has another id, the same one delivered twice has not."""
    hashes = [f"{name}:{files[name]['sha256']}" for name in sorted(files)]
    return hashlib.sha256("\n".join([entry.partenaire, entry.mois, *hashes]).encode()).hexdigest()[:32]


def _leave_at_partner(delivery: _Delivery, correspondance: Path) -> None:
    """What never leaves: the way back from keyed ids, and which lines were set aside under which rule."""
    with whole_file(correspondance, mode=0o600) as partial:
        delivery.rekeyer.correspondence().write_parquet(partial)
    entry = delivery.entry
    with whole_file(rejected_file(correspondance, entry.partenaire, entry.mois), mode=0o600) as partial:
        pl.concat(delivery.rejected).sort("table", "ligne").write_csv(partial, separator=";")


def rejected_file(correspondance: Path, partenaire: str, mois: str) -> Path:
    """Where the partner finds the lines set aside: table;ligne;regle."""
    return correspondance.with_name(f"ecartees-{partenaire}-{mois}.csv")


def _counts(delivery: _Delivery, manifest: dict[str, Any]) -> dict[str, Any]:
    totals = {
        name: sum(table[name] for table in delivery.tables.values())
        for name in ("lignes_recues", "lignes_livrees", "lignes_ecartees", "lignes_retirees_par_opposition")
    }
    return {
        "extrait_id": manifest["extrait_id"],
        **totals,
        "oppositions_recues": delivery.oppositions_received,
        "personnes_retirees_par_opposition": len(delivery.opposed.personnes),
        "tables": delivery.tables,
        "codes_inconnus": delivery.unknown_codes,
    }
