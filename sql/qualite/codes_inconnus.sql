-- Part de codes hors nomenclature, par table et colonne, dans l'extrait utilisé.
SELECT table_contrat, colonne, sum(codes.lignes) / lignes_acceptees AS part
FROM meta__codes_inconnus AS codes
JOIN meta__lignes USING (extrait_id, table_contrat)
WHERE extrait_id = $extrait
GROUP BY table_contrat, colonne, lignes_acceptees
ORDER BY ALL
