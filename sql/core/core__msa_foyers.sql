-- Foyers allocataires, par mois : logement, prestations, dossiers RSA et prime d'activité. Livré par la MSA.
-- Un mois livré de nouveau remplace le précédent : pour chaque mois, l'extrait le plus récent qui le porte.
CREATE OR REPLACE TABLE core__msa_foyers AS
SELECT * EXCLUDE (extrait_id, extrait_mois)
FROM raw_msa__foyers
WHERE list_contains($extraits, extrait_id)
QUALIFY list_position($extraits, extrait_id) = max(list_position($extraits, extrait_id)) OVER (PARTITION BY mois)
ORDER BY ALL;
