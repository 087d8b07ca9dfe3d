-- The households that are counted, once each: the CPAM reading of linked households (L) stays aside.
CREATE OR REPLACE TABLE core__situations AS
SELECT menage_base_id, strate, droit, eligible, situation, motif, montant_non_reclame_eur_mois, poids,
       commune_insee, regroupement, bande_age, a_c2s, est_rurale, age_reference, type_menage, logement, travail,
       regle, est_lie
FROM core__situations_lues
WHERE strate <> 'L'
ORDER BY strate, menage_base_id, droit;
