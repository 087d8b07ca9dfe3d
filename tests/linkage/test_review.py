"""Blind review: what is drawn, what is shown, what is kept, what it says of the links."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipelines.linkage import agreement, desk, review
from pipelines.linkage.agreement import Precision, clopper, kappa, precisions
from pipelines.linkage.quality import SCHEMA
from pipelines.refusals import Refusal
from pipelines.settings import Settings, as_toml
from pipelines.warehouse import Warehouse, open_warehouse
from schemas.warehouse_tables import check_table
from tests.linkage.people import settings_in

BEST = (
    "nir:1 date:2 noms:4 prenoms:3 lieu:1 nom_prenom_annee:. nom_prenom_autre_annee:. "
    "nom_prenom_sans_date:. prenom_du_nir:. "
    "commune:3 sexe:1"
)
TWINS = BEST.replace("prenoms:3", "prenoms:0").replace("nir:1", "nir:.")
WEIGHTS = (5.5, 15.5, 25.5, 35.5)
"""What must never reach the screen."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        opened.replace("core__paires", pairs())
        opened.replace("out__qualite_appariement", pl.DataFrame(schema=SCHEMA))
        yield opened


def pairs(each: int = 10) -> pl.DataFrame:
    """Ten links in each band of weight, and ten refused pairs of possible twins."""
    rows = [(weight, True, BEST) for weight in WEIGHTS for _ in range(each)]
    rows += [(4.75, False, TWINS) for _ in range(each)]
    return pl.DataFrame(
        [
            ("caf", f"secret-g-{n}", "cpam", f"secret-d-{n}", weight, 0.987654, motif, "prenom_et_date", kept)
            for n, (weight, kept, motif) in enumerate(rows)
        ],
        schema=[
            "source_g", "personne_id_g", "source_d", "personne_id_d", "poids", "probabilite", "motif",
            "regle", "est_retenue",
        ],
        orient="row",
    )  # fmt: skip


class Reader:
    """A scripted reader, and all that was shown to it."""

    def __init__(self, keys: str) -> None:
        self.keys, self.seen = list(keys), ""

    def ask(self, question: str) -> str:
        self.seen += question
        if not self.keys:
            raise EOFError
        return self.keys.pop(0)

    def say(self, words: str) -> None:
        self.seen += words + "\n"


def read(warehouse: Warehouse, settings: Settings, name: str, keys: str, size: int = 20) -> Reader:
    reader = Reader(keys)
    desk.sit(warehouse, settings, name, size, reader.ask, reader.say)
    return reader


def told(warehouse: Warehouse) -> pl.DataFrame:
    return review.answers(warehouse, review.linkage_mark(warehouse))


def test_each_band_is_drawn_alike_and_refused_pairs_are_a_band(
    warehouse: Warehouse, settings: Settings
) -> None:
    review.sample(warehouse, settings, 20)
    drawn = warehouse.read("meta__relecture_tirage")
    assert dict(drawn.group_by("bande").len().rows()) == dict.fromkeys([*review.BANDS, review.REFUSED], 4)
    assert set(drawn["n"]) == {10}
    check_table("meta__relecture_tirage", drawn)


def test_large_strata_are_drawn_more_and_small_ones_at_least_once(
    warehouse: Warehouse, settings: Settings
) -> None:
    links = pairs(90).filter(poids=35.5)
    warehouse.replace("core__paires", pl.concat([pairs(10).filter(poids=5.5), links]))
    review.sample(warehouse, settings, 40)
    drawn = warehouse.read("meta__relecture_tirage")
    assert dict(drawn.group_by("bande").len().rows()) == {"moins_10": 10, "30_plus": 30}


def test_the_order_of_the_pairs_says_nothing_of_their_band(warehouse: Warehouse, settings: Settings) -> None:
    review.sample(warehouse, settings, 20)
    bands = warehouse.read("meta__relecture_tirage").sort("rang")["bande"].to_list()
    assert sum(one != other for one, other in pairwise(bands)) > len(set(bands))


