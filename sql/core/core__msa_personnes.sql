-- Personnes des foyers allocataires. Livré par la MSA.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__msa_personnes AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_msa__personnes
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
