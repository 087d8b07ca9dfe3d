"""A partner's folder becomes a delivered one: whole, without identifiers, the same bytes each time."""

import io
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pyrage
import pytest

from pipelines.files import sha256
from pipelines.refusals import ContractRefusal, KeyRefusal, MissingSourceRefusal, Refusal
from pipelines.source import pseudonymise
from pipelines.source.entry import communes
from pipelines.source.rekey import LEFT_AS_THEY_ARE, NATURES
from pipelines.source.vault import vault_file
from schemas import TABLES, tables_of
from schemas.check import check
from schemas.fields import kind_of
from schemas.kinds import IDENTIFIANT
from schemas.reading import read_strings
from tests.source.conftest import CONTACT, MARKED, MOIS, PERSON, caf_tables, table, write, write_all

VaultKey = tuple[pyrage.x25519.Identity, Path]


def deliver(entree: Path, cle: Path, partenaire: str = "caf", **options: Any) -> dict[str, Any]:
    root = entree.parent
    given: dict[str, Any] = {
        "correspondance": root / "chez-nous" / f"{partenaire}.parquet",
        "mois": MOIS,
    } | options
    return pseudonymise(entree, root / "depot", cle=cle, partenaire=partenaire, **given)


def delivered(entree: Path, partenaire: str = "caf", mois: str = MOIS) -> Path:
    return entree.parent / "depot" / partenaire / mois


def read(entree: Path, name: str, partenaire: str = "caf") -> pl.DataFrame:
    return pl.read_parquet(delivered(entree, partenaire) / f"{name}.parquet")


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.glob("*.parquet"))}


def test_every_table_is_delivered_in_the_form_of_the_contract(caf: Path, cle: Path) -> None:
    counts = deliver(caf, cle)
    known = communes()
    for form in tables_of("caf"):
        for variant, name in (("delivered", form.name), ("identite", form.identite_name)):
            path = delivered(caf) / f"{name}.parquet"
            if path.exists():
                checked = check(read_strings(path), form, variant, MOIS, known)  # type: ignore[arg-type]
                assert checked.rejected.is_empty()
    assert counts["lignes_recues"] == counts["lignes_livrees"] == 20
    assert read(caf, "caf_personnes__identite").height == len(MARKED)


def test_the_manifest_says_what_each_file_is(caf: Path, cle: Path) -> None:
    counts = deliver(caf, cle)
    manifest = json.loads((delivered(caf) / "manifeste.json").read_text())
    assert manifest["extrait_id"] == counts["extrait_id"]
    assert (manifest["partenaire"], manifest["mois"], manifest["millesime_cle"]) == ("caf", MOIS, "2026")
    on_disk = {
        p.name: {"lignes": pl.read_parquet(p).height, "sha256": sha256(p)}
        for p in delivered(caf).glob("*.parquet")
    }
    assert manifest["fichiers"] == on_disk
    assert {p.name for p in delivered(caf).iterdir()} == {*on_disk, "manifeste.json"}


def every_mark() -> list[str]:
    values = [
        value
        for person in MARKED.values()
        for name, value in person.items()
        if name not in ("sexe", "commune_insee")
    ]
    marks = [
        *values,
        *CONTACT.values(),
        *(f"ALLOC-{name}" for name in MARKED),
        "MATRICULE-1",
        "CONSENT-1",
        "ACTION-1",
    ]
    # codes of places are delivered by no table, but too short to be told from other digits
    return [mark for mark in marks if len(mark) > 5 and mark not in ("TELEPHONE",)]


def spellings(mark: str) -> set[bytes]:
    words = re.split(r"[ ,'’.\-]+", mark)
    spelt = {mark, mark.upper(), mark.lower(), *(w for w in words if len(w) > 5 and not w.isdigit())}
    spelt |= {re.sub(r"[^0-9A-Za-z]", "", mark)}
    return {s.encode() for s in spelt if len(s) > 5} | {
        s.encode("cp1252", "ignore") for s in spelt if len(s) > 5
    }


