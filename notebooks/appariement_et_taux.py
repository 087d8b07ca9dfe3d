"""Where people are lost, how sure the links are, what the rate rests on: aggregates only, never an id.

Opened by the analyst: ``marimo edit notebooks/appariement_et_taux.py``. Settings come from
``NONRECOURS_REGLAGES`` (nonrecours.toml by default). The warehouse is opened read-only for each question and
closed at once: an open notebook never stops an execution.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Appariement et taux")


@app.cell
def _():
    from math import log2

    import altair as alt
    import duckdb
    import marimo as mo
    import polars as pl

    from pipelines import roles, territory
    from pipelines.linkage.model import COMPARISONS
    from pipelines.linkage.scoring import is_no_twin
    from pipelines.refusals import Refusal
    from pipelines.reporting import labels

    return (
        COMPARISONS,
        Refusal,
        alt,
        duckdb,
        is_no_twin,
        labels,
        log2,
        mo,
        pl,
        roles,
        territory,
    )


@app.cell
def _(mo):
    mo.md(
        """
        # Appariement et taux

        Pour l'analyste. Cette page lit l'entrepôt et n'y écrit rien. Elle ne contient que des comptes : ni
        identifiant, ni jeton, ni ligne de personne. **Ces comptes ne sont pas passés par le secret
        statistique : ils restent au service.** Ce qui se diffuse est dans le rapport.
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
def _(labels):
    def nommer(genre):
        """A function giving the French name of a code of this kind."""
        return lambda code: labels.label(genre, code)

    noms_sources = {code: labels.label("partenaires", code) for code in labels.codes("partenaires")}
    return nommer, noms_sources


@app.cell
def _(mo):
    def tableau(frame, **options):
        """A table to sort and search; nothing to tick, nothing to download."""
        return mo.ui.table(
            frame,
            selection=None,
            show_download=False,
            show_column_summaries=False,
            show_data_types=False,
            **options,
        )

    return (tableau,)


@app.cell
def _(duckdb, mo, reglages):
    def arret(phrase):
        mo.stop(True, mo.callout(mo.md(phrase), kind="warn"))

    def interroger(sql, **parametres):
        """The rows of a query, the warehouse being open read-only no longer than the query lasts."""
        try:
            entrepot = duckdb.connect(str(reglages.dossiers.entrepot), read_only=True)
        except duckdb.IOException:
            arret(
                "**L'entrepôt est occupé** : une exécution est en cours. Attendre qu'elle finisse "
                "(`nonrecours etat`), puis relancer les cellules."
            )
        with entrepot:
            entrepot.execute("SET enable_external_access = false")
            return entrepot.sql(sql, params=parametres).pl()

    return arret, interroger


@app.cell
def _(arret, interroger, reglages):
    if not reglages.dossiers.entrepot.is_file():
        arret(
            "**L'entrepôt n'existe pas encore.** Lancer `nonrecours executer --mois AAAA-MM`, puis rouvrir "
            "cette page."
        )
    _attendues = {"core__paires", "core__situations_communes", "out__diffusion", "out__parametres_estimation"}
    if _attendues - set(interroger("SELECT table_name FROM duckdb_tables()")["table_name"]):
        arret(
            "**L'entrepôt n'a pas encore de taux** : la dernière exécution s'est arrêtée avant. Voir "
            "`nonrecours etat`, puis relancer `nonrecours executer --mois AAAA-MM`."
        )
    lire = interroger
    return (lire,)


@app.cell
def _(lire):
    periodes = lire("SELECT DISTINCT periode FROM out__taux ORDER BY periode")["periode"].to_list()
    return (periodes,)


@app.cell
def _(lire, mo, periodes):
    _dates = lire("SELECT max(finie_le) AS fin FROM meta__executions WHERE etape = 'appariement'")["fin"]
    _quand = _dates[0].strftime("le %d/%m/%Y à %H h %M (heure UTC)") if _dates[0] else "à une date inconnue"
    mo.md(f"Périodes estimées : {', '.join(periodes)}. Dernier appariement {_quand}.")
    return


