-- Part de couples parmi les couples possibles dont les deux adultes sont liés à la CAF : même foyer, demandeur et
-- conjoint. Par genre de paire, ramenée vers l'ensemble (poids de 5 paires).
CREATE OR REPLACE TABLE core__parts_couples AS
WITH paires AS (
    SELECT menage_base_id, any_value(genre) AS genre, min(personne_id) AS g, max(personne_id) AS d
    FROM core__menages_cpam
    WHERE regle = 'couple_possible' AND est_ensemble AND role <> 'ENF'
    GROUP BY menage_base_id
),
allocataires AS (
    SELECT a.personne_id, p.foyer_id
    FROM core__personnes_liees AS a
    JOIN core__personnes_liees AS c ON c.personne_uid = a.personne_uid AND c.source = 'caf'
    JOIN core__caf_personnes AS p ON p.personne_id = c.personne_id
    WHERE a.source = 'cpam' AND p.role IN ('DEM', 'CJT', 'RDO')
      AND coalesce(p.present_du, $mois) <= $mois AND coalesce(p.present_au, $mois) >= $mois
),
liees AS (
    SELECT DISTINCT p.menage_base_id, p.genre, bool_or(g.foyer_id = d.foyer_id) AS est_couple
    FROM paires AS p
    JOIN allocataires AS g ON g.personne_id = p.g
    JOIN allocataires AS d ON d.personne_id = p.d
    GROUP BY ALL
),
ensemble AS (
    SELECT (count_if(est_couple) + 1) / (count(*) + 2) AS part FROM liees
)
SELECT genre, count(l.menage_base_id) AS paires_liees, count_if(l.est_couple) AS couples_lies,
       (count_if(coalesce(l.est_couple, false)) + 5 * any_value(e.part)) / (count(l.menage_base_id) + 5) AS part
FROM (SELECT DISTINCT genre FROM paires) AS k
LEFT JOIN liees AS l USING (genre)
CROSS JOIN ensemble AS e
GROUP BY genre
ORDER BY genre;
