-- The households that are counted, once each: the CPAM reading of linked households (L) stays aside.
CREATE OR REPLACE TABLE core__situations AS
SELECT menage_base_id, l.strate, l.droit, l.eligible, l.situation, l.motif, l.montant_non_reclame_eur_mois, l.poids,
       m.commune_insee, m.regroupement, m.bande_age, m.a_c2s, m.est_rurale, m.age_reference, m.type_menage, m.logement,
       m.travail, m.regle, m.est_lie
FROM core__situations_lues AS l
JOIN core__situations_menages AS m USING (instrument, menage_base_id)
WHERE l.strate <> 'L'
ORDER BY l.strate, menage_base_id, l.droit;