@app.cell
def _(mo):
    mo.md(
        """
        ## 1. Où perd-on des personnes ?

        Une personne de la CAF, ou du Département, devrait être connue de la CPAM : son absence est le plus
        souvent un lien manqué. L'inverse n'est pas une perte : une personne de la CPAM absente de la CAF est
        peut-être celle que l'on cherche.
        """
    )
    return


@app.cell
def _(lire, periodes):
    personnes = lire(
        """
        WITH fiches AS (
            SELECT 'caf' AS source, personne_id, sexe, naissance_annee, commune_insee FROM core__caf_personnes
            UNION ALL BY NAME
            SELECT 'departement' AS source, personne_id, sexe, naissance_annee, commune_insee
            FROM core__departement_personnes
            UNION ALL BY NAME
            SELECT 'cpam' AS source, personne_id, sexe, naissance_annee, commune_insee FROM core__cpam_assures
            UNION ALL BY NAME
            SELECT 'msa' AS source, personne_id, sexe, naissance_annee, commune_insee FROM core__msa_assures
        ),
        profils AS (
            SELECT source, personne_id, any_value(sexe) AS sexe, any_value(commune_insee) AS commune_insee,
                   $annee - any_value(naissance_annee) AS age
            FROM fiches GROUP BY source, personne_id
        ),
        sources AS (
            SELECT personne_uid, list(DISTINCT source) AS presentes FROM core__personnes_liees
            GROUP BY personne_uid
        )
        SELECT liee.source, autre.source AS vers,
               CASE WHEN age < 18 THEN 'Moins de 18 ans' WHEN age < 25 THEN '18 à 24 ans'
                    WHEN age < 50 THEN '25 à 49 ans' WHEN age < 65 THEN '50 à 64 ans'
                    WHEN age >= 65 THEN '65 ans et plus' ELSE 'Âge inconnu' END AS "Âge",
               CASE sexe WHEN '1' THEN 'Hommes' WHEN '2' THEN 'Femmes' ELSE 'Sexe inconnu' END AS "Sexe",
               CASE est_rurale WHEN 1 THEN 'Commune rurale' WHEN 0 THEN 'Commune urbaine'
                    ELSE 'Hors du territoire' END AS "Commune",
               list_contains(presentes, autre.source) AS est_trouvee,
               count(*) AS personnes
        FROM core__personnes_liees AS liee
        JOIN sources USING (personne_uid)
        JOIN profils USING (source, personne_id)
        LEFT JOIN core__situations_communes USING (commune_insee)
        JOIN (SELECT DISTINCT source FROM profils) AS autre ON autre.source <> liee.source
        GROUP BY ALL
        """,
        annee=int(periodes[-1][:4]),
    )
    return (personnes,)


@app.cell
def _(mo):
    couronne = mo.ui.switch(label="Compter aussi les personnes hors du territoire (communes limitrophes)")
    couronne
    return (couronne,)


@app.cell
def _(couronne, personnes, pl):
    comptees = personnes.filter(couronne.value or pl.col("Commune") != "Hors du territoire")
    return (comptees,)


@app.cell
def _(pl):
    def retrouvees(comptes, *par):
        """Persons, found, not found and share not found (out of 100), by ``par``."""
        trouvees = pl.col("personnes").filter(pl.col("est_trouvee")).sum()
        return (
            comptes.group_by(*par)
            .agg(personnes=pl.col("personnes").sum(), trouvees=trouvees)
            .with_columns(absentes=pl.col("personnes") - pl.col("trouvees"))
            .with_columns(absentes_pct=(100 * pl.col("absentes") / pl.col("personnes")).round(1))
            .sort(*par)
        )

    return (retrouvees,)


@app.cell
def _(comptees, noms_sources, pl, retrouvees, tableau):
    _bilan = retrouvees(comptees, "source", "vers").with_columns(
        pl.col("source", "vers").replace(noms_sources)
    )
    tableau(
        _bilan.rename(
            {
                "source": "Personnes de",
                "vers": "cherchées à",
                "personnes": "Personnes",
                "trouvees": "Retrouvées",
                "absentes": "Non retrouvées",
                "absentes_pct": "Non retrouvées, pour 100",
            }
        ),
    )
    return


