-- Réponses à l'échantillon, une par ménage du partenaire interrogé, des tirages de l'année qui finit au mois estimé.
-- poids_reponse : inverse de la probabilité du tirage, redressé des fiches sans réponse dans chaque strate, puis, pour
-- les strates dont aucune fiche n'a répondu, dans tout le tirage. Les fiches sont additionnées dans un ordre : sinon la
-- dernière décimale, et tous les tirages avec elle, changeraient d'une exécution à l'autre.
WITH fin AS (SELECT max(mois) AS mois FROM core__droits),
reponses AS (
    FROM meta__echantillon_reponses
    QUALIFY row_number() OVER (PARTITION BY echantillon_id ORDER BY verifie_le DESC NULLS LAST, rang DESC) = 1
),
fiches AS (
    SELECT e.*, r.* EXCLUDE (partenaire, echantillon_id),
           CASE e.partenaire WHEN 'caf' THEN r.connu_cpam ELSE r.connu_caf END IS NOT NULL AS est_repondue,
           1 / e.probabilite_tirage AS poids
    FROM meta__echantillon AS e
    CROSS JOIN fin
    LEFT JOIN reponses AS r USING (echantillon_id)
    WHERE e.mois <= fin.mois
      AND date_diff('month', strptime(e.mois || '-01', '%Y-%m-%d'), strptime(fin.mois || '-01', '%Y-%m-%d')) < 12
),
strates AS (
    SELECT *, sum(poids) OVER strate AS tires, sum(poids) FILTER (est_repondue) OVER strate AS repondus,
           sum(poids) OVER tout AS tires_en_tout
    FROM fiches
    WINDOW strate AS (PARTITION BY tirage, partenaire, strate_tirage ORDER BY echantillon_id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
           tout AS (PARTITION BY tirage, partenaire ORDER BY echantillon_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
redressees AS (
    SELECT *, poids * tires / repondus * tires_en_tout
              / sum(poids * tires / repondus) FILTER (est_repondue) OVER tout AS poids_reponse
    FROM strates
    WINDOW tout AS (PARTITION BY tirage, partenaire ORDER BY echantillon_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
menages AS (
    SELECT r.*, m.menage_base_id
    FROM redressees AS r
    JOIN core__menages_personnes AS mp ON mp.source = r.partenaire AND mp.personne_id = r.personne_id
        AND mp.instrument = r.partenaire
    JOIN core__menages AS m ON m.instrument = mp.instrument AND m.menage_id = mp.menage_id
    ANTI JOIN core__situations_opposees AS x
        ON x.instrument = m.instrument AND x.menage_base_id = m.menage_base_id
    WHERE r.est_repondue
)
SELECT partenaire AS source, menage_base_id, volet, connu_caf, connu_cpam, connu_msa, eligible_rsa, eligible_ppa,
       mode, strate_tirage, poids_reponse
FROM menages
QUALIFY row_number() OVER (
    PARTITION BY partenaire, menage_base_id ORDER BY verifie_le DESC NULLS LAST, rang DESC, echantillon_id) = 1
ORDER BY source, menage_base_id
