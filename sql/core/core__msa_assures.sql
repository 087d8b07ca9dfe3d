-- Assurés, avec leur complémentaire santé solidaire. Livré par la MSA.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__msa_assures AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_msa__assures
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