@app.cell
def _(labels, mo, personnes):
    _sens = personnes.select("source", "vers").unique().sort("source", "vers").rows()
    sens = mo.ui.dropdown(
        {" → ".join(labels.label("partenaires", code) for code in couple): couple for couple in _sens},
        value="CAF → CPAM" if ("caf", "cpam") in _sens else None,
        label="Personnes de → cherchées à",
    )
    sens
    return (sens,)


@app.cell
def _(comptees, mo, pl, reglages, retrouvees, sens):
    mo.stop(sens.value is None, mo.md("Choisir deux sources."))
    _source, _vers = sens.value
    _du_sens = comptees.filter((pl.col("source") == _source) & (pl.col("vers") == _vers))
    classes = pl.concat(
        retrouvees(_du_sens, axe).rename({axe: "classe"}).with_columns(axe=pl.lit(axe))
        for axe in ("Âge", "Sexe", "Commune")
    ).filter(pl.col("personnes") >= reglages.publication.seuil)
    return (classes,)


@app.cell
def _(alt, classes, mo, reglages):
    _barres = (
        alt.Chart(classes)
        .mark_bar(color="#7a5195")
        .encode(
            x=alt.X("absentes_pct:Q", title="Personnes non retrouvées, pour 100"),
            y=alt.Y("classe:N", title=None, sort=["Moins de 18 ans"]),
            tooltip=["classe", "personnes", "absentes", "absentes_pct"],
        )
        .properties(width=420)
        .facet(row=alt.Row("axe:N", title=None, sort=["Âge", "Sexe", "Commune"]))
        .resolve_scale(y="independent")
    )
    mo.vstack([_barres, mo.md(f"Les classes de moins de {reglages.publication.seuil} personnes sont tues.")])
    return


@app.cell
def _(mo):
    mo.md(
        """
        ## 2. Quelle confiance dans les liens ?

        Le **poids** d'une paire se compte en bits : un bit de plus double les chances que ce soit la même
        personne. Le trait est le seuil des réglages (`appariement.seuil_probabilite`). Deux bosses bien
        séparées de part et d'autre du trait : le seuil compte peu. Une masse près du trait : il compte.
        """
    )
    return


@app.cell
def _(lire):
    poids = lire(
        """
        SELECT floor(poids) AS poids, if(est_retenue, 'Retenue', 'Écartée') AS paire, count(*) AS paires
        FROM core__paires GROUP BY ALL ORDER BY ALL
        """
    )
    return (poids,)


@app.cell
def _(alt, log2, mo, pl, poids, reglages):
    _p = reglages.appariement.seuil_probabilite
    seuil_poids = log2(_p / (1 - _p))
    _barres = (
        alt.Chart(poids.with_columns(fin=pl.col("poids") + 1))
        .mark_bar()
        .encode(
            x=alt.X("poids:Q", bin="binned", title="Poids de la paire, en bits"),
            x2="fin",
            y=alt.Y("paires:Q", title="Paires", scale=alt.Scale(type="symlog")),
            color=alt.Color("paire:N", title=None, scale=alt.Scale(range=["#bc5090", "#003f5c"])),
            tooltip=["poids", "paire", "paires"],
        )
    )
    _trait = (
        alt.Chart(pl.DataFrame({"seuil": [seuil_poids]})).mark_rule(strokeDash=[4, 4]).encode(x="seuil:Q")
    )
    mo.vstack(
        [
            (_barres + _trait).properties(width=600, height=240),
            mo.md("Échelle resserrée. Les paires de probabilité inférieure à 1 % ne sont pas gardées."),
        ]
    )
    return (seuil_poids,)


