-- Verification answers, one per household of the partner that answered (newest answer of each household).
SELECT v.source, m.menage_base_id,
       last(v.volet ORDER BY v.verifie_le, v.echantillon_id) AS volet,
       last(v.connu_caf ORDER BY v.verifie_le, v.echantillon_id) AS connu_caf,
       last(v.connu_cpam ORDER BY v.verifie_le, v.echantillon_id) AS connu_cpam,
       last(v.connu_msa ORDER BY v.verifie_le, v.echantillon_id) AS connu_msa,
       last(v.eligible_rsa ORDER BY v.verifie_le, v.echantillon_id) AS eligible_rsa,
       last(v.eligible_ppa ORDER BY v.verifie_le, v.echantillon_id) AS eligible_ppa
FROM core__verifications AS v
JOIN core__menages_personnes AS mp ON mp.source = v.source AND mp.personne_id = v.personne_id
    AND mp.instrument = v.source
JOIN core__menages AS m USING (instrument, menage_id)
ANTI JOIN core__situations_opposees AS x ON x.instrument = m.instrument AND x.menage_base_id = m.menage_base_id
GROUP BY ALL
ORDER BY v.source, m.menage_base_id