def test_the_draw_is_the_same_for_every_reader_and_every_day(
    warehouse: Warehouse, settings: Settings
) -> None:
    review.sample(warehouse, settings, 20)
    first = warehouse.read("meta__relecture_tirage")
    review.sample(warehouse, settings, 20)
    assert warehouse.read("meta__relecture_tirage").equals(first)


def test_the_draw_keeps_no_identifier(warehouse: Warehouse, settings: Settings) -> None:
    review.sample(warehouse, settings, 20)
    assert "secret" not in str(warehouse.read("meta__relecture_tirage").rows())


def test_a_pattern_is_told_in_the_words_of_the_model() -> None:
    assert review.in_words(BEST) == (
        "NIR égaux ; date de naissance égale ; un nom égal, au moins à l'oreille ; "
        "premier prénom égal, au moins à l'oreille ; lieu de naissance égal ; "
        "même petite commune ; même sexe"
    )
    assert "absents ou non comparables : NIR ; " in review.in_words(TWINS)
    assert review.in_words(TWINS).endswith("peut-être des jumeaux")


def test_no_score_no_value_and_no_decision_is_shown(warehouse: Warehouse, settings: Settings) -> None:
    seen = read(warehouse, settings, "A", "o" * 20).seen
    forbidden = ["secret", "retenue", "seuil", "moins_10", "0.98", "0,98", "prenom_et_date", "4.75"]
    forbidden += [str(weight) for weight in WEIGHTS] + [str(weight).replace(".", ",") for weight in WEIGHTS]
    assert [word for word in forbidden if word in seen] == []


def test_answers_are_kept_one_by_one_and_a_review_left_resumes_where_it_stopped(
    warehouse: Warehouse, settings: Settings
) -> None:
    read(warehouse, settings, "A", "onxdq")
    assert told(warehouse).sort("rang").select("rang", "reponse").rows() == [(1, "o"), (2, "n"), (3, "d")]
    assert "Paire 4 sur 20" in read(warehouse, settings, "A", "o").seen
    assert "Paire 1 sur 20" in read(warehouse, settings, "B", "q").seen
    check_table("meta__relecture", warehouse.read("meta__relecture"))


def test_another_linkage_is_another_draw(warehouse: Warehouse, settings: Settings) -> None:
    read(warehouse, settings, "A", "o" * 20)
    warehouse.replace("core__paires", pairs(11))
    assert told(warehouse).is_empty()
    assert "Paire 1 sur" in read(warehouse, settings, "A", "q").seen


def test_a_review_before_any_linkage_is_refused(warehouse: Warehouse, settings: Settings) -> None:
    warehouse.replace("core__paires", pairs().head(0))
    with pytest.raises(Refusal, match="Aucune paire à relire"):
        read(warehouse, settings, "A", "")


def test_kappa_is_the_one_computed_by_hand() -> None:
    """Both yes 20, yes and no 5, no and yes 10, both no 15: seen .7, by chance .5, kappa .4."""
    one = pl.Series(["o"] * 25 + ["n"] * 25)
    other = pl.Series(["o"] * 20 + ["n"] * 5 + ["o"] * 10 + ["n"] * 15)
    found = kappa(one, other, ("A", "B"))
    assert (found.n, found.accords) == (50, 35)
    assert found.valeur == pytest.approx(0.4)
    assert (found.bas, found.haut) == pytest.approx((0.146, 0.654), abs=0.001)


