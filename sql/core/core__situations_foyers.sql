-- CAF foyer of each CAF household: the one most of its members belong to.
CREATE OR REPLACE TABLE core__situations_foyers AS
WITH membres AS (
    SELECT m.menage_base_id, p.foyer_id, count(DISTINCT mp.personne_id) AS n
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__caf_personnes AS p ON p.personne_id = mp.personne_id AND mp.source = 'caf'
    WHERE m.instrument = 'caf' AND coalesce(p.present_au, $fin) >= $debut
    GROUP BY ALL
)
SELECT menage_base_id, first(foyer_id ORDER BY n DESC, foyer_id) AS foyer_id
FROM membres
GROUP BY menage_base_id
ORDER BY menage_base_id;
