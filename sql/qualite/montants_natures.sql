-- Médiane des montants positifs d'un extrait, par nature de ressource.
SELECT natress AS colonne, median(montant) AS mediane, count(*) AS lignes
FROM query_table($brute)
WHERE extrait_id = $extrait AND montant > 0
GROUP BY natress
ORDER BY natress
