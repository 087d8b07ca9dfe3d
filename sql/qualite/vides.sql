-- Part de cellules vides, colonne par colonne, dans un extrait : une ligne, une colonne par colonne.
SELECT avg(CAST(COLUMNS(* EXCLUDE (extrait_id, extrait_mois)) IS NULL AS DOUBLE)) AS '\0'
FROM query_table($brute)
WHERE extrait_id = $extrait
