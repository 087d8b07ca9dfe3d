"""The key: private, well formed, drawn once; its subkeys independent."""

import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from pipelines.refusals import KeyRefusal
from pipelines.source import create_key, keys


def test_a_key_is_256_bits_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "projet.cle"
    named = create_key(path)
    key = keys.read_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert named == keys.fingerprint(key)
    assert named not in path.read_text()


def test_two_draws_differ(tmp_path: Path) -> None:
    create_key(tmp_path / "a")
    create_key(tmp_path / "b")
    assert keys.read_key(tmp_path / "a") != keys.read_key(tmp_path / "b")


def test_an_existing_key_is_never_replaced(cle: Path) -> None:
    before = cle.read_bytes()
    with pytest.raises(KeyRefusal):
        create_key(cle)
    assert cle.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_others_can_read_is_refused(cle: Path, mode: int) -> None:
    cle.chmod(mode)
    with pytest.raises(KeyRefusal, match="lisible par d'autres"):
        keys.read_key(cle)


@pytest.mark.parametrize(
    "content", ["", "abc", "nonrecours-cle-1:00", "nonrecours-cle-2:" + "0" * 64, "0" * 64]
)
def test_a_file_that_is_no_key_is_refused_without_quoting_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.cle"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyRefusal) as refusal:
        keys.read_key(path)
    assert not content or content not in str(refusal.value)


def test_an_absent_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefusal):
        keys.read_key(tmp_path / "rien")


def test_the_fingerprint_tells_another_key() -> None:
    assert keys.fingerprint(bytes(32)) != keys.fingerprint(bytes(31) + b"\1")


@pytest.mark.parametrize("said", ["46a3-efe2-e6d8-0fac", "46A3 EFE2 E6D8 0FAC", "46a3efe2e6d80fac"])
def test_what_is_read_aloud_is_typed_again_as_one_likes(said: str) -> None:
    assert keys.typed(said) == "46a3efe2e6d80fac"
    assert keys.read_aloud("46a3efe2e6d80fac") == "46a3-efe2-e6d8-0fac"


def test_the_epoch_is_the_year_of_the_month_unless_agreed_otherwise() -> None:
    assert keys.epoch_of("2027-01") == "2027"


@pytest.mark.parametrize("millesime", ["", "2026/../x", "a" * 21, "20 26"])
def test_an_epoch_is_a_short_word(millesime: str) -> None:
    with pytest.raises(KeyRefusal):
        keys.check_epoch(millesime)


def test_subkeys_are_hkdf_sha256_and_differ_by_purpose() -> None:
    key = bytes(range(32))
    assert keys.subkey(key, "a") != keys.subkey(key, "b")

    # RFC 5869: extract with a zero salt, then expand
    extracted = hmac.digest(bytes(32), key, "sha256")
    expanded = HKDFExpand(algorithm=SHA256(), length=32, info=b"nonrecours/1/a").derive(extracted)
    assert keys.subkey(key, "a") == expanded
