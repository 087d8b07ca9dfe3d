-- Foyers dont un adulte (demandeur ou conjoint) est aussi celui d'un autre foyer, au dernier mois de la période.
WITH presents AS (
    SELECT DISTINCT m.menage_id, m.personne_id
    FROM core__menages_personnes AS m
    JOIN core__caf_foyers AS f ON f.foyer_id = m.menage_id AND f.mois = $mois
    WHERE m.instrument = 'caf' AND m.role IN ('DEM', 'CJT')
)
SELECT DISTINCT menage_id
FROM presents
QUALIFY count(*) OVER (PARTITION BY personne_id) > 1;