def all_bytes(folder: Path) -> bytes:
    """Every byte of a folder, Parquet files also as the text they hold."""
    content = io.BytesIO()
    for path in sorted(folder.rglob("*")):
        content.write(path.name.encode())
        if path.is_file():
            content.write(path.read_bytes())
        if path.suffix == ".parquet":
            content.write(pl.read_parquet(path).write_csv().encode())
            content.write(str(pl.read_parquet_metadata(path)).encode())
    return content.getvalue()


@pytest.mark.parametrize("partenaire", ["caf", "cpam", "cellule"])
def test_no_direct_identifier_in_any_delivered_byte(
    partenaire: str, cle: Path, vault_key: VaultKey, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    entree = request.getfixturevalue(partenaire)
    vault = (
        {"coffre": tmp_path / "coffre", "coffre_publique": vault_key[1]} if partenaire == "cellule" else {}
    )
    deliver(entree, cle, partenaire, **vault)
    content = all_bytes(tmp_path / "depot") + all_bytes(tmp_path / "coffre")
    found = [mark for mark in every_mark() for spelt in spellings(mark) if spelt in content]
    assert found == []
    assert b"Z\xc3\xa9bulonde" in all_bytes(entree)


def test_the_marks_would_be_seen(caf: Path) -> None:
    content = all_bytes(caf)
    assert all(
        any(s in content for s in spellings(mark)) for mark in ("Zébulonde", "180053155500159", "MATRICULE-1")
    )


def test_shuffled_lines_give_the_same_bytes(caf: Path, cle: Path, tmp_path: Path) -> None:
    first = deliver(caf, cle)
    before = hashes(delivered(caf))
    shuffled = {n: f.sample(fraction=1, shuffle=True, seed=7) for n, f in caf_tables().items()}
    other = write_all(tmp_path / "ailleurs" / "entree", shuffled)
    second = deliver(other, cle)
    assert hashes(delivered(other)) == before
    assert second["extrait_id"] == first["extrait_id"]


def test_shuffled_oppositions_get_the_same_numbers(cellule: Path, cle: Path, vault_key: VaultKey) -> None:
    rows = [MARKED["petit"], MARKED["petit"], MARKED["zebulon"] | {"nir": ""}]
    rows = [row | {"objet": "CONTACT"} for row in rows]
    found = []
    for order in (rows, rows[::-1]):
        write(cellule, "oppositions", table("oppositions", *order))
        deliver(
            cellule, cle, "cellule", coffre=cellule.parent / "c", coffre_publique=vault_key[1], remplacer=True
        )
        found.append(read(cellule, "oppositions", "cellule"))
    assert found[0].equals(found[1])
    assert found[0]["consentement_id"].n_unique() == 3


def test_an_identifier_is_the_same_in_every_table_and_every_month(caf: Path, cle: Path) -> None:
    deliver(caf, cle)
    deliver(caf, cle, mois="2026-07")
    people = set(read(caf, "caf_personnes")["personne_id"])
    assert set(read(caf, "caf_ressources")["personne_id"]) == people
    assert set(read(caf, "caf_personnes__identite")["personne_id"]) == people
    later = pl.read_parquet(delivered(caf, mois="2026-07") / "caf_personnes.parquet")
    assert set(later["personne_id"]) == people
    assert set(read(caf, "caf_foyers")["foyer_id"]) == set(read(caf, "caf_personnes")["foyer_id"])


def test_parent_and_child_of_cpam_are_the_persons_of_assures(cpam: Path, cle: Path) -> None:
    deliver(cpam, cle, "cpam")
    people = set(read(cpam, "cpam_assures", "cpam")["personne_id"])
    ties = read(cpam, "cpam_rattachements", "cpam")
    assert {*ties["enfant_id"], *ties["ouvrant_droit_id"]} <= people


def test_every_identifier_column_is_replaced_or_declared_harmless() -> None:
    columns = {c for form in TABLES.values() for c in form.columns if kind_of(c) is IDENTIFIANT}
    assert columns - {*NATURES, *LEFT_AS_THEY_ARE} == set()


def test_the_correspondence_maps_back_and_is_private(caf: Path, cle: Path) -> None:
    deliver(caf, cle)
    path = caf.parent / "chez-nous" / "caf.parquet"
    assert path.stat().st_mode & 0o777 == 0o600
    back = pl.read_parquet(path).filter(nature="personne")
    assert set(back["identifiant"]) == {f"ALLOC-{name}" for name in MARKED}
    assert set(back["identifiant_livre"]) == set(read(caf, "caf_personnes")["personne_id"])


def test_births_and_homes_are_delivered_no_finer_than_the_rights_need(cle: Path, tmp_path: Path) -> None:
    births = ["2000-06-30", "2000-07-01", "1980-05-03", "2012-02-29", "2012-00-00"]
    people = [
        PERSON | {"personne_id": f"p{i}", "foyer_id": "f", "date_naissance": date}
        for i, date in enumerate(births)
    ]
    entree = write_all(tmp_path / "entree", caf_tables() | {"caf_personnes": table("caf_personnes", *people)})
    deliver(entree, cle)
    found = read(entree, "caf_personnes").select("naissance_annee", "naissance_mois")
    assert sorted(found.rows(), key=str) == sorted(
        [(2000, 6), (2000, 7), (1979, None), (2016, None), (2016, None)], key=str
    )
    at_home = table("caf_personnes", PERSON | {"personne_id": "p", "foyer_id": "f", "commune_insee": "31412"})
    deliver(write_all(tmp_path / "entree", caf_tables() | {"caf_personnes": at_home}), cle, remplacer=True)
    assert read(entree, "caf_personnes")["commune_insee"].to_list() == ["31080"]
    assert read(entree, "caf_personnes__identite")["commune_insee"].to_list() == ["31412"]


def test_cpam_gets_dwelling_and_birth_in_france(cpam: Path, cle: Path) -> None:
    deliver(cpam, cle, "cpam")
    found = read(cpam, "cpam_assures", "cpam")
    assert found["logement_id"].n_unique() == 1 and found["logement_id"].null_count() == 0
    assert sorted(found["ne_en_france"].to_list()) == [0, 1, 1, 1]


OPPOSED = {"objet": "TRAITEMENT", "depuis_le": "2026-01-01"}


def test_oppositions_are_gone_everywhere_and_counted(caf: Path, cle: Path) -> None:
    by_name = MARKED["walpurge"] | {"nom_naissance": "", "prenoms": "radegonde"} | OPPOSED
    by_nir = {"nir": MARKED["zebulon"]["nir"]} | OPPOSED
    contact_only = MARKED["petit"] | OPPOSED | {"objet": "CONTACT"}
    write(caf, "oppositions", table("oppositions", by_name, by_nir, contact_only))
    counts = deliver(caf, cle)
    assert counts["oppositions_recues"] == 3
    assert counts["personnes_retirees_par_opposition"] == 2
    assert counts["lignes_recues"] == 20
    assert counts["lignes_retirees_par_opposition"] == 2 * (1 + 1 + 2)
    for name in ("caf_personnes", "caf_ressources", "caf_prestations_personnes", "caf_personnes__identite"):
        assert read(caf, name)["personne_id"].n_unique() == 2
    assert read(caf, "caf_foyers").height == 4
    assert not (delivered(caf) / "oppositions.parquet").exists()


def test_a_household_left_without_anybody_goes_too(caf: Path, cle: Path) -> None:
    own_id = table("oppositions", OPPOSED).with_columns(personne_id=pl.lit("ALLOC-sansdate"))
    write(caf, "oppositions", own_id)
    counts = deliver(caf, cle)
    assert counts["personnes_retirees_par_opposition"] == 1
    assert read(caf, "caf_foyers")["foyer_id"].n_unique() == 1


def test_an_opposition_with_an_unreadable_object_is_one_to_processing(caf: Path, cle: Path) -> None:
    write(caf, "oppositions", table("oppositions", MARKED["petit"] | {"objet": "???"}))
    assert deliver(caf, cle)["personnes_retirees_par_opposition"] == 1


def test_an_unreadable_opposition_stops_the_delivery(caf: Path, cle: Path) -> None:
    write(caf, "oppositions", table("oppositions", MARKED["petit"] | OPPOSED))
    with (caf / "oppositions.csv").open("a") as stream:
        stream.write("trop;peu\n")
    with pytest.raises(ContractRefusal, match="opposition"):
        deliver(caf, cle)
    assert_nothing_left(caf)


@pytest.mark.parametrize("code", ["200072643", "20007264300012", "MDS-31", "2026-05-12"])
def test_codes_of_organisations_are_no_leak(caf: Path, cle: Path, code: str) -> None:
    write(caf, "caf_personnes", caf_tables()["caf_personnes"].with_columns(act=pl.lit(code)))
    deliver(caf, cle)
    assert set(read(caf, "caf_personnes")["act"]) == {code}


def test_a_namesake_born_another_day_is_not_opposed(caf: Path, cle: Path) -> None:
    namesake = MARKED["walpurge"] | {"date_naissance": "1982-07-15"} | OPPOSED
    write(caf, "oppositions", table("oppositions", namesake))
    assert deliver(caf, cle)["personnes_retirees_par_opposition"] == 0


def test_names_and_telephones_go_to_the_vault_alone(cellule: Path, cle: Path, vault_key: VaultKey) -> None:
    identity, public = vault_key
    deliver(cellule, cle, "cellule", coffre=cellule.parent / "coffre", coffre_publique=public)
    sealed = vault_file(cellule.parent / "coffre", MOIS)
    table_of_vault = pl.read_parquet(io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [identity])))
    assert set(table_of_vault["telephone"]) == {CONTACT["telephone"]}
    assert set(table_of_vault["nom_naissance"]) == {"Walpurgisse", "Zébulonde"}
    assert not {"date_naissance", "sexe", "lieu_naissance", "adresse", "nir"} & set(table_of_vault.columns)
    consents = read(cellule, "consentements", "cellule")
    assert set(table_of_vault["consentement_id"]) == set(consents["consentement_id"])
    assert set(consents["action_id"]) == set(read(cellule, "actions", "cellule")["action_id"])


