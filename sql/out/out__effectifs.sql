-- What is counted, what is left out and why, what each file covers. Households, except
-- oppositions and the persons of the régime agricole.
CREATE OR REPLACE TABLE out__effectifs AS
WITH menages AS (SELECT instrument, menage_base_id, regle, est_lie FROM core__situations_menages),
toutes AS (
    SELECT * FROM core__situations_lues JOIN menages USING (instrument, menage_base_id) WHERE droit IN ('rsa', 'ppa')
),
lues AS (SELECT * FROM toutes WHERE strate <> 'L'),
situations AS (
    SELECT 'situations' AS rubrique, situation AS modalite, droit, sum(poids_menages) AS menages
    FROM lues
    GROUP BY ALL
),
motifs AS (
    SELECT CASE situation WHEN 'inconnu' THEN 'inconnus' WHEN 'en_cours' THEN 'en_cours'
                          WHEN 'desaccord' THEN 'desaccords' WHEN 'parti' THEN 'partis' ELSE 'chemins' END AS rubrique,
           strate || ' ' || coalesce(motif, 'sans_motif') AS modalite, droit, sum(poids_menages) AS menages
    FROM lues
    WHERE situation IN ('inconnu', 'en_cours', 'desaccord', 'parti', 'primaire', 'secondaire')
    GROUP BY ALL
),
strates AS (
    SELECT 'strates' AS rubrique, strate AS modalite, droit, sum(poids_menages) AS menages
    FROM lues
    GROUP BY ALL
),
simulation AS (
    SELECT 'simulation' AS rubrique,
           CASE WHEN l.eligible = 'oui' THEN 'payes_simules_eligibles'
                WHEN l.droit = 'rsa' AND p.menage_id IS NOT NULL THEN 'payes_loin_du_seuil'
                ELSE 'payes_simules_non_eligibles' END AS modalite, l.droit, sum(l.poids_menages) AS menages
    FROM lues AS l
    LEFT JOIN core__payes_loin_du_seuil AS p ON p.menage_id = l.menage_base_id
    WHERE l.strate = 'A1' AND l.est_paye AND l.eligible IN ('oui', 'non')
    GROUP BY ALL
),
regles AS (
    SELECT 'regles_b' AS rubrique, regle AS modalite, NULL AS droit, sum(poids_menages) AS menages
    FROM lues
    WHERE strate = 'B' AND droit = 'rsa'
    GROUP BY ALL
),
couverture AS (
    SELECT 'couverture' AS rubrique,
           CASE WHEN strate IN ('A1', 'A2') THEN CASE WHEN est_lie THEN 'caf_vus_a_la_cpam' ELSE 'caf_seulement' END
                WHEN strate = 'L' THEN 'cpam_vus_a_la_caf' WHEN strate = 'S' THEN 'cpam_payes_par_la_msa'
                ELSE 'cpam_seulement' END AS modalite, NULL AS droit, sum(poids_menages) AS menages
    FROM toutes
    WHERE droit = 'rsa'
    GROUP BY ALL
),
opposees AS (SELECT source, personne_id FROM core__personnes_opposees WHERE objet <> 'CONTACT'),
dossiers_opposes AS (
    SELECT DISTINCT p.dossier_id
    FROM core__departement_personnes AS p
    JOIN opposees AS x ON x.source = 'departement' AND x.personne_id = p.personne_id
),
dossiers AS (
    SELECT 'couverture' AS rubrique, 'departement_dossiers_rsa' AS modalite, NULL AS droit,
           count(DISTINCT d.dossier_id)::DOUBLE AS menages
    FROM core__departement_rsa AS d
    JOIN core__situations_communes AS c USING (commune_insee)
    ANTI JOIN dossiers_opposes AS x USING (dossier_id)
    WHERE d.mois BETWEEN $debut AND $fin
),
msa AS (
    SELECT 'msa' AS rubrique, 'menages_rsa_msa' AS modalite, 'rsa' AS droit,
           count(DISTINCT d.dossier_id)::DOUBLE AS menages
    FROM core__departement_rsa AS d
    JOIN core__situations_communes AS c USING (commune_insee)
    ANTI JOIN dossiers_opposes AS x USING (dossier_id)
    WHERE d.fonorg = 'MSA' AND d.rsa_etat = '2' AND d.rsa_du > 0 AND d.mois BETWEEN $debut AND $fin
    UNION ALL
    SELECT 'msa', 'personnes_regime_agricole', NULL, count(*)::DOUBLE
    FROM core__cpam_assures AS a
    JOIN core__situations_communes AS c USING (commune_insee)
    ANTI JOIN opposees AS x ON x.source = 'cpam' AND x.personne_id = a.personne_id
    WHERE a.regime = 'AG'
),
acc AS (
    SELECT 'logement' AS rubrique, 'proprietaires_accedants_sans_aide' AS modalite, NULL AS droit,
           count(DISTINCT m.menage_base_id)::DOUBLE AS menages
    FROM core__situations_menages AS m
    JOIN core__situations_foyers AS f USING (menage_base_id)
    JOIN core__caf_foyers AS c ON c.foyer_id = f.foyer_id AND c.mois = $fin
    WHERE m.instrument = 'caf' AND c.occlog = 'ACC' AND coalesce(c.aide_logement, 0) = 0
),
retires AS (
    SELECT 'oppositions' AS rubrique,
           CASE instrument WHEN 'caf' THEN 'menages_retires_caf' ELSE 'menages_retires_cpam' END AS modalite,
           NULL AS droit, count(*)::DOUBLE AS menages
    FROM core__situations_opposees
    JOIN core__situations_communes USING (commune_insee)
    WHERE est_comptee
    GROUP BY ALL
),
oppositions AS (
    SELECT 'exclus' AS rubrique, 'oppositions_' || lower(coalesce(objet, 'sans_objet')) AS modalite, NULL AS droit,
           count(*)::DOUBLE AS menages
    FROM core__cellule_oppositions
    GROUP BY ALL
)
SELECT rubrique, modalite, droit, menages::DOUBLE AS menages
FROM (FROM situations UNION ALL FROM motifs UNION ALL FROM strates UNION ALL FROM simulation UNION ALL FROM regles
      UNION ALL FROM couverture
      UNION ALL FROM dossiers UNION ALL FROM msa UNION ALL FROM acc UNION ALL FROM retires
      UNION ALL FROM oppositions)
ORDER BY rubrique, droit, modalite;
