-- Prestations dues à une personne, par mois. Livré par la MSA.
-- Un mois livré de nouveau remplace le précédent : pour chaque mois, l'extrait le plus récent qui le porte.
CREATE OR REPLACE TABLE core__msa_prestations_personnes AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_msa__prestations_personnes
WHERE list_contains($extraits, extrait_id)
QUALIFY list_position($extraits, extrait_id) = max(list_position($extraits, extrait_id)) OVER (PARTITION BY mois)
ORDER BY ALL;
