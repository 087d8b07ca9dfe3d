-- Réponses d'un partenaire, sur ses propres dossiers, à l'échantillon de vérification.
-- Les réponses s'ajoutent d'un extrait à l'autre ; la plus récente de chaque enregistrement l'emporte.
CREATE OR REPLACE TABLE core__verifications AS
SELECT extraits.partenaire AS source, reponses.* EXCLUDE (extrait_id, extrait_mois)
FROM raw_partenaires__verifications AS reponses
JOIN meta__extraits AS extraits USING (extrait_id)
WHERE list_contains($extraits, extrait_id)
QUALIFY list_position($extraits, extrait_id)
    = max(list_position($extraits, extrait_id)) OVER (PARTITION BY source, echantillon_id)
ORDER BY ALL;