@app.cell
def _(lire, nommer, noms_sources, pl, tableau):
    _mesures = lire(
        "SELECT mesure, concat_ws(' – ', source_g, source_d) AS sources, valeur, bas, haut, n "
        "FROM out__qualite_appariement WHERE list_contains($mesures, mesure) AND classe = 'ensemble' "
        "ORDER BY mesure, sources",
        mesures=["liens", "rappel", "rappel_nir_cache", "faux_liens", "nir_contraires_nir_cache"],
    )
    tableau(
        _mesures.with_columns(
            pl.col("mesure").map_elements(nommer("mesures"), return_dtype=pl.String),
            pl.col("sources").str.replace_many(noms_sources),
            pl.col("valeur", "bas", "haut").round(3),
        ),
        label="Qualité estimée sans étiquettes (intervalles à 95 %)",
    )
    return


@app.cell
def _(mo):
    mo.md(
        """
        ## 3. Les paires douteuses

        Par bande de poids autour du seuil : ce qui concorde, ce qui ne concorde pas, et la règle qui a
        rapproché les deux fiches. Une ligne est un schéma, avec le nombre de paires qui le suivent. Se
        demander, sans voir le poids : « avec ces accords-là, dirais-je que c'est la même personne ? »
        """
    )
    return


@app.cell
def _(lire, seuil_poids):
    schemas = lire(
        """
        SELECT CASE WHEN poids < $seuil - 5 THEN '1. bien sous le seuil'
                    WHEN poids < $seuil THEN '2. moins de 5 bits sous le seuil'
                    WHEN poids < $seuil + 5 THEN '3. moins de 5 bits au-dessus'
                    WHEN poids < $seuil + 10 THEN '4. 5 à 10 bits au-dessus'
                    ELSE '5. plus de 10 bits au-dessus' END AS bande,
               concat(source_g, ' – ', source_d) AS sources, motif, regle, est_retenue, count(*) AS paires
        FROM core__paires GROUP BY ALL ORDER BY bande, paires DESC, sources, motif, regle
        """,
        seuil=seuil_poids,
    )
    return (schemas,)


@app.cell
def _(COMPARISONS):
    _niveaux = {
        f"{comparaison.nom}:{len(comparaison.niveaux) - 1 - rang}": niveau.libelle
        for comparaison in COMPARISONS
        for rang, niveau in enumerate(comparaison.niveaux)
    }

    def en_clair(motif):
        """An agreement pattern in words; comparisons on which nothing is known are left out."""
        return " ; ".join(_niveaux[code] for code in motif.split() if code in _niveaux)

    return (en_clair,)


@app.cell
def _(mo, schemas):
    _bandes = schemas["bande"].unique().sort().to_list()
    _proches = [nom for nom in _bandes if nom < "4"] or _bandes
    bande = mo.ui.dropdown(_bandes, value=_proches[-1], label="Bande de poids")
    bande
    return (bande,)


@app.cell
def _(bande, en_clair, noms_sources, pl, schemas, tableau):
    tableau(
        schemas.filter(pl.col("bande") == bande.value).select(
            Paires="paires",
            Retenues=pl.when("est_retenue").then(pl.lit("oui")).otherwise(pl.lit("non")),
            Sources=pl.col("sources").str.replace_many(noms_sources),
            Accords=pl.col("motif").map_elements(en_clair, return_dtype=pl.String),
            Règle=pl.col("regle").str.replace_all("_", " "),
        ),
        wrapped_columns=["Accords"],
    )
    return


@app.cell
def _(mo):
    mo.md(
        """
        ### Quelle règle a trouvé quoi ?

        Deux fiches ne sont comparées que si une règle les rapproche. **Elle seule** : les liens qu'aucune
        autre règle n'aurait vus, perdus si on la retirait. Une règle qui ne trouve rien seule n'est pas
        inutile : les autres suffisaient dans ces fichiers-ci.
        """
    )
    return


@app.cell
def _(arret, lire, noms_sources, pl, tableau):
    if lire("SELECT 1 FROM duckdb_tables() WHERE table_name = 'out__regles_appariement'").is_empty():
        arret(
            "**Les règles n'ont pas été comptées** par le dernier appariement : relancer l'exécution du mois."
        )
    regles = lire("SELECT * FROM out__regles_appariement ORDER BY source_g, source_d, liens DESC, famille")
    tableau(
        regles.select(
            Sources=pl.concat_str("source_g", pl.lit(" – "), "source_d").str.replace_many(noms_sources),
            Règle="famille",
            Liens="liens",
            _seule="liens_seule",
        ).rename({"_seule": "Elle seule"}),
    )
    return (regles,)


