-- CPAM household × CAF household of the period with an adult of the first in the second. One may have several of
-- the other: a couple for the CPAM is sometimes two dossiers for the CAF.
CREATE OR REPLACE TABLE core__situations_paires AS
WITH adultes AS (
    SELECT DISTINCT m.menage_base_id, l.personne_uid
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__personnes_liees AS l ON l.source = mp.source AND l.personne_id = mp.personne_id
    WHERE m.instrument = 'cpam' AND mp.role NOT IN ('ENF', 'AUT')
),
allocataires AS (
    SELECT DISTINCT m.menage_base_id AS caf_menage_base_id, l.personne_uid
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__personnes_liees AS l ON l.source = mp.source AND l.personne_id = mp.personne_id
    WHERE m.instrument = 'caf'
)
SELECT DISTINCT a.menage_base_id, c.caf_menage_base_id
FROM adultes AS a
JOIN allocataires AS c USING (personne_uid)
ORDER BY a.menage_base_id, c.caf_menage_base_id;
