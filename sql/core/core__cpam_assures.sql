-- Assurés, avec leur complémentaire santé solidaire.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__cpam_assures AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_cpam__assures
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
