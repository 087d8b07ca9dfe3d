-- Households in which someone opposed to processing: left out of everything that follows, and counted.
-- A CPAM household linked to a household of the CAF is seen there: est_comptee tells each household once.
CREATE OR REPLACE TABLE core__situations_opposees AS
SELECT m.instrument, m.menage_base_id, any_value(m.commune_insee) AS commune_insee,
       m.instrument = 'caf' OR NOT coalesce(bool_or(l.est_lie), false) AS est_comptee
FROM core__menages AS m
JOIN core__menages_personnes AS mp USING (instrument, menage_id)
JOIN core__personnes_opposees AS o ON o.source = mp.source AND o.personne_id = mp.personne_id
LEFT JOIN core__situations_liens AS l ON m.instrument = 'cpam' AND l.menage_base_id = m.menage_base_id
WHERE o.objet <> 'CONTACT'
GROUP BY m.instrument, m.menage_base_id
ORDER BY m.instrument, m.menage_base_id;