def test_exact_intervals_are_those_of_the_tables() -> None:
    assert clopper(1.0, 20) == pytest.approx((0.8316, 1.0), abs=1e-4)
    assert clopper(0.5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert clopper(0.0, 20) == pytest.approx((0.0, 0.1684), abs=1e-4)


def test_the_precision_weighs_each_band_by_its_links() -> None:
    drawn = pl.DataFrame(
        {
            "rang": [1, 2, 3, 4],
            "source_g": ["caf"] * 4,
            "source_d": ["cpam"] * 4,
            "bande": ["moins_10", "moins_10", "30_plus", "30_plus"],
            "n": [10, 10, 90, 90],
        }
    )
    answers = pl.DataFrame({"rang": [1, 2, 3, 4], "lecteur": ["A"] * 4, "reponse": ["o", "n", "o", "o"]})
    by_band = {found.bande: found for found in precisions(drawn, answers)}
    assert (by_band["moins_10"].valeur, by_band["30_plus"].valeur) == (0.5, 1.0)
    assert by_band["ensemble"].valeur == pytest.approx(0.95)
    assert by_band["ensemble"].liens == 100


def test_a_doubt_is_wrong_at_one_end_and_right_at_the_other() -> None:
    drawn = pl.DataFrame(
        {"rang": range(1, 11), "source_g": "caf", "source_d": "cpam", "bande": "30_plus", "n": 10},
        schema_overrides={"rang": pl.Int64},
    )
    answers = pl.DataFrame({"rang": range(1, 11), "lecteur": ["A"] * 10, "reponse": ["o"] * 8 + ["d"] * 2})
    found: Precision = precisions(drawn, answers)[0]
    assert found.valeur == pytest.approx(0.9)
    assert (found.bas, found.haut) == pytest.approx((clopper(0.8, 10)[0], 1.0))


def test_the_referee_settles_disagreements_and_sees_nothing_else(
    warehouse: Warehouse, settings: Settings
) -> None:
    read(warehouse, settings, "A", "o" * 20)
    read(warehouse, settings, "B", "o" * 18 + "nn")
    reader = read(warehouse, settings, review.REFEREE, "on")
    assert reader.seen.count("Paire ") == 2
    assert agreement.settled(told(warehouse)).filter(reponse="n").height == 1


def test_the_result_goes_to_the_quality_of_the_linkage(warehouse: Warehouse, settings: Settings) -> None:
    read(warehouse, settings, "A", "o" * 20)
    read(warehouse, settings, "B", "o" * 20)
    shown = Reader("")
    desk.report(warehouse, shown.say)
    quality = warehouse.read("out__qualite_appariement").filter(mesure="precision_relue")
    assert quality.filter(classe="ensemble")["valeur"].to_list() == [1.0]
    assert quality.filter(classe="poids").height == len(review.BANDS)
    assert "Accord de A et B : 20 paires sur 20" in shown.seen
    check_table("out__qualite_appariement", warehouse.read("out__qualite_appariement"))


def test_a_result_before_any_answer_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(Refusal, match="Personne n'a encore relu"):
        desk.report(warehouse, print)


def test_the_command_reads_the_keys_of_a_terminal_and_survives_a_kill(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"demonstration": True})
    (tmp_path / "nonrecours.toml").write_text(as_toml(settings), encoding="utf-8")
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        opened.replace("core__paires", pairs())
    typing, keys = os.pipe()
    process = subprocess.Popen(_command(tmp_path), stdin=typing, stdout=subprocess.PIPE, text=True)
    os.write(keys, b"o\nn\n")
    assert process.stdout is not None
    _read_until(process.stdout, "Paire 3 sur")
    process.kill()
    process.communicate()
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        assert told(opened).sort("rang")["reponse"].to_list() == ["o", "n"]


def _command(folder: Path) -> list[str]:
    program = "import sys; from pipelines.cli import run; sys.exit(run(sys.argv[1:]))"
    return [
        sys.executable, "-u", "-c", program, "relire", "--lecteur", "A", "--taille", "20",
        "--reglages", str(folder / "nonrecours.toml"),
    ]  # fmt: skip


def _read_until(lines: Iterator[str], words: str) -> None:
    for line in lines:
        if words in line:
            return
    raise AssertionError(words)
