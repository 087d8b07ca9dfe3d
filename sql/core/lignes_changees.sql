-- Lignes d'un mois déjà livré que l'extrait $extrait a changées : nouvelles, disparues ou différentes.
-- L'état d'avant est, pour chaque mois, l'extrait antérieur du même partenaire le plus récent qui le porte.
WITH anterieurs AS (
    SELECT extraits.extrait_id, extraits.mois || lpad(CAST(extraits.rang AS VARCHAR), 9, '0') AS ordre
    FROM meta__extraits AS extraits
    JOIN meta__extraits AS utilise USING (partenaire)
    WHERE utilise.extrait_id = $extrait
      AND (extraits.mois < utilise.mois OR (extraits.mois = utilise.mois AND extraits.rang < utilise.rang))
),
porteurs AS (
    SELECT brute.mois, arg_max(extrait_id, anterieurs.ordre) AS extrait_id
    FROM query_table($brute) AS brute
    JOIN anterieurs USING (extrait_id)
    GROUP BY brute.mois
),
avant AS (
    SELECT brute.* EXCLUDE (extrait_id, extrait_mois)
    FROM query_table($brute) AS brute
    JOIN porteurs USING (mois, extrait_id)
),
apres AS (
    SELECT * EXCLUDE (extrait_id, extrait_mois)
    FROM query_table($brute)
    WHERE extrait_id = $extrait AND mois IN (SELECT mois FROM porteurs)
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
