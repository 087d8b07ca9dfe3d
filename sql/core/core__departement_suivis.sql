-- Suivis sociaux, par personne et dispositif.
-- L'extrait le plus récent seul : chaque livraison redonne la table entière.
CREATE OR REPLACE TABLE core__departement_suivis AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_departement__suivis
WHERE list_contains($derniers, extrait_id)
ORDER BY ALL;
