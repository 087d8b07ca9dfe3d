"""Any CSV a partner's service writes is read; a damaged one is refused, in French, without a value."""

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.refusals import ContractRefusal
from schemas.reading import ANOMALY, LINE, read_slice, read_strings, slices
from tests.schemas.lines import read

HEADER = ["personne_id", "nom_usage", "montant"]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_separator_encoding_and_line_end_gives_the_same_table(
    tmp_path: Path, separator: str, encoding: str, newline: str
) -> None:
    lines = [HEADER, ["p1", "Étienne", "12.5"], ["p2", "", "0"]]
    text = "".join(separator.join(line) + newline for line in lines)
    frame = read(tmp_path, text, encoding)
    assert frame.rows() == [("p1", "Étienne", "12.5", 2), ("p2", None, "0", 3)]


def test_parquet_is_read_as_strings_with_its_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"montant": [1.5, None], "natress": ["001", "000"]}).write_parquet(path)
    assert read_strings(path).rows() == [("1.5", "001", 1), (None, "000", 2)]


def test_a_separator_inside_quotes_is_not_a_field(tmp_path: Path) -> None:
    frame = read(tmp_path, 'personne_id,adresse\np1,"1, rue des Écoles"\n')
    assert frame["adresse"].to_list() == ["1, rue des Écoles"]


def test_a_line_break_inside_quotes_keeps_one_row_and_the_next_line_numbers(tmp_path: Path) -> None:
    frame = read(tmp_path, 'personne_id,adresse\np1,"1 rue\nBât A"\np2,x\n')
    assert frame.select("personne_id", LINE).rows() == [("p1", 2), ("p2", 4)]


def test_a_line_with_another_number_of_fields_is_marked_and_keeps_its_number(tmp_path: Path) -> None:
    frame = read(tmp_path, "a;b\n1;2\n1;2;3\n1\n3;4\n")
    assert frame.select(LINE, ANOMALY).rows() == [
        (2, None),
        (3, "nombre_de_champs"),
        (4, "nombre_de_champs"),
        (5, None),
    ]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert read(tmp_path, "personne_id;mois").is_empty()


def test_blank_lines_are_not_rows(tmp_path: Path) -> None:
    assert read(tmp_path, "a;b\n1;2\n\n3;4\n\n")[LINE].to_list() == [2, 4]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"  \n\n", "vide"),
        (b"a;b\n1;2\n3", "tronqué"),
        (b"a;b\n1\x00;2\n", "UTF-8 ou Windows-1252"),
        ("a;b\nÉ;2\n".encode() + b"\xe9;3\n", "encodage"),
        (b"a;b\n\x81\x8d;2\n", "encodage"),
        (b"a;a\n1;2\n", "même nom"),
        (b"a;;b\n1;2;3\n", "pas de nom"),
    ],
)
def test_a_damaged_csv_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "caf_foyers.csv"
    path.write_bytes(content)
    with pytest.raises(ContractRefusal, match=said) as refusal:
        read_strings(path)
    assert "caf_foyers.csv" in refusal.value.ou


def test_a_csv_cut_anywhere_inside_a_line_is_refused(tmp_path: Path) -> None:
    whole = "personne_id;mois;montant\n" + "".join(f"p{i};2026-06;{i},50\n" for i in range(40))
    content, path = whole.encode(), tmp_path / "t.csv"
    after_header = content.index(b"\n") + 1
    for end in range(after_header + 1, len(content), 7):
        path.write_bytes(content[:end])
        if content[end - 1 : end] != b"\n":
            with pytest.raises(ContractRefusal):
                read_strings(path)


def test_a_parquet_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [str(i) for i in range(500)]}).write_parquet(path)
    content = path.read_bytes()
    for percent in range(1, 100):
        path.write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(ContractRefusal):
            read_strings(path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_parquet_with_altered_bytes_never_takes_the_command_down(tmp_path: Path, seed: int) -> None:
    path, dice = tmp_path / "t.parquet", random.Random(seed)
    pl.DataFrame({"a": [f"personne {i}" for i in range(500)]}).write_parquet(path)
    content = bytearray(path.read_bytes())
    for place in dice.sample(range(4, len(content) // 2), 40):
        content[place] = dice.randrange(256)
    path.write_bytes(bytes(content))
    with pytest.raises(ContractRefusal, match="illisible ou tronqué"):
        read_strings(path)


SLICED = {
    "lines": "a;b\n" + "".join(f"p{i};é{i}\n" for i in range(50)),
    "windows line ends": "a;b\r\n" + "".join(f"p{i};x{i}\r\n" for i in range(50)),
    "old line ends": "a;b\r" + "".join(f"p{i};x{i}\r" for i in range(50)),
    "blank lines": "a;b\n" + "".join(f"p{i};x{i}\n\n" for i in range(50)),
    "wrong lines": "a;b\n" + "".join(f"p{i};x{i}\n" if i % 7 else "trop;de;champs\n" for i in range(50)),
    "quotes": "a;b\n" + "".join(f'p{i};"x;{i}"\n' for i in range(50)),
    "line breaks": "a;b\n" + "".join(f'p{i};"x\n\n{i}"\n' if i % 3 else f"p{i};y\n" for i in range(50)),
    "windows line breaks": "a;b\r\n" + "".join(f'p{i};"x\r\n{i}"\r\n' for i in range(50)),
    "a stray quote": "a;b\n" + "".join(f'p{i};5" x\n' if i == 9 else f'p{i};"y\n{i}"\n' for i in range(50)),
}


@pytest.mark.parametrize("text", SLICED.values(), ids=SLICED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_rows_read_do_not_depend_on_how_the_file_is_cut(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    whole = read_strings(path)
    for size in (1, 7, 64):
        parts = [read_slice(part) for part in slices(path, size)]
        assert pl.concat(parts, how="diagonal").equals(whole)
    assert len(slices(path, 64)) > 3 or "\n" not in text


def test_parquet_rows_do_not_depend_on_how_the_file_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": range(50), "b": [None, "x"] * 25}).write_parquet(path, row_group_size=9)
    parts = [read_slice(part) for part in slices(path, rows=7)]
    assert len(parts) == 8
    assert pl.concat(parts).equals(read_strings(path))


def test_a_nested_parquet_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [[1, 2]]}).write_parquet(path)
    with pytest.raises(ContractRefusal):
        read_strings(path)


_CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=8), separator=st.sampled_from(";,|\t"))
def test_what_polars_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str]], separator: str) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    path = tmp_path / "t.csv"
    frame.write_csv(path, separator=separator, quote_style="always")
    read_back = read_strings(path).select("a", "b").fill_null("")
    assert read_back.rows() == frame.rows()
