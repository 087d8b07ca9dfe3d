-- Households read for one right. est_sans_prestation: the CAF knows the household and pays it neither RSA nor
-- PPA, nor is about to.
SELECT l.* EXCLUDE (instrument, droit, motif),
       m.commune_insee, m.regroupement, m.est_rurale, m.bande_age, m.a_c2s, m.age_reference, m.n_adultes, m.n_enfants,
       m.type_menage, m.logement, m.travail, m.est_lie, m.est_autre_regime, m.caf_menage_base_id, m.a_revenu_caf,
       p.* EXCLUDE (instrument, menage_base_id)
FROM core__situations_lues AS l
JOIN core__situations_menages AS m USING (instrument, menage_base_id)
JOIN core__situations_profils AS p USING (instrument, menage_base_id)
WHERE l.droit = $droit
ORDER BY l.strate, l.menage_base_id
