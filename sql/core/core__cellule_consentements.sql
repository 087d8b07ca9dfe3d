-- Consentements à être rappelé, une ligne par événement.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__cellule_consentements AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_cellule__consentements
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
