-- Médiane et nombre des montants positifs d'un extrait, prestation par prestation : une ligne.
SELECT median(nullif(COLUMNS(lambda nom: list_contains($colonnes, nom)), 0)) AS 'mediane_\0',
       count(nullif(COLUMNS(lambda nom: list_contains($colonnes, nom)), 0)) AS 'lignes_\0'
FROM query_table($brute)
WHERE extrait_id = $extrait
