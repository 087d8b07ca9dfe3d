"""What is refused before any row is read, each with a sentence that says which file and why."""

from pathlib import Path

import polars as pl

from pipelines.files import sha256
from pipelines.ingest.keys import refuse_foreign_keys
from pipelines.ingest.manifest import IDENTITY_SUFFIX, MANIFEST, Delivery
from pipelines.refusals import ContractRefusal
from schemas import CONTRACT_VERSION, tables_of


def refuse_bad_deliveries(found: list[Delivery], known: pl.DataFrame, remplacer: bool) -> None:
    """Hold the deliveries of a month against themselves and against ``known`` (meta__extraits).

    Raises :class:`ContractRefusal` or :class:`KeyRefusal` at the first fault.
    """
    for delivery in found:
        _refuse_damaged(delivery, may_lack_identity=_is_known(delivery, known))
    refuse_foreign_keys(found, known)
    _refuse_replayed(found, known)
    for delivery in found:
        _refuse_out_of_order(delivery, known, remplacer)


def refuse_bad_backlog(
    delivery: Delivery, others: list[Delivery], known: pl.DataFrame, remplacer: bool
) -> None:
    """Hold an older delivery against itself, ``others`` of the same run and ``known``.

    Its identity files may be gone. Its epoch and its encoding may be older ones.
    Raises :class:`ContractRefusal` or :class:`KeyRefusal` at the first fault.
    """
    _refuse_damaged(delivery, may_lack_identity=True)
    refuse_foreign_keys([delivery, *others], known, may_be_older=True)
    _refuse_replayed([*others, delivery], known)
    _refuse_out_of_order(delivery, known, remplacer)


def _refuse_damaged(delivery: Delivery, *, may_lack_identity: bool) -> None:
    _refuse_foreign_manifest(delivery)
    _refuse_incomplete(delivery)
    _refuse_stray_files(delivery)
    _refuse_changed_files(delivery, may_lack_identity=may_lack_identity)


def is_ingested(delivery: Delivery, known: pl.DataFrame) -> bool:
    """True when this very delivery (same manifest) is in the warehouse already."""
    return not known.filter(
        pl.col("extrait_id") == delivery.manifest.extrait_id,
        pl.col("empreinte") == delivery.manifest.empreinte,
        ~pl.col("est_remplace"),
    ).is_empty()


def _is_known(delivery: Delivery, known: pl.DataFrame) -> bool:
    return delivery.manifest.extrait_id in known["extrait_id"]


def _refuse_foreign_manifest(delivery: Delivery) -> None:
    manifest = delivery.manifest
    if (manifest.partenaire, manifest.mois) != (delivery.partenaire, delivery.mois):
        raise ContractRefusal(
            "Le manifeste est celui d'un autre partenaire ou d'un autre mois.",
            ou=f"{delivery.where}/{MANIFEST}",
            que_faire="Remettre chaque livraison dans son dossier <partenaire>/<mois>.",
        )
    if manifest.version_contrat != CONTRACT_VERSION:
        raise ContractRefusal(
            f"La livraison suit une autre version du contrat que la version {CONTRACT_VERSION}.",
            ou=f"{delivery.where}/{MANIFEST}",
            que_faire="Mettre le logiciel à jour des deux côtés, puis livrer de nouveau.",
        )


def _refuse_incomplete(delivery: Delivery) -> None:
    tables = {table.name: table for table in tables_of(delivery.partenaire)}
    listed = {name.removesuffix(".parquet") for name in delivery.manifest.fichiers}
    foreign = sorted(name for name in listed if name.removesuffix("__identite") not in tables)
    if foreign:
        raise ContractRefusal(
            f"Ce partenaire ne livre pas cette table : {', '.join(foreign)}.",
            ou=delivery.where,
            que_faire="Demander au partenaire de livrer de nouveau, sans ce fichier.",
        )
    missing = [t.name for t in tables.values() if not t.est_optionnelle and t.name not in listed]
    missing += [
        t.identite_name
        for t in tables.values()
        if t.est_identite and t.name in listed and t.identite_name not in listed
    ]
    if missing:
        raise ContractRefusal(
            f"Table absente de la livraison : {', '.join(missing)}.",
            ou=delivery.where,
            que_faire="Livrer la table, réduite à son en-tête s'il n'y a aucune ligne.",
        )


def _refuse_stray_files(delivery: Delivery) -> None:
    present = {path.name for path in delivery.folder.iterdir() if not path.name.startswith(".")}
    stray = present - set(delivery.manifest.fichiers) - {MANIFEST}
    if stray:
        raise ContractRefusal(
            "La livraison contient un fichier que son manifeste ne déclare pas.",
            ou=delivery.where,
            que_faire="Le retirer sans l'ouvrir : il pourrait porter des identités. Prévenir le partenaire.",
        )


def _refuse_changed_files(delivery: Delivery, *, may_lack_identity: bool) -> None:
    for name, declared in delivery.manifest.fichiers.items():
        path = delivery.folder / name
        if not path.is_file():
            if may_lack_identity and name.endswith(IDENTITY_SUFFIX):
                continue
            raise _file_refusal(delivery, name, "Ce fichier est déclaré par le manifeste, mais absent.")
        if sha256(path) != declared.sha256:
            raise _file_refusal(delivery, name, "L'empreinte du fichier n'est pas celle du manifeste.")
        if _rows(path, delivery) != declared.lignes:
            raise _file_refusal(delivery, name, "Le nombre de lignes n'est pas celui du manifeste.")


def _rows(path: Path, delivery: Delivery) -> int:
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        raise _file_refusal(delivery, path.name, "Le fichier Parquet est illisible ou tronqué.") from None


def _file_refusal(delivery: Delivery, name: str, quoi: str) -> ContractRefusal:
    return ContractRefusal(
        quoi, ou=f"{delivery.where}/{name}", que_faire="Demander au partenaire de livrer de nouveau."
    )


def _refuse_replayed(found: list[Delivery], known: pl.DataFrame) -> None:
    seen: set[str] = set()
    for delivery in found:
        mine = known.filter(pl.col("extrait_id") == delivery.manifest.extrait_id)
        other = mine.filter((pl.col("empreinte") != delivery.manifest.empreinte) | pl.col("est_remplace"))
        if delivery.manifest.extrait_id in seen or not other.is_empty():
            raise ContractRefusal(
                "Cet identifiant d'extrait a déjà servi pour une autre livraison.",
                ou=f"{delivery.where}/{MANIFEST}",
                que_faire="Demander une nouvelle livraison : une ancienne ne se rejoue pas.",
            )
        seen.add(delivery.manifest.extrait_id)


def _refuse_out_of_order(delivery: Delivery, known: pl.DataFrame, remplacer: bool) -> None:
    if is_ingested(delivery, known) or delivery.manifest.remplace or remplacer:
        return
    earlier = known.filter(pl.col("partenaire") == delivery.partenaire)["mois"]
    if (earlier > delivery.mois).any():
        raise ContractRefusal(
            "Un extrait plus récent de ce partenaire est déjà ingéré.",
            ou=delivery.where,
            que_faire="Si le partenaire corrige vraiment ce mois, livrer de nouveau avec --remplacer.",
        )