@app.cell
def _(mo):
    mo.md(
        """
        ## 4. Et avec un autre seuil ?

        Comptes de paires, **au plus** : une paire perdue ne sépare pas deux personnes liées par une troisième
        source, et une paire gagnée peut être refusée au profit d'une meilleure. Les consentements suivent une
        règle plus stricte et ne sont pas comptés. Le compte exact demande de relancer l'appariement, donc
        d'avoir encore les fichiers d'identité : voir *Régler l'appariement* dans `docs/analyste.md`.
        """
    )
    return


@app.cell
def _(mo, reglages):
    _seuil = reglages.appariement.seuil_probabilite
    seuils = sorted({0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.999999, _seuil})
    curseur = mo.ui.slider(steps=seuils, value=_seuil, show_value=True, label="Probabilité du seuil")
    curseur
    return curseur, seuils


@app.cell
def _(is_no_twin, lire, pl, seuils):
    paires_par_seuil = lire(
        """
        WITH prises AS (
            SELECT DISTINCT une.source, une.personne_id, autre.source AS vers
            FROM core__personnes_liees AS une JOIN core__personnes_liees AS autre USING (personne_uid)
            WHERE une.source <> autre.source
        ),
        paires AS (
            SELECT *, gauche.vers IS NULL AND droite.vers IS NULL
                   AS est_seule
            FROM core__paires AS paire
            LEFT JOIN prises AS gauche ON gauche.source = source_g AND gauche.personne_id = personne_id_g
                AND gauche.vers = source_d
            LEFT JOIN prises AS droite ON droite.source = source_d AND droite.personne_id = personne_id_d
                AND droite.vers = source_g
            WHERE source_g <> 'cellule' AND source_d <> 'cellule'
        )
        SELECT concat(source_g, ' – ', source_d) AS sources, est_retenue, est_seule, motif,
               list_max(list_filter($seuils, lambda s: s <= probabilite)) AS seuil_atteint, count(*) AS paires
        FROM paires WHERE probabilite >= list_min($seuils) GROUP BY ALL
        """,
        seuils=seuils,
    ).with_columns(est_libre=pl.col("est_seule") & is_no_twin(pl.col("motif")))
    return (paires_par_seuil,)


@app.cell
def _(pl):
    def au_seuil(paires, seuil):
        """Pairs retained today, and those lost or gained with another threshold, by couple of sources."""
        atteint = pl.col("seuil_atteint") >= seuil
        retenue = pl.col("est_retenue")
        return (
            paires.group_by("sources")
            .agg(
                aujourd_hui=pl.col("paires").filter(retenue).sum(),
                gardees=pl.col("paires").filter(retenue & atteint).sum(),
                perdues=pl.col("paires").filter(retenue & ~atteint).sum(),
                gagnees=pl.col("paires").filter(~retenue & pl.col("est_libre") & atteint).sum(),
            )
            .sort("sources")
        )

    return (au_seuil,)


@app.cell
def _(au_seuil, curseur, noms_sources, paires_par_seuil, pl, tableau):
    autre_seuil = au_seuil(paires_par_seuil, curseur.value)
    tableau(
        autre_seuil.with_columns(pl.col("sources").str.replace_many(noms_sources)).rename(
            {
                "sources": "Sources",
                "aujourd_hui": "Retenues aujourd'hui",
                "gardees": "Gardées",
                "perdues": "Perdues",
                "gagnees": "Gagnées, au plus",
            }
        ),
    )
    return (autre_seuil,)


@app.cell
def _(mo):
    mo.md(
        """
        ## 5. Les taux

        **Observé** : à la CAF seulement, trop bas. **Naïf** : les ménages non rapprochés comptés tels quels,
        trop haut en général. **Corrigé** : celui à citer, avec son intervalle. Le taux n'est dans le rapport
        que si la colonne *Publié* dit oui.
        """
    )
    return


