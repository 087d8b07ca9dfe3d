"""The ceremony: parts drawn apart make one key, all but one tell nothing, and a wrong part is refused."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import cli
from pipelines.refusals import KeyRefusal
from pipelines.source import ceremony, keys
from pipelines.source.ceremony import Part, assemble, draw_part, read_part, share, write_part
from tests.source.conftest import PATIENT

KEYS = st.binary(min_size=32, max_size=32)


def key_of(parts: list[Part]) -> bytes:
    return ceremony._exclusive_or([part.secret for part in parts])


@PATIENT
@given(st.lists(KEYS, min_size=1, max_size=8), KEYS)
def test_whatever_all_parts_but_one_are_each_key_remains_possible(known: list[bytes], key: bytes) -> None:
    """Exactly one last part leads to each key: knowing the others excludes none and favours none."""
    last = ceremony._exclusive_or([*known, key])
    assert ceremony._exclusive_or([*known, last]) == key


@PATIENT
@given(st.lists(KEYS, min_size=2, max_size=2), KEYS, KEYS)
def test_two_last_parts_never_lead_to_one_key(known: list[bytes], one: bytes, other: bytes) -> None:
    assert (one == other) is (
        ceremony._exclusive_or([*known, one]) == ceremony._exclusive_or([*known, other])
    )


@PATIENT
@given(KEYS.filter(any), st.integers(2, 9))
def test_parts_of_an_existing_key_make_it_again(key: bytes, nombre: int) -> None:
    parts = share(key, nombre)
    assert len({part.engagement for part in parts}) == nombre
    assert key_of(parts) == key


def test_two_sharings_of_a_key_have_no_part_in_common() -> None:
    assert not {p.secret for p in share(bytes(32), 3)} & {p.secret for p in share(bytes(32), 3)}


def test_a_part_is_neither_the_key_nor_shown(tmp_path: Path) -> None:
    part = draw_part(3)
    assert part.secret.hex() not in repr(part) and part.secret.hex() not in part.engagement
    write_part(part, tmp_path / "part.cle")
    assert (tmp_path / "part.cle").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyRefusal, match="n'est pas une clé"):
        keys.read_key(tmp_path / "part.cle")


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """The parts of three partners, each in its own file."""
    parts = [draw_part(3, "7f3a91c2") for _ in range(3)]
    paths = [tmp_path / f"part-{name}.cle" for name in ("caf", "cpam", "departement")]
    for part, path in zip(parts, paths, strict=True):
        write_part(part, path)
    return paths


def refused(paths: list[Path], *engagements: str) -> KeyRefusal:
    """The refusal of these parts; no key was written, and nothing of a part is said."""
    sortie = paths[0].with_name("projet.cle")
    with pytest.raises(KeyRefusal) as caught:
        assemble(paths, sortie, engagements)
    assert not sortie.exists()
    assert not any(read in str(caught.value) for path in paths for read in _secrets(path))
    return caught.value


def _secrets(path: Path) -> list[str]:
    return re.findall(r"[0-9a-f]{64}", path.read_text()) if path.exists() else []


def engagements(paths: list[Path]) -> list[str]:
    return [keys.read_aloud(read_part(path).engagement) for path in paths]


def test_all_parts_in_any_order_make_one_key(three: list[Path], tmp_path: Path) -> None:
    first = assemble(three, tmp_path / "a.cle", engagements(three))
    second = assemble(three[::-1], tmp_path / "b.cle", engagements(three)[::-1])
    assert first == second == keys.fingerprint(keys.read_key(tmp_path / "a.cle"))
    assert keys.read_key(tmp_path / "a.cle") == key_of([read_part(path) for path in three])


def test_a_missing_part_is_refused(three: list[Path]) -> None:
    assert "les 3 parts de cette cérémonie : 2 sont données" in refused(three[:2]).quoi


def test_a_part_given_twice_is_refused(three: list[Path]) -> None:
    assert "deux fois" in refused([*three[:2], three[0]]).quoi


def test_a_copy_of_a_part_under_another_name_is_refused(three: list[Path]) -> None:
    three[2].write_text(three[0].read_text())
    refusal = refused(three)
    assert "deux fois" in refusal.quoi
    assert "part-caf.cle" in refusal.ou and "part-cpam.cle" not in refusal.ou


@pytest.mark.parametrize("stranger", [draw_part(3), draw_part(4, "7f3a91c2")])
def test_a_part_of_another_ceremony_is_refused(three: list[Path], stranger: Part) -> None:
    three[1].unlink()
    write_part(stranger, three[1])
    refusal = refused(three)
    assert "une même cérémonie" in refusal.quoi and "part-cpam.cle" in refusal.ou


def test_a_part_changed_after_its_engagement_was_read_is_refused(three: list[Path]) -> None:
    announced = engagements(three)
    three[1].unlink()
    write_part(draw_part(3, "7f3a91c2"), three[1])
    refusal = refused(three, *announced)
    assert "n'est pas celle qui a été annoncée" in refusal.quoi and refusal.ou == str(three[1])


def test_an_engagement_without_its_part_is_refused(three: list[Path]) -> None:
    assert "n'a pas sa part" in refused(three, *engagements(three), "46a3-efe2-e6d8-0fac").quoi


@pytest.mark.parametrize("place", range(0, 110, 9))
def test_a_damaged_part_is_refused(three: list[Path], place: int) -> None:
    text = three[1].read_text()
    other = "0" if text[place] != "0" else "1"
    three[1].write_text(text[:place] + other + text[place + 1 :])
    refusal = refused(three)
    assert "abîmé" in refusal.quoi and refusal.ou == str(three[1])


def test_a_part_others_can_read_is_refused(three: list[Path]) -> None:
    three[1].chmod(0o644)
    assert "lisible par d'autres" in refused(three).quoi


def test_a_part_and_a_key_are_never_overwritten(three: list[Path], tmp_path: Path) -> None:
    with pytest.raises(KeyRefusal, match="jamais remplacée"):
        write_part(draw_part(3), three[0])
    assemble(three, tmp_path / "projet.cle")
    with pytest.raises(KeyRefusal, match="jamais remplacée"):
        assemble(three, tmp_path / "projet.cle")


@pytest.mark.parametrize("nombre", [-1, 0, 1, 10])
def test_a_key_is_drawn_in_two_to_nine_parts(nombre: int) -> None:
    with pytest.raises(KeyRefusal, match="2 à 9 parts"):
        draw_part(nombre)


@pytest.mark.parametrize("code", ["", "7f3a", "7f3a91c2x", "zzzzzzzz"])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(KeyRefusal, match="code de la cérémonie"):
        draw_part(3, code)


def test_the_whole_ceremony_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each partner follows what the screen of the first says; the fingerprint said is that of the key."""
    monkeypatch.chdir(tmp_path)
    said = told(capsys, "cle", "creer", "--parts", "3", "--sortie", "part-caf.cle")
    invited = found(r"nonrecours (cle creer --parts 3 --ceremonie \S+)", said).split()
    announced = [found(r"procès-verbal : (\S+)", said)]
    for partner in ("cpam", "departement"):
        said = told(capsys, *invited, "--sortie", f"part-{partner}.cle")
        announced.append(found(r"procès-verbal : (\S+)", said))
    parts = sorted(path.name for path in tmp_path.glob("part-*.cle"))
    options = [word for engagement in announced for word in ("--engagement", engagement)]
    said = told(capsys, "cle", "assembler", *parts, "--sortie", "projet.cle", *options)
    assert found(r"de vive voix : (\S+)", said) == told(capsys, "cle", "empreinte", "--cle", "projet.cle")
    told(capsys, "cle", "partager", "--cle", "projet.cle", "--dossier", "nouvelles")
    again = [str(path) for path in Path("nouvelles").glob("part-*.cle")]
    said = told(capsys, "cle", "assembler", *again, "--sortie", "de-nouveau.cle")
    assert Path("de-nouveau.cle").read_bytes() == Path("projet.cle").read_bytes()
    assert cli.run(["cle", "assembler", *parts, again[0], "--sortie", "x.cle"]) == 4


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(list(arguments)) == 0
    return capsys.readouterr().out.strip()


def found(pattern: str, said: str) -> str:
    match = re.search(pattern, said.replace("\n", " "))
    assert match, said
    return match[1]
