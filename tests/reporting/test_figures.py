"""From the tables to the published figures, their sentences and their editions."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from month_by_hand import ISSUED, MOIS, fill, groupings, path_of, profile, rate, totals

from pipelines import disclosure, reporting
from pipelines.refusals import Refusal
from pipelines.reporting import charts, phrases
from pipelines.reporting.figures import Figures
from pipelines.reporting.nombres import NARROW
from pipelines.reporting.stage import published
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse


@pytest.fixture
def figures(warehouse: Warehouse, settings: Settings) -> Figures:
    return published(warehouse, settings, MOIS)


def remade(warehouse: Warehouse, settings: Settings, before: float) -> Figures:
    fill(warehouse, [*totals(before=before), *groupings(), *profile()])
    disclosure.run(warehouse, settings, MOIS)
    return published(warehouse, settings, MOIS)


def test_published_figures_are_already_rounded(figures: Figures):
    found = figures.right("rsa").corrige
    assert found is not None
    assert (found.eligibles, found.non_recourants, found.taux, found.bas, found.haut) == (
        1645,
        515,
        31,
        27,
        35,
    )
    assert found.euros_mois == 136_000
    assert found.euros_an == 12 * 136_000


def test_the_claim_gives_the_interval_in_words(figures: Figures):
    assert phrases.claim(figures.right("rsa")) == (
        "Entre 27 et 35 ménages sur 100 qui ont droit au RSA ne le touchent pas."
    )


def test_a_change_within_the_noise_is_said_not_to_be_one(figures: Figures):
    change = figures.right("rsa").evolution
    assert change is not None
    assert change.est_bruit
    assert "on ne peut pas dire que la situation a changé" in phrases.change(figures.right("rsa"))


def test_a_change_beyond_the_noise_is_said_to_be_one(warehouse: Warehouse, settings: Settings):
    right = remade(warehouse, settings, before=0.20).right("rsa")
    assert "la hausse est très probablement réelle" in phrases.change(right)


def test_without_an_earlier_quarter_nothing_is_compared(figures: Figures):
    assert figures.right("rsa_et_ppa").evolution is None
    assert "pas encore de trimestre précédent" in phrases.change(figures.right("rsa_et_ppa"))


def test_fifty_and_over_is_always_in_the_profile(warehouse: Warehouse, settings: Settings):
    fill(warehouse, totals())
    disclosure.run(warehouse, settings, MOIS)
    found = published(warehouse, settings, MOIS)
    assert [group.code for dimension in found.profil for group in dimension.groupes] == ["age:50+"]
    assert "secret statistique" in phrases.over_fifty(found, "rsa")


def test_farmers_are_not_measurable_without_the_msa(figures: Figures):
    assert phrases.farmers(figures).startswith("Non mesurable : la MSA ne participe pas.")


def test_a_grouping_without_a_row_is_hidden_like_the_others(warehouse: Warehouse, settings: Settings):
    fill(warehouse, [*totals(), *groupings()[:3]])
    disclosure.run(warehouse, settings, MOIS)
    found = published(warehouse, settings, MOIS)
    assert len(found.lieux) == 7
    assert sum(place.taux["rsa"] is None for place in found.lieux) == 4


def test_a_rate_that_could_not_be_corrected_is_published_as_observed(
    warehouse: Warehouse, settings: Settings
):
    fill(warehouse, [rate(1391, 0.214, None, methode="observe", droit=d) for d in ("rsa", "ppa")])
    disclosure.run(warehouse, settings, MOIS)
    right = published(warehouse, settings, MOIS).right("rsa")
    assert not right.est_corrige
    assert phrases.claim(right).startswith("Environ 21 ménages sur 100")


def test_the_same_figures_keep_their_edition_their_date_and_their_bytes(
    warehouse: Warehouse, settings: Settings
):
    reporting.run(warehouse, settings, MOIS, emis_le=ISSUED)
    first = path_of(settings).read_bytes()
    counts = reporting.run(warehouse, settings, MOIS)
    assert counts["edition"] == 1
    assert path_of(settings).read_bytes() == first


def test_other_figures_make_a_revised_edition_and_the_earlier_one_is_kept(
    warehouse: Warehouse, settings: Settings
):
    reporting.run(warehouse, settings, MOIS, emis_le=ISSUED)
    first = path_of(settings).read_bytes()
    rows = [row | {"taux": 0.35} if row["methode"] == "corrige" else row for row in totals()]
    fill(warehouse, rows)
    disclosure.run(warehouse, settings, MOIS)
    assert reporting.run(warehouse, settings, MOIS, emis_le=date(2026, 10, 1))["edition"] == 2
    page = path_of(settings).read_text(encoding="utf-8")
    assert "Révisé." in page
    assert "l’édition 1 du 30\u00a0juillet 2026 donnait" in page
    assert path_of(settings).with_name("rapport-edition-1.html").read_bytes() == first


def test_a_report_without_disclosure_control_is_refused(warehouse: Warehouse, settings: Settings):
    with pytest.raises(Refusal, match="secret statistique"):
        reporting.run(warehouse, settings, "2026-09")


def test_the_report_says_how_many_more_answers_would_narrow_the_interval(figures: Figures):
    said = [phrases.verification(need) for need in figures.verifications]
    assert said[0].startswith("RSA : environ 625 dossiers vérifiés de plus")
    assert said[1].startswith("Prime d'activité : même des milliers de réponses")


def test_parameters_are_those_of_the_two_headline_rights(figures: Figures):
    assert {parameter.droit for parameter in figures.parametres} == {"rsa", ""}
    assert "verifications_manquantes" not in {parameter.nom for parameter in figures.parametres}


def test_the_share_of_paid_households_found_again_is_the_first_figure_of_quality(figures: Figures):
    assert phrases.recovered(figures) == (
        "Première mesure de qualité : des ménages payés dont les ressources sont connues, le calcul retrouve "
        f"éligibles 93{NARROW}% (RSA)."
    )


def test_the_households_no_rate_counts_are_listed_apart(figures: Figures):
    assert [(c.modalite, c.menages) for c in phrases.left_out(figures)] == [
        ("oppositions_contact", 10),
        ("desaccord", None),
        ("en_cours", 75),
        ("inconnu", 215),
        ("parti", None),
    ]


def test_a_dimension_entirely_hidden_is_drawn_on_the_scale_of_the_others(figures: Figures):
    dimension = figures.profil[0]
    hidden = tuple(replace(group, taux={"rsa": None, "ppa": None}) for group in dimension.groupes)
    sizes = [
        charts.profile(drawn, "rsa", figures.right("rsa").principal).split('viewBox="0 0 ')[1].split()[0]
        for drawn in (dimension, replace(dimension, groupes=hidden))
    ]
    assert abs(float(sizes[0]) - float(sizes[1])) < 12


def test_errors_of_the_linkage_are_told_by_class_out_of_ten_thousand(figures: Figures):
    told = {q.code: (q.manquees, q.a_tort) for q in figures.qualite_classes}
    assert told["ensemble:ensemble"] == ((90, 150), None)
    assert told["age:50_64"] == ((40, 187), None)


def test_a_class_of_few_linked_persons_is_hidden_with_company(warehouse: Warehouse, settings: Settings):
    quality = warehouse.read("out__qualite_appariement")
    few = pl.when(pl.col("modalite") == "65_plus", pl.col("mesure") == "liens").then(3.0).otherwise("valeur")
    warehouse.replace("out__qualite_appariement", quality.with_columns(valeur=few))
    disclosure.run(warehouse, settings, MOIS)
    told = published(warehouse, settings, MOIS).qualite_classes
    assert [q.code for q in told] == ["ensemble:ensemble"]


def test_where_it_stops_and_how_long_it_lasts_is_said_in_words(figures: Figures):
    said = phrases.path_seen(figures, "rsa")
    assert said.startswith("RSA : sur 100 ménages éligibles, entre 23 et 28 n'ont jamais rien demandé")
    assert phrases.lasting(figures, "rsa") == (
        "RSA : entre 17 et 21 ménages éligibles sur 100 s'en passent depuis trois trimestres. Parmi ceux qui "
        "n'en bénéficiaient pas au trimestre d'avant, environ 15 ménages connus de la CAF l'ont obtenu au "
        "trimestre suivant."
    )


def test_only_groups_published_for_france_and_shown_here_are_compared(figures: Figures):
    compared = {group.code: group.france_2018 for group in figures.comparaison}
    assert compared == {
        "aide_logement:oui": 18,
        "aide_logement:non": 57,
        "logement:proprietaire": 61,
        "menage:parent_seul": 16,
        "menage:couple_sans_enfant": 49,
    }
    assert "sans aide au logement (au-dessus)" in phrases.comparison_seen(figures)


def test_what_the_caf_pays_besides_has_no_section_of_its_own(figures: Figures):
    assert {d.code for d in figures.profil} == {"age", "menage", "logement", "c2s", "distance"}


def test_communes_are_told_inside_the_groupings_that_have_several(figures: Figures):
    assert [(p.nom, p.regroupement) for p in figures.parties] == [
        ("Montréjeau", "Montréjeau"),
        ("Autres communes, Montréjeau", "Montréjeau"),
        ("Saint-Gaudens", "Saint-Gaudens"),
        ("Autres communes, Saint-Gaudens", "Saint-Gaudens"),
    ]
    assert figures.parties[0].taux["rsa"] is not None


def test_a_ratio_is_told_with_its_interval_and_whether_it_is_clear(figures: Figures):
    told = {name: (r.reference, r.rapport, r.est_net) for name, r in phrases.sharper(figures, "rsa")}
    assert told == {
        "Propriétaires": ("Locataires", 2.4, True),
        "Hébergés gratuitement": ("Locataires", 1.6, False),
    }
