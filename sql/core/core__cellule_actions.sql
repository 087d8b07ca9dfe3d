-- Actions d'aller-vers.
-- Ce qui a été livré une fois reste ; la version la plus récente de chaque ligne l'emporte.
CREATE OR REPLACE TABLE core__cellule_actions AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_cellule__actions
WHERE list_contains($extraits, extrait_id)
QUALIFY list_position($extraits, extrait_id)
    = max(list_position($extraits, extrait_id)) OVER (PARTITION BY action_id)
ORDER BY ALL;