@app.cell
def _(lire, nommer, pl):
    taux = lire(
        """
        SELECT t.droit, t.niveau, t.code_territoire, t.periode, t.groupe, t.methode, t.forme, t.est_verifie,
               round(t.eligibles, 1) AS eligibles, round(t.non_recourants, 1) AS non_recourants,
               round(100 * t.taux, 1) AS taux, round(100 * t.taux_bas, 1) AS bas,
               round(100 * t.taux_haut, 1) AS haut,
               CASE WHEN d.est_publie THEN 'oui' ELSE concat('non : ', coalesce(d.motif, 'inconnu')) END
                   AS publie
        FROM out__taux AS t
        LEFT JOIN out__diffusion AS d
            USING (droit, niveau, code_territoire, periode, groupe, methode)
        WHERE t.niveau <> 'commune' AND t.taux IS NOT NULL
        ORDER BY ALL
        """
    ).with_columns(
        pl.col("droit").map_elements(nommer("droits"), return_dtype=pl.String).alias("nom_droit"),
        pl.col("methode").map_elements(nommer("methodes"), return_dtype=pl.String),
    )
    return (taux,)


@app.cell
def _(mo, periodes):
    periode = mo.ui.dropdown(periodes, value=periodes[-1], label="Période")
    periode
    return (periode,)


@app.cell
def _(alt):
    def points_et_intervalles(frame, categorie):
        """Rates out of 100 as points, intervals as bars: a line per ``categorie``, a colour per method."""
        couleur = alt.Color(
            "methode:N",
            title=None,
            scale=alt.Scale(
                domain=["corrigé", "naïf", "observé à la CAF"], range=["#003f5c", "#bc5090", "#ffa600"]
            ),
        )
        echelle = alt.X(
            "taux:Q", title="Non-recourants, pour 100 ménages éligibles", scale=alt.Scale(zero=True)
        )
        base = alt.Chart(frame).encode(
            y=alt.Y(f"{categorie}:N", title=None, sort=None), yOffset="methode:N", color=couleur
        )
        points = base.mark_point(filled=True, size=70).encode(
            x=echelle, tooltip=[categorie, "methode", "taux", "bas", "haut", "eligibles", "publie"]
        )
        return (base.mark_rule().encode(x="bas:Q", x2="haut:Q") + points).properties(width=480)

    return (points_et_intervalles,)


@app.cell
def _(mo, periode, pl, points_et_intervalles, tableau, taux):
    ensemble = taux.filter(
        (pl.col("periode") == periode.value) & (pl.col("niveau") == "EPCI") & (pl.col("groupe") == "ensemble")
    )
    mo.vstack(
        [
            points_et_intervalles(ensemble, "nom_droit"),
            tableau(
                ensemble.select(
                    Droit="nom_droit",
                    Méthode="methode",
                    Éligibles="eligibles",
                    Taux="taux",
                    Bas="bas",
                    Haut="haut",
                    Forme="forme",
                    Vérifié=pl.when("est_verifie").then(pl.lit("oui")).otherwise(pl.lit("non")),
                    Publié="publie",
                ),
            ),
        ]
    )
    return


@app.cell
def _(labels, mo, taux):
    _axes = sorted({groupe.split(":")[0] for groupe in taux["groupe"] if ":" in groupe})
    axe = mo.ui.dropdown(
        {labels.label("dimensions", code): code for code in _axes}
        | {"Selon le regroupement": "regroupement"},
        value="Selon le regroupement",
        label="Découper",
    )
    droit = mo.ui.dropdown(
        {labels.label("droits", code): code for code in labels.codes("droits")},
        value=labels.label("droits", "rsa"),
        label="Droit",
    )
    mo.hstack([droit, axe], justify="start")
    return axe, droit


