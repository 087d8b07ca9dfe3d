-- One row per CPAM household. It is linked as soon as one of its adults is: to a person of a CAF household of the
-- period (est_lie), or to a person paid by the MSA (est_msa; est_msa_ppa is empty as long as the MSA delivers
-- nothing: the Département only knows the RSA). Where it has several CAF households, it is read beside the first.
CREATE OR REPLACE TABLE core__situations_liens AS
WITH lies AS (
    SELECT menage_base_id, min(caf_menage_base_id) AS caf_menage_base_id
    FROM core__situations_paires
    GROUP BY menage_base_id
),
adultes AS (
    SELECT DISTINCT m.menage_base_id, l.personne_uid
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__personnes_liees AS l ON l.source = mp.source AND l.personne_id = mp.personne_id
    WHERE m.instrument = 'cpam' AND mp.role NOT IN ('ENF', 'AUT')
)
SELECT a.menage_base_id, any_value(c.caf_menage_base_id) AS caf_menage_base_id,
       count(c.menage_base_id) > 0 AS est_lie, count(s.personne_uid) > 0 AS est_msa,
       bool_or(coalesce(s.droit = 'rsa', false)) AS est_msa_rsa,
       CASE WHEN EXISTS (FROM core__msa_foyers) THEN bool_or(coalesce(s.droit = 'ppa', false)) END AS est_msa_ppa
FROM adultes AS a
LEFT JOIN lies AS c USING (menage_base_id)
LEFT JOIN core__situations_payes_msa AS s USING (personne_uid)
GROUP BY a.menage_base_id
ORDER BY a.menage_base_id;
