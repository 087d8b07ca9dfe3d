-- Lignes d'une table mensuelle, par mois, dans l'extrait utilisé et dans le précédent.
SELECT
    mois,
    count(*) FILTER (extrait_id = $extrait) AS lignes,
    count(*) FILTER (extrait_id = $precedent) AS lignes_avant
FROM query_table($brute)
WHERE extrait_id IN ($extrait, $precedent)
GROUP BY mois
ORDER BY mois