@app.cell
def _(axe, droit, labels, periode, pl, points_et_intervalles, reglages, taux, territory):
    _lieux = dict(territory.load(reglages.territoire).groupings.select("regroupement", "nom").rows())
    _choisis = taux.filter((pl.col("periode") == periode.value) & (pl.col("droit") == droit.value))
    groupes = (
        _choisis.filter(pl.col("niveau") == "regroupement").with_columns(
            nom=pl.col("code_territoire").replace(_lieux)
        )
        if axe.value == "regroupement"
        else _choisis.filter(pl.col("groupe").str.starts_with(f"{axe.value}:")).with_columns(
            nom=pl.col("groupe").map_elements(labels.group_name, return_dtype=pl.String)
        )
    )
    points_et_intervalles(groupes, "nom")
    return (groupes,)


@app.cell
def _(mo):
    mo.md(
        """
        ## 6. Ce qui reste inconnu, et pourquoi

        Un droit inconnu n'est jamais compté comme non réclamé. Les *ressources inconnues* sont estimées par
        classes d'âge, de C2S et de commune ; les autres raisons sortent du champ.
        """
    )
    return


@app.cell
def _(droit, lire, nommer, pl):
    inconnus = lire(
        """
        SELECT strate, motif, round(sum(poids), 1) AS menages
        FROM core__situations WHERE situation = 'inconnu' AND droit = $droit
        GROUP BY strate, motif ORDER BY menages DESC, strate, motif
        """,
        droit=droit.value,
    ).with_columns(
        raison=pl.col("motif").map_elements(nommer("motifs"), return_dtype=pl.String),
        strate=pl.col("strate").map_elements(nommer("strates"), return_dtype=pl.String),
    )
    return (inconnus,)


@app.cell
def _(alt, inconnus, mo):
    mo.stop(inconnus.is_empty(), mo.md("Aucun droit inconnu."))
    alt.Chart(inconnus).mark_bar().encode(
        x=alt.X("menages:Q", title="Ménages dont le droit est inconnu"),
        y=alt.Y("raison:N", title=None, sort="-x"),
        color=alt.Color(
            "strate:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=400)
        ),
        tooltip=["raison", "menages"],
    ).properties(width=480)
    return


@app.cell
def _(mo):
    mo.md(
        """
        ## 7. Ce qui ferait bouger le taux

        L'intervalle tient compte des liens manqués, du modèle et du tirage, pas d'une erreur du calcul des
        droits. La borne ci-dessous dit ce que deviendrait le taux si le calcul accordait des droits à tort.
        """
    )
    return


@app.cell
def _(droit, lire, nommer, pl):
    parametres = lire(
        """
        SELECT nom, round(valeur, 4) AS valeur, round(bas, 4) AS bas, round(haut, 4) AS haut,
               substr(source, length($droit) + 4) AS origine
        FROM out__parametres_estimation WHERE split_part(source, ' ; ', 1) = $droit
        """,
        droit=droit.value,
    ).with_columns(quoi=pl.col("nom").map_elements(nommer("parametres"), return_dtype=pl.String))
    return (parametres,)


@app.cell
def _(alt, droit, ensemble, mo, parametres, pl):
    _bornes = parametres.filter(pl.col("nom").str.starts_with("taux_si")).with_columns(
        taux=100 * pl.col("valeur")
    )
    _corrige = ensemble.filter((pl.col("droit") == droit.value) & (pl.col("methode") == "corrigé"))
    _bande = alt.Chart(_corrige).mark_rect(opacity=0.15).encode(x="bas:Q", x2="haut:Q")
    _points = (
        alt.Chart(_bornes)
        .mark_point(filled=True, size=80)
        .encode(
            x=alt.X(
                "taux:Q", title="Taux corrigé, pour 100 (bande : son intervalle)", scale=alt.Scale(zero=True)
            ),
            y=alt.Y("quoi:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
        )
    )
    mo.vstack([(_bande + _points).properties(width=420, height=110)])
    return


@app.cell
def _(parametres, pl, tableau):
    tableau(
        parametres.filter(~pl.col("nom").str.starts_with("taux_si")).select(
            Paramètre="nom", Quoi="quoi", Valeur="valeur", Bas="bas", Haut="haut", Origine="origine"
        ),
        wrapped_columns=["Quoi", "Origine"],
    )
    return


if __name__ == "__main__":
    app.run()