def test_an_opposition_to_contact_withholds_the_consent(
    cellule: Path, cle: Path, vault_key: VaultKey
) -> None:
    opposed = {k: v for k, v in MARKED["walpurge"].items() if k != "nir"} | OPPOSED | {"objet": "CONTACT"}
    write(cellule, "oppositions", table("oppositions", opposed))
    deliver(cellule, cle, "cellule", coffre=cellule.parent / "coffre", coffre_publique=vault_key[1])
    assert read(cellule, "consentements", "cellule").height == 1
    assert read(cellule, "oppositions", "cellule").height == 1


@pytest.mark.parametrize("missing", ["coffre", "coffre_publique"])
def test_the_cellule_needs_a_vault(cellule: Path, cle: Path, vault_key: VaultKey, missing: str) -> None:
    vault = {"coffre": cellule.parent / "coffre", "coffre_publique": vault_key[1]} | {missing: None}
    with pytest.raises(Refusal):
        deliver(cellule, cle, "cellule", **vault)
    assert_nothing_left(cellule)


def assert_nothing_left(entree: Path) -> None:
    root = entree.parent
    left = [
        p for folder in ("depot", "chez-nous", "coffre") for p in (root / folder).rglob("*") if p.is_file()
    ]
    assert left == []
    assert not list(root.rglob(".partiel-*"))


