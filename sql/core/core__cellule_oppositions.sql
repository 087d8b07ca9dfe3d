-- Oppositions au traitement ou au contact ; la ligne est numérotée à la source.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__cellule_oppositions AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_cellule__oppositions
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
