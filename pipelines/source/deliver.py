"""pseudonymiser: from a partner's nominative folder to a delivered one, whole or not at all."""

import hashlib
import json
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import forget_partials, locked, passing_folder, sha256, whole_file, whole_folder
from pipelines.refusals import ContractRefusal, Refusal
from pipelines.source import keys, sorting, vault
from pipelines.source import oppositions as opposing
from pipelines.source.amounts import refuse_amounts
from pipelines.source.encode import Encoder, borrowed, tokens
from pipelines.source.entry import OPPOSITIONS, OWN_ID, Entry, open_entry
from pipelines.source.rekey import Correspondence, rekeyed
from pipelines.source.sorting import Encoded, Sorted, Work
from pipelines.source.workers import Progress, Workers, in_silence
from schemas import CONTRACT_VERSION, ENCODING_VERSION, TABLES, Table
from schemas.check import by_rule, merged_counts
from schemas.reading import LINE

MANIFEST = "manifeste.json"
CELLULE = "cellule"


@dataclass
class _Delivery:
    """One delivery under way: what it reads, the key it uses, what it has counted."""

    entry: Entry
    encoder: Encoder
    workers: Workers
    scratch: Path
    progress: Progress
    territoire: str
    graine: int = field(default_factory=lambda: secrets.randbits(63), repr=False)
    works: dict[str, Work] = field(default_factory=dict)
    encoded: dict[str, list[Encoded]] = field(default_factory=dict, repr=False)
    correspondence: Correspondence = field(default_factory=Correspondence, repr=False)
    opposed: opposing.Opposed = opposing.NOBODY
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: list[pl.DataFrame] = field(default_factory=list, repr=False)
    unknown_codes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    consents: pl.DataFrame | None = field(default=None, repr=False)
    oppositions: pl.DataFrame | None = field(default=None, repr=False)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def oppositions_received(self) -> int:
        """Every opposition counts: an unreadable one stops the delivery."""
        return 0 if self.oppositions is None else self.oppositions.height

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the seconds of the block to a phase."""
        begun = time.monotonic()
        yield
        self.seconds[phase] += time.monotonic() - begun


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
    territoire: str = "comminges",
    processus: int | None = None,
    progress: Progress = in_silence,
) -> dict[str, Any]:
    """Deliver ``depot/partenaire/mois`` from the nominative files of ``entree``; return counts only.

    ``correspondance`` is the Parquet file (0600) that maps clear ids to delivered ones; the lines set aside
    go beside it. ``millesime``: key epoch, the year of the month by default. For the cellule, names and
    telephones are sealed into ``coffre`` for ``coffre_publique``. ``processus``: processes, which change
    nothing to what is written; the cores, four at most, by default. ``territoire``: the reference of communes
    of the project (a name, or a CSV file), by which small communes are delivered under one of them.
    Raises :class:`Refusal` (contract, key, month already delivered) before anything is visible anywhere.
    """
    key = keys.read_key(cle)
    entry = open_entry(entree, partenaire, mois)
    encoder = Encoder(key, partenaire, keys.check_epoch(millesime or keys.epoch_of(mois)))
    sealed_for = _recipient(partenaire, coffre, coffre_publique)
    with ExitStack() as held:
        _stay_alone(held, depot / partenaire / mois, correspondance)
        folder = held.enter_context(_delivered_folder(depot / partenaire / mois, remplacer))
        scratch = held.enter_context(passing_folder(correspondance))
        workers = held.enter_context(Workers(processus))
        delivery = _Delivery(entry, encoder, workers, scratch, progress, territoire)
        _deliver_tables(delivery, folder)
        manifest = _write_manifest(delivery, folder, remplacer)
        _leave_at_partner(delivery, correspondance)
        if sealed_for and coffre and delivery.consents is not None:
            _seal(delivery, delivery.consents, vault.vault_file(coffre, mois), sealed_for)
    return _counts(delivery, manifest)


def _stay_alone(held: ExitStack, *paths: Path) -> None:
    """Hold what will be written against any other run, and clear what a killed one left."""
    for path in paths:
        try:
            held.enter_context(locked(path))
        except BlockingIOError:
            raise Refusal(
                "Une autre commande « pseudonymiser » est en cours pour ce mois.",
                ou=str(path),
                que_faire="Attendre qu'elle finisse : rien n'a été touché.",
            ) from None
        forget_partials(path)


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


def _deliver_tables(delivery: _Delivery, folder: Path) -> None:
    """The tables that name people first: who opposed is withheld from all."""
    tables = list(delivery.entry.tables())
    if delivery.entry.has_oppositions:
        delivery.oppositions = _read_oppositions(delivery.entry)
    named = [table for table in tables if table.est_identite]
    for table in named:
        _encode(delivery, table)
    delivery.opposed = _opposed(delivery, named)
    for table in tables:
        if not table.est_identite:
            _encode(delivery, table)
        _sort(delivery, table, folder)


def _read_oppositions(entry: Entry) -> pl.DataFrame:
    """A line set aside is counted and forgotten; an opposition may not be."""
    read = entry.read(TABLES[OPPOSITIONS])
    if not read.rejected.is_empty():
        raise ContractRefusal(
            f"{read.rejected.height} opposition(s) illisible(s) : rien n'est livré tant qu'elles le sont.",
            ou=f"fichier {entry.files[OPPOSITIONS].name}",
            que_faire="Corriger ces lignes ; « nonrecours verifier --classeur » les nomme.",
        )
    return read.accepted


def _encode(delivery: _Delivery, table: Table) -> None:
    """Every slice of a table becomes pieces; what is counted meanwhile is kept."""
    at_once = delivery.entry.is_read_at_once(table)
    with delivery.timed("lecture et jetons"):
        results = _encoded_at_once(delivery, table) if at_once else _encoded_by_slices(delivery, table)
        delivery.encoded[table.name] = []
        for result in results:
            delivery.correspondence.learn(result.ways)
            delivery.encoded[table.name].append(replace(result, ways={}))
    encoded = delivery.encoded[table.name]
    delivery.entry.refuse_smuggled(table, [result.smuggled for result in encoded])
    refuse_amounts((result.amounts for result in encoded), table)


def _encoded_by_slices(delivery: _Delivery, table: Table) -> Iterator[Encoded]:
    slices = delivery.entry.slices(table)
    work = _work(delivery, table, sorting.buckets_for(table, len(slices)))
    asked = [(work, number, part) for number, part in enumerate(slices)]
    total = len(slices) + work.buckets
    for done, result in enumerate(delivery.workers.map(sorting.encode_slice, asked), 1):
        delivery.progress(table.name, done, total)
        yield result


def _encoded_at_once(delivery: _Delivery, table: Table) -> Iterator[Encoded]:
    checked = delivery.entry.read(table)
    work = _work(delivery, table, 1)
    rows = _numbered(checked.accepted, delivery.encoder) if table.name == OPPOSITIONS else checked.accepted
    if table.vault:
        delivery.consents = checked.accepted
    numbered = rows.with_row_index(LINE).with_columns(pl.col(LINE).cast(pl.Int64))
    yield sorting.encode_rows(work, 0, replace(checked, accepted=numbered))


def _work(delivery: _Delivery, table: Table, buckets: int) -> Work:
    folder = delivery.scratch / table.name
    folder.mkdir()
    against = delivery.oppositions if table.est_identite and table.name != OPPOSITIONS else None
    refused = (
        opposing.signs(against, table, delivery.entry.mois) if against is not None else sorting.nothing()
    )
    work = Work(
        name=table.name,
        mois=delivery.entry.mois,
        encoder=delivery.encoder,
        folder=folder,
        graine=delivery.graine,
        territoire=delivery.territoire,
        buckets=buckets,
        refused=refused,
    )
    delivery.works[table.name] = work
    return work


def _numbered(oppositions: pl.DataFrame, encoder: Encoder) -> pl.DataFrame:
    """Oppositions numbered by their content, so that the number does not depend on the order of the lines."""
    content = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator="\x1f")
    rows = oppositions.with_columns(contenu=content)
    repeated = rows.with_columns(contenu=pl.concat_str("contenu", pl.cum_count("contenu").over("contenu")))
    return repeated.with_columns(
        consentement_id=tokens(encoder.identifier("opposition"), repeated["contenu"])
    ).drop("contenu")


def _opposed(delivery: _Delivery, named: list[Table]) -> opposing.Opposed:
    """Who opposed: those the partner names by its own ids, and those recognised among the people read."""
    if delivery.oppositions is None:
        return opposing.NOBODY
    own = delivery.entry.opposed_ids().filter(opposing.to_processing()).select(OWN_ID)
    found = set(rekeyed(own, delivery.encoder)[0][OWN_ID])
    for table in named:
        found |= {one for result in delivery.encoded[table.name] for one in result.opposed}
    everyone = [pl.scan_ipc(delivery.works[table.name].pieces(), glob=False) for table in named]
    return opposing.Opposed(frozenset(found), opposing.emptied_groups(everyone, frozenset(found)))


def _sort(delivery: _Delivery, table: Table, folder: Path) -> None:
    """Every bucket of a table is settled, then its files are written."""
    work = replace(delivery.works[table.name], opposed=delivery.opposed)
    with delivery.timed("tri"):
        if table.est_identite:
            work = replace(work, lent=borrowed(sorting.identities_aside(work)))
        parts = list(_sorted_buckets(delivery, work))
        _count(delivery, table, delivery.encoded.pop(table.name), parts)
    with delivery.timed("écriture"):
        names = [table.name, table.identite_name] if table.est_identite else [table.name]
        for name in names:
            sorting.write_sorted(work, name, folder / f"{name}.parquet")
    shutil.rmtree(work.folder, ignore_errors=True)


def _sorted_buckets(delivery: _Delivery, work: Work) -> Iterator[Sorted]:
    buckets = sorted(entry.name for entry in work.folder.iterdir())
    slices, asked = len(delivery.encoded[work.name]), [(work, bucket) for bucket in buckets]
    for done, (bucket, result) in enumerate(
        zip(buckets, delivery.workers.map(sorting.sort_bucket, asked), strict=True), 1
    ):
        shutil.rmtree(work.folder / bucket, ignore_errors=True)
        delivery.progress(work.name, slices + done, slices + len(buckets))
        yield result


def _count(delivery: _Delivery, table: Table, encoded: list[Encoded], parts: list[Sorted]) -> None:
    lines = [result.checked.rejected for result in encoded] + [part.rejected for part in parts]
    rejected = pl.concat(lines).sort(LINE)
    sound, delivered = sum(r.sound for r in encoded), sum(part.delivered for part in parts)
    delivery.tables[table.name] = {
        "lignes_recues": sound + sum(result.checked.rejected.height for result in encoded),
        "lignes_livrees": delivered,
        "lignes_ecartees": rejected.height,
        "lignes_retirees_par_opposition": sum(part.withheld for part in parts),
        "ecartees_par_regle": by_rule(rejected),
    }
    delivery.rejected.append(rejected.select(pl.lit(table.name).alias("table"), "ligne", "regle"))
    if codes := merged_counts([result.checked.unknown_codes for result in encoded]):
        delivery.unknown_codes[table.name] = codes


def _seal(delivery: _Delivery, consents: pl.DataFrame, path: Path, to: Any) -> None:
    """The consents of who did not oppose, under their keyed ids."""
    keyed = rekeyed(consents.select("consentement_id", "action_id"), delivery.encoder)[0]
    kept = delivery.opposed.withheld(consents.with_columns(keyed), TABLES["consentements"])
    vault.seal(kept, kept.select(keyed.columns), path, to)


def _write_manifest(delivery: _Delivery, folder: Path, remplacer: bool) -> dict[str, Any]:
    """Write the manifest, last file of the folder, and return it."""
    files = {
        path.name: {"lignes": _height(path), "sha256": sha256(path)}
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
        json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n"
    )
    return manifest


def _height(path: Path) -> int:
    rows: int = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return rows


def _extract_id(entry: Entry, files: dict[str, dict[str, Any]]) -> str:
    """Follows from the content: a corrected extract has another id, the same one delivered twice has not."""
    hashes = [f"{name}:{files[name]['sha256']}" for name in sorted(files)]
    return hashlib.sha256("\n".join([entry.partenaire, entry.mois, *hashes]).encode()).hexdigest()[:32]


def _leave_at_partner(delivery: _Delivery, correspondance: Path) -> None:
    """What never leaves: the way back from keyed ids, and which lines were set aside under which rule."""
    with whole_file(correspondance, mode=0o600) as partial:
        _way_back(delivery).write_parquet(partial)
    entry = delivery.entry
    with whole_file(rejected_file(correspondance, entry.partenaire, entry.mois), mode=0o600) as partial:
        pl.concat(delivery.rejected).sort("table", "ligne").write_csv(partial, separator=";")


def _way_back(delivery: _Delivery) -> pl.DataFrame:
    return delivery.correspondence.table(but=delivery.opposed.personnes | delivery.opposed.groupes)


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
        "secondes": {phase: round(seconds, 1) for phase, seconds in delivery.seconds.items()},
    }
