-- Indemnités, pensions et ressources mensuelles connues de l'assurance maladie. Livré par la MSA.
-- Un mois livré de nouveau remplace le précédent : pour chaque mois, l'extrait le plus récent qui le porte.
CREATE OR REPLACE TABLE core__msa_ressources AS
WITH porteurs AS (
    SELECT mois, max(list_position($extraits, extrait_id)) AS rang
    FROM raw_msa__ressources
    WHERE list_contains($extraits, extrait_id)
    GROUP BY mois
)
SELECT brute.* EXCLUDE (extrait_id, extrait_mois)
FROM raw_msa__ressources AS brute
JOIN porteurs ON porteurs.mois = brute.mois AND porteurs.rang = list_position($extraits, brute.extrait_id)
ORDER BY brute.personne_id, brute.mois, brute.natress;
