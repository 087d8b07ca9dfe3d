-- Prestations dues à une personne, par mois.
-- Un mois livré de nouveau remplace le précédent : pour chaque mois, l'extrait le plus récent qui le porte.
CREATE OR REPLACE TABLE core__caf_prestations_personnes AS
WITH porteurs AS (
    SELECT mois, max(list_position($extraits, extrait_id)) AS rang
    FROM raw_caf__prestations_personnes
    WHERE list_contains($extraits, extrait_id)
    GROUP BY mois
)
SELECT brute.* EXCLUDE (extrait_id, extrait_mois)
FROM raw_caf__prestations_personnes AS brute
JOIN porteurs ON porteurs.mois = brute.mois AND porteurs.rang = list_position($extraits, brute.extrait_id)
ORDER BY brute.personne_id, brute.mois;
