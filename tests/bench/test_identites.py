"""Each attack reads an encoding that should fall and not the delivered one; each way encodes as told."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from bench.appariement import attaques, clair, facons, frequences, livre, motifs, recoupements, splink
from bench.appariement.donnees import DataSet, febrl
from bench.appariement.frequences import Knowledge, Named
from pipelines.linkage.workspace import silent_splink

SIZE, PROBES = 6_000, 1_500
UNREADABLE = 0.015
"""One point, and the chance of a draw of fifteen hundred records."""


def way(name: str) -> facons.Way:
    return next(known for known in facons.WAYS if known.nom == name)


@cache
def few() -> pl.DataFrame:
    """A population in ten communes: names come back often enough in a class for an attacker to work."""
    normal = attaques.plain(SIZE)
    place = "31" + (pl.col("fiche") % 10).cast(pl.String).str.zfill(3)
    grouped = normal.with_columns(commune_insee=place)
    return grouped.with_columns(classe=pl.concat_str("sexe", "annee", "commune_insee", separator="|"))


def read(tokens: pl.Series, part: str) -> Named:
    known = few()
    about = Knowledge.of(known[part], known["classe"], known["annee"])
    return frequences.attack(tokens, known[part], known["classe"], known["annee"], about, PROBES, 1)


def text(*parts: str) -> pl.Series:
    wide = few().with_columns(lieu_su=pl.col("lieu").fill_null(""))
    return wide.select(pl.concat_str(parts, separator="|").hash()).to_series()


def filtered(name: str) -> tuple[motifs.Filters, Knowledge]:
    known, chosen = few(), facons.only_birth_names(way(name))
    words = tuple(f"filtre_naissance_{word}" for word in range(chosen.hardening.mots))
    made = facons.encode(known, chosen).select("sel", *words)
    seen = known.select("classe", "annee", vrai="mots_naissance").with_columns(made).drop_nulls(words[0])
    about = Knowledge.of(known["mots_naissance"], known["classe"], known["annee"])
    return motifs.Filters(seen, words), about


@pytest.mark.parametrize("part", ["naissance", "prenom"])
def test_frequency_reads_bare_keyed_names(part: str) -> None:
    assert read(text(part), part).gain > 0.2


@pytest.mark.parametrize(
    ("column", "part"), [(column, part) for column, parts in livre.SOUGHT.items() for part in parts]
)
def test_frequency_does_not_read_the_delivered_tokens(column: str, part: str) -> None:
    assert read(text(*livre.BOUND[column]), part).gain < UNREADABLE


def test_patterns_read_filters_without_salt() -> None:
    assert motifs.attack(*filtered("filtres_sans_sel"), groupes=1, graine=1).avec > 0.9


def test_patterns_do_not_read_the_delivered_filters() -> None:
    found = motifs.attack(*filtered("filtres_date_commune"), groupes=100, graine=1)
    assert found.gain < UNREADABLE


def test_crossing_columns_reads_a_bare_name_with_a_bare_first_name() -> None:
    persons = few().select("classe", "annee", nom="naissance", prenom="prenom", lieu="lieu")
    bare = [
        recoupements.Column(text(part), field) for part, field in (("naissance", "nom"), ("prenom", "prenom"))
    ]
    assert recoupements.attack(persons, bare, 300, 1).gain > 0.2


def test_what_the_attacks_suppose_of_the_delivered_tokens_is_what_is_delivered() -> None:
    """Two records share a delivered token exactly when they share what the attack believes it binds."""
    people = attaques.people(SIZE)
    real, supposed = (
        livre.encode(people),
        attaques.plain(SIZE).with_columns(lieu_su=pl.col("lieu").fill_null("")),
    )
    for column, parts in livre.BOUND.items():
        believed = supposed.select(pl.concat_str(parts, separator="|")).to_series()
        both = pl.DataFrame({"vrai": real[column], "cru": believed})
        assert both["vrai"].is_null().equals(both["cru"].is_null())
        kept = both.drop_nulls()
        assert kept["vrai"].n_unique() == kept["cru"].n_unique() == kept.unique().height


def test_a_salt_separates_the_filters_of_one_name() -> None:
    person = few().head(1)
    other = person.with_columns(date=pl.lit("1901-02-03"))
    for name, same in (("filtres_sans_sel", True), ("filtres_date", False)):
        one, two = (facons.encode(p, way(name))["filtre_naissance_0"].to_list() for p in (person, other))
        assert (one == two) is same


@pytest.mark.parametrize("hardening", list(facons.HARDENINGS))
def test_a_hardened_filter_keeps_its_size_and_its_likeness(hardening: str) -> None:
    known = facons.HARDENINGS[hardening]
    rng = np.random.default_rng(1)
    bits = (rng.random((200, facons.FILTER_BITS)) < 0.2).astype(np.uint8)
    hard = known.apply(bits)
    assert hard.shape == (200, 64 * known.mots)
    common = (known.apply(bits)[:100] & known.apply(np.concatenate([bits[100:], bits[:100]]))[100:]).sum(
        axis=1
    )
    sizes = hard[:100].sum(axis=1) * 2
    assert np.median(2 * common / sizes) >= known.seuil(0.999) - 0.05


def test_clear_text_and_the_delivered_set_link_febrl_alike() -> None:
    data = febrl(1, avec_numero=True)
    with silent_splink():
        clear = splink.judged(_clear_pairs(data), data)
        delivered = splink.judged(livre.linked(data), data)
    assert clear.f1_meilleur > 0.97
    assert delivered.f1_meilleur > clear.f1_meilleur - 0.01


def _clear_pairs(data: DataSet) -> pl.DataFrame:
    return splink.learn_and_score(clair.encode(data.fiches, data.mois), data.sources, clair.MODEL, 1)
