-- Enfants rattachés, une ligne par enfant et par assuré.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__cpam_rattachements AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_cpam__rattachements
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
