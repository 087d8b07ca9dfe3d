-- Foyers de la CAF qui peuvent être tirés, une ligne par adulte, chaque personne une fois. Les strates ne disent que
-- ce que la CAF sait déjà (âge, commune, payé ou non) : tirer les seuls foyers éligibles lui dirait lesquels le sont.
WITH payes AS (
    SELECT menage_base_id, bool_or(est_paye) AS est_paye
    FROM core__situations_dossiers
    GROUP BY menage_base_id
),
eligibles AS (
    SELECT menage_base_id, bool_or(eligible = 'oui') AS est_eligible
    FROM core__situations
    WHERE strate IN ('A1', 'A2') AND droit IN ('rsa', 'ppa')
    GROUP BY menage_base_id
),
cpam AS (
    SELECT caf_menage_base_id AS menage_base_id, min(menage_base_id) AS menage_lie_id
    FROM core__situations_paires
    GROUP BY caf_menage_base_id
)
SELECT DISTINCT s.menage_base_id, mp.personne_id,
       CASE WHEN e.est_eligible THEN 'RAPPEL' ELSE 'TEMOIN' END AS volet,
       CASE WHEN coalesce(p.est_paye, false) THEN 'payé' ELSE 'non payé' END AS profil,
       s.bande_age, t.regroupement, l.menage_lie_id
FROM core__situations_menages AS s
JOIN core__situations_communes AS t ON t.commune_insee = s.commune_insee
JOIN core__menages AS m ON m.instrument = s.instrument AND m.menage_base_id = s.menage_base_id
JOIN core__menages_personnes AS mp ON mp.instrument = m.instrument AND mp.menage_id = m.menage_id
    AND mp.source = 'caf' AND mp.role NOT IN ('ENF', 'AUT')
ANTI JOIN core__personnes_opposees AS x ON x.source = mp.source AND x.personne_id = mp.personne_id
LEFT JOIN core__personnes_liees AS q ON q.source = mp.source AND q.personne_id = mp.personne_id
LEFT JOIN payes AS p ON p.menage_base_id = s.menage_base_id
LEFT JOIN eligibles AS e ON e.menage_base_id = s.menage_base_id
LEFT JOIN cpam AS l ON l.menage_base_id = s.menage_base_id
WHERE s.instrument = 'caf' AND s.bande_age IS NOT NULL
QUALIFY s.menage_base_id = min(s.menage_base_id) OVER (PARTITION BY coalesce(q.personne_uid::VARCHAR, mp.personne_id))
ORDER BY s.menage_base_id, mp.personne_id
