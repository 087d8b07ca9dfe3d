-- Lignes acceptées de chaque table, dans l'extrait utilisé et dans le précédent.
SELECT table_contrat, utilise.lignes_acceptees AS lignes, precedent.lignes_acceptees AS lignes_avant
FROM (SELECT * FROM meta__lignes WHERE extrait_id = $extrait) AS utilise
LEFT JOIN (SELECT * FROM meta__lignes WHERE extrait_id = $precedent) AS precedent USING (table_contrat)
ORDER BY table_contrat
