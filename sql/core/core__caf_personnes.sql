-- Personnes des foyers allocataires.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__caf_personnes AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_caf__personnes
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
