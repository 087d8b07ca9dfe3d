-- Part de personnes qui ont chaque jeton, dans l'extrait utilisé et dans le précédent.
SELECT
    table_contrat,
    colonne,
    1 - utilise.lignes_vides / utilise.lignes AS part,
    1 - precedent.lignes_vides / precedent.lignes AS part_avant
FROM (SELECT * FROM meta__jetons WHERE extrait_id = $extrait AND lignes > 0) AS utilise
LEFT JOIN (SELECT * FROM meta__jetons WHERE extrait_id = $precedent AND lignes > 0) AS precedent
    USING (table_contrat, colonne)
ORDER BY ALL
