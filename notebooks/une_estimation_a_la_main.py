"""One corrected rate taken apart term by term, on the territory's own counts: aggregates only, never an id.

Opened by the analyst: ``marimo run notebooks/une_estimation_a_la_main.py``. Settings come from
``NONRECOURS_REGLAGES`` (nonrecours.toml by default). The formulas are those of docs/methode.md; the last line
found by hand is the published one.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Une estimation à la main")


@app.cell
def _():
    from dataclasses import replace

    import altair as alt
    import duckdb
    import marimo as mo
    import numpy as np
    import polars as pl

    from pipelines import roles
    from pipelines.calendar import last_month, month_number
    from pipelines.estimation import entitlement, estimator
    from pipelines.estimation.classes import of_band
    from pipelines.estimation.evidence import evidence, sensitivity
    from pipelines.estimation.reading import RIGHTS, read
    from pipelines.refusals import Refusal
    from pipelines.reporting import labels
    from pipelines.warehouse import Warehouse

    return (
        RIGHTS, Refusal, Warehouse, alt, duckdb, entitlement, estimator, evidence,
        labels, last_month, mo, month_number, np, of_band, pl, read, replace, roles, sensitivity,
    )  # fmt: skip


@app.cell
def _(mo):
    mo.md(
        """
        # Une estimation à la main

        Chaque terme du taux corrigé, calculé sous vos yeux sur les comptes du territoire, jusqu'au chiffre
        publié. Les formules sont dans `docs/methode.md`. **Ces comptes ne sont pas passés par le secret
        statistique : ils restent au service.**
        """
    )
    return


@app.cell
def _(Refusal, mo, roles):
    def reglages_lus():
        try:
            return roles.settings_of("analyse")
        except Refusal as refus:
            mo.stop(True, mo.callout(mo.md(str(refus)), kind="danger"))

    reglages = reglages_lus()
    return (reglages,)


@app.cell
def _(RIGHTS, labels, mo):
    droit = mo.ui.dropdown(
        {labels.label("droits", code): code for code in RIGHTS},
        value=labels.label("droits", RIGHTS[0]),
        label="Droit",
    )
    droit
    return (droit,)


@app.cell
def _(Warehouse, droit, duckdb, evidence, mo, pl, read, reglages, sensitivity):
    def lu_dans_l_entrepot(code):
        """The evidence of one right and its published rate, the warehouse being open while they are read."""
        try:
            connection = duckdb.connect(str(reglages.dossiers.entrepot), read_only=True)
        except duckdb.IOException:
            mo.stop(
                True,
                mo.callout(
                    mo.md(
                        "**L'entrepôt n'existe pas encore, ou une exécution le tient.** Voir `nonrecours "
                        "etat`, puis relancer les cellules."
                    ),
                    kind="warn",
                ),
            )
        with connection:
            entrepot = Warehouse(connection)
            lecture = read(entrepot, code)
            se, _ = sensitivity(lecture)
            comptes = evidence(lecture, entrepot.read("out__qualite_appariement"), se)
            taux = entrepot.read("out__taux").filter(
                pl.col("periode") == pl.col("periode").max(),
                droit=code, niveau="EPCI", groupe="ensemble", methode="corrige",
            )  # fmt: skip
        return comptes, taux

    preuves, publie = lu_dans_l_entrepot(droit.value)
    mo.stop(publie.is_empty(), mo.callout(mo.md("**Ce droit n'a pas de taux corrigé.**"), kind="warn"))
    return preuves, publie


@app.cell
def _(estimator, preuves):
    parametres = estimator.central_parameters(preuves)
    return (parametres,)


@app.cell
def _(pl):
    def tableau(lignes, titre):
        """Two columns, numbers rounded: a name and what it is worth."""
        return pl.DataFrame(lignes, schema=[titre, "Ménages"], orient="row").with_columns(
            pl.col("Ménages").cast(pl.Float64).round(1)
        )

    def pour_cent(part):
        return f"{100 * part:.1f}".replace(".", ",")

    return pour_cent, tableau


@app.cell
def _(estimator, mo, pour_cent, preuves, tableau):
    observes = estimator.observed_counts(preuves)
    naifs = estimator.naive_counts(preuves)
    mo.vstack(
        [
            mo.md("## 1. Ce que voit la CAF, et ce que donnerait un simple rapprochement"),
            tableau(
                [
                    ("recourants de A1 : payés, droit calculé", preuves.takers_a1),
                    ("non recourants de A1 : droit calculé, rien de payé", preuves.nontakers_a1),
                    ("U : vus à la CPAM, non liés, éligibles sur ses données", preuves.u.sum()),
                ],
                "Ce qui est dénombré",
            ),
            mo.md(
                f"Observé : {pour_cent(observes[0] / max(observes[1], 1))} pour 100. "
                f"Naïf, en ajoutant U tel quel : {pour_cent(naifs[0] / max(naifs[1], 1))} pour 100."
            ),
        ]
    )
    return


@app.cell
def _(mo, of_band, parametres, preuves, tableau):
    rappel, faux = of_band(parametres.recall)[0], of_band(parametres.absent)[0]
    manques = preuves.t * (1 - rappel) / rappel
    mo.vstack(
        [
            mo.md(
                """
                ## 2. Les liens manqués

                Parmi U, des ménages que la CAF connaît et que l'appariement a manqués. On les compte sur T,
                les ménages *liés* éligibles sur les mêmes données : quand R ménages sur 100 sont liés,
                T·(1 − R)/R ne l'ont pas été.
                """
            ),
            tableau(
                [
                    ("U", preuves.u.sum()),
                    ("T", preuves.t.sum()),
                    ("liens manqués, T·(1 − R)/R", manques.sum()),
                    ("U moins les liens manqués", (preuves.u - manques).sum()),
                ],
                "Terme",
            ),
        ]
    )
    return faux, manques, rappel


@app.cell
def _(estimator, faux, manques, mo, parametres, preuves, rappel, tableau):
    par_revenus = estimator.spread((preuves.u - manques)[None, :] * parametres.kappa / (1 - faux / rappel))[0]
    mo.vstack(
        [
            mo.md(
                """
                ## 3. L'instrument et les faux liens

                κ dit combien valent les éligibilités vues par la CPAM : parmi les ménages liés que la CAF ne
                paie pas, combien sont éligibles selon la CAF. Les faux liens, eux, ont caché des ménages
                absents de la CAF.
                """
            ),
            tableau(
                [
                    ("U moins les liens manqués", (preuves.u - manques).sum()),
                    ("× κ", ((preuves.u - manques) * parametres.kappa[0]).sum()),
                    ("absents de la CAF, revenus connus à la CPAM", par_revenus.sum()),
                ],
                "Terme",
            ),
        ]
    )
    return (par_revenus,)


@app.cell
def _(entitlement, estimator, faux, mo, of_band, parametres, preuves, tableau):
    connus = of_band(parametres.known)[0]
    absents = preuves.unknown - (preuves.unknown_linked - faux * preuves.unknown) / (connus - faux)
    chances = entitlement.probability(parametres.outside)[0]
    par_classes = estimator.spread((absents * chances)[None, :])[0]
    mo.vstack(
        [
            mo.md(
                """
                ## 4. Là où la CPAM ne connaît pas les revenus

                On compte les ménages absents de la CAF, classe par classe (âge × C2S × rural), puis on les
                multiplie par la probabilité π d'être éligible de la classe.
                """
            ),
            tableau(
                [
                    ("ménages de la CPAM sans revenus connus", preuves.unknown.sum()),
                    ("dont absents de la CAF", absents.sum()),
                    ("dont éligibles, Σ B·π", par_classes.sum()),
                ],
                "Terme",
            ),
        ]
    )
    return (par_classes,)


@app.cell
def _(entitlement, mo, par_classes, par_revenus, parametres, preuves, tableau):
    couverture = float(parametres.coverage[0])
    hors_caf = (par_revenus.sum() + par_classes.sum()) * (1 + float(parametres.absence[0]))
    sans_revenus = float(
        (preuves.a2_found * parametres.kappa_a2[0]).sum()
        + (preuves.a2 * entitlement.probability(parametres.a2)[0]).sum()
    )
    mo.vstack(
        [
            mo.md(
                """
                ## 5. Ceux que la CPAM ne voit pas, et ceux dont la CAF ignore les revenus

                X = X_B / cov ajoute les ménages absents des deux fichiers. A2 est au fichier CAF, rien ne lui
                est payé, et ses revenus n'y sont pas : sa part d'éligibles vient des mêmes modèles.
                """
            ),
            tableau(
                [("X_B", par_revenus.sum() + par_classes.sum()), ("X", hors_caf), ("A2", sans_revenus)],
                "Terme",
            ),
            mo.md(f"cov = {couverture:.3f}".replace(".", ",")),
        ]
    )
    return couverture, hors_caf, sans_revenus


@app.cell
def _(couverture, hors_caf, mo, pour_cent, preuves, sans_revenus, tableau):
    non_recourants = preuves.nontakers_a1 + sans_revenus + hors_caf
    recourants = preuves.takers_a1 + preuves.takers_a2 + preuves.s / couverture
    taux_a_la_main = non_recourants / (non_recourants + recourants)
    mo.vstack(
        [
            mo.md("## 6. Le taux, chaque inconnue étant au centre de sa loi"),
            tableau(
                [
                    ("non recourants : A1 + A2 + X", non_recourants),
                    ("recourants : A1 + A2 + S/cov", recourants),
                ],
                "Terme",
            ),
            mo.md(f"À la main : **{pour_cent(taux_a_la_main)} pour 100**."),
        ]
    )
    return (taux_a_la_main,)


@app.cell
def _(RIGHTS, droit, estimator, last_month, month_number, np, preuves, publie, reglages):
    taux_publie, bas, haut = publie.select("taux", "taux_bas", "taux_haut").row(0)
    _mois = month_number(last_month(publie["periode"][0]))
    _hasard = np.random.default_rng([reglages.estimation.graine, _mois, RIGHTS.index(droit.value)])
    refait = estimator.estimate(preuves, reglages.estimation.tirages, reglages.estimation.niveau, _hasard)
    return bas, haut, refait, taux_publie


@app.cell
def _(alt, bas, haut, mo, pl, pour_cent, refait, taux_a_la_main, taux_publie):
    _tires = pl.DataFrame({"taux": 100 * refait.drawn_rate})
    _barres = (
        alt.Chart(_tires)
        .mark_bar(color="#7a5195")
        .encode(
            x=alt.X("taux:Q", bin=alt.Bin(maxbins=40), title="Taux tiré, pour 100"),
            y=alt.Y("count()", title="Tirages"),
        )
        .properties(width=560, height=180)
    )
    _traits = (
        alt.Chart(pl.DataFrame({"taux": [100 * bas, 100 * taux_publie, 100 * haut]}))
        .mark_rule(strokeDash=[4, 4])
        .encode(x="taux:Q")
    )
    mo.vstack(
        [
            mo.md(
                """
                ## 7. L'intervalle, et le chiffre publié

                Tout ce qui n'est pas dénombré est tiré dans sa loi. Le chiffre publié prend la médiane des
                tirages de X et de A2, non leur valeur au centre des paramètres : le centre d'un logit donne
                un peu moins que le milieu d'une probabilité rare. Les traits sont les bornes et le centre.
                """
            ),
            _barres + _traits,
            mo.callout(
                mo.md(
                    f"À la main {pour_cent(taux_a_la_main)}, refait {pour_cent(refait.rate)}, publié "
                    f"**{pour_cent(taux_publie)} pour 100**, entre {pour_cent(bas)} et {pour_cent(haut)}."
                ),
                kind="success" if abs(refait.rate - taux_publie) < 1e-6 else "danger",
            ),
        ]
    )
    return


@app.cell
def _(estimator, np, parametres, preuves, replace):
    def taux_si(**changes):
        """The central rate with some parameters replaced, everything else unchanged."""
        trouves = estimator.missing(preuves, replace(parametres, **changes))
        hors, eligibles = estimator.counts(preuves, trouves)
        return float(hors[0] / eligibles[0])

    def deplacer(part, points):
        return np.clip(part + points / 100, 0.001, 0.999)

    essais = {
        "R plus bas de 3 points": taux_si(recall=deplacer(parametres.recall, -3)),
        "R plus haut de 3 points": taux_si(recall=deplacer(parametres.recall, 3)),
        "aucun lien manqué (R = 1)": taux_si(recall=np.full_like(parametres.recall, 0.999)),
        "aucun faux lien (f = 0)": taux_si(absent=np.zeros_like(parametres.absent)),
        "un faux lien sur vingt (f = 5 %)": taux_si(absent=np.full_like(parametres.absent, 0.05)),
        "les données CPAM prises telles quelles (κ = 1)": taux_si(kappa=np.ones_like(parametres.kappa)),
        "κ plus bas d'un quart": taux_si(kappa=parametres.kappa * 0.75),
        "la CPAM voit tous les absents de la CAF": taux_si(absence=np.zeros_like(parametres.absence)),
        "la CPAM en voit 9 sur 10": taux_si(absence=np.full_like(parametres.absence, 1 / 9)),
        "absents de la CAF plus souvent éligibles (logit + ½)": taux_si(outside=parametres.outside + 0.5),
        "absents de la CAF moins souvent éligibles (logit − ½)": taux_si(outside=parametres.outside - 0.5),
        "A2 plus souvent éligible (logit + ½)": taux_si(a2=parametres.a2 + 0.5),
    }
    return (essais,)


@app.cell
def _(essais, mo, pl, taux_a_la_main):
    sensibilite = pl.DataFrame(
        {
            "Si…": list(essais),
            "Taux, pour 100": [round(100 * taux, 1) for taux in essais.values()],
            "Écart, en points": [round(100 * (taux - taux_a_la_main), 1) for taux in essais.values()],
        }
    )
    mo.vstack([mo.md("## 8. Ce que chaque hypothèse déplace, une à la fois"), sensibilite])
    return (sensibilite,)


if __name__ == "__main__":
    app.run()