def test_lines_set_aside_are_listed_at_the_partner_by_rule(caf: Path, cle: Path) -> None:
    frame = caf_tables()["caf_ressources"]
    bad = frame.head(1).with_columns(mois=pl.lit("2019-01"))
    write(caf, "caf_ressources", pl.concat([frame, bad]))
    counts = deliver(caf, cle)
    assert counts["lignes_recues"] == 21
    assert counts["lignes_ecartees"] == 1
    listed = pl.read_csv(caf.parent / "chez-nous" / f"ecartees-caf-{MOIS}.csv", separator=";")
    assert listed.rows() == [("caf_ressources", frame.height + 2, "fenetre:mois")]


def unknown_column(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(telephone=pl.lit("06"))


def missing_column(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("adresse")


def smuggled(value: str, column: str) -> Any:
    return lambda frame: frame.with_columns(pl.lit(value).alias(column))


@pytest.mark.parametrize(
    "break_it",
    [
        unknown_column,
        missing_column,
        smuggled("1 80 05 31 555 001 59", "act"),
        smuggled("06 98 76 54 32", "act"),
        smuggled("+33698765432", "nati"),
        smuggled("radegonde@exemple.fr", "role"),
    ],
)
def test_a_file_that_breaks_the_contract_leaves_nothing(caf: Path, cle: Path, break_it: Any) -> None:
    write(caf, "caf_personnes", break_it(caf_tables()["caf_personnes"]))
    with pytest.raises(ContractRefusal) as refusal:
        deliver(caf, cle)
    assert not any(mark in str(refusal.value) for mark in ("1 80 05", "06 98", "33698", "radegonde"))
    assert_nothing_left(caf)


def test_a_missing_table_is_named(caf: Path, cle: Path) -> None:
    (caf / "caf_foyers.csv").unlink()
    with pytest.raises(MissingSourceRefusal, match="caf_foyers"):
        deliver(caf, cle)


@pytest.mark.parametrize("stranger", ["caf_foyer.csv", "notes.txt", "cpam_assures.parquet"])
def test_a_file_that_is_no_table_is_refused(caf: Path, cle: Path, stranger: str) -> None:
    (caf / stranger).write_text("a;b\n1;2\n")
    with pytest.raises(ContractRefusal):
        deliver(caf, cle)
    assert_nothing_left(caf)


@pytest.mark.parametrize("wrong", [{"partenaire": "../caf"}, {"mois": "2026-6"}, {"mois": "../x"}])
def test_a_wrong_partner_or_month_is_refused(caf: Path, cle: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(Refusal):
        deliver(caf, cle, **wrong)
    assert_nothing_left(caf)


def test_a_readable_key_is_refused(caf: Path, cle: Path) -> None:
    cle.chmod(0o644)
    with pytest.raises(KeyRefusal):
        deliver(caf, cle)
    assert_nothing_left(caf)


def test_a_month_is_delivered_once_unless_replaced(caf: Path, cle: Path) -> None:
    first = deliver(caf, cle)
    before = hashes(delivered(caf))
    with pytest.raises(Refusal, match="déjà livré"):
        deliver(caf, cle)
    assert hashes(delivered(caf)) == before
    corrected = caf_tables()["caf_foyers"].with_columns(rsa_du=pl.lit("500"))
    write(caf, "caf_foyers", corrected)
    second = deliver(caf, cle, remplacer=True)
    assert second["extrait_id"] != first["extrait_id"]
    assert [p.name for p in delivered(caf).parent.iterdir()] == [MOIS]


def test_a_failed_replacement_leaves_the_earlier_delivery(caf: Path, cle: Path) -> None:
    deliver(caf, cle)
    before = hashes(delivered(caf))
    write(caf, "caf_foyers", unknown_column(caf_tables()["caf_foyers"]))
    with pytest.raises(ContractRefusal):
        deliver(caf, cle, remplacer=True)
    assert hashes(delivered(caf)) == before
    assert [p.name for p in delivered(caf).parent.iterdir()] == [MOIS]


def test_a_replacement_killed_half_way_is_put_back(caf: Path, cle: Path) -> None:
    deliver(caf, cle)
    before = hashes(delivered(caf))
    delivered(caf).rename(delivered(caf).with_name(f".remplace-{MOIS}"))
    with pytest.raises(Refusal, match="déjà livré"):
        deliver(caf, cle)
    assert hashes(delivered(caf)) == before
