-- Lignes d'un mois déjà livré que l'extrait $extrait a changées : nouvelles, disparues ou différentes.
-- L'état d'avant est, pour chaque mois, l'extrait antérieur du même partenaire le plus récent qui le porte.
WITH avant AS (
    SELECT brute.* EXCLUDE (extrait_id, extrait_mois)
    FROM query_table($brute) AS brute
    JOIN meta__extraits AS extraits USING (extrait_id)
    JOIN meta__extraits AS utilise ON utilise.extrait_id = $extrait
    WHERE (extraits.mois, extraits.rang) < (utilise.mois, utilise.rang)
    QUALIFY row(extraits.mois, extraits.rang) = max(row(extraits.mois, extraits.rang)) OVER (PARTITION BY brute.mois)
),
apres AS (
    SELECT * EXCLUDE (extrait_id, extrait_mois)
    FROM query_table($brute)
    WHERE extrait_id = $extrait AND mois IN (SELECT mois FROM avant)
),
ecarts AS (
    (SELECT * FROM avant WHERE mois IN (SELECT mois FROM apres) EXCEPT SELECT * FROM apres)
    UNION ALL
    (SELECT * FROM apres EXCEPT SELECT * FROM avant)
)
SELECT mois, count(DISTINCT json_extract_string(to_json(ecarts), $cle)) AS lignes_changees
FROM ecarts
GROUP BY mois
ORDER BY mois
