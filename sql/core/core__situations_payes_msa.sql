-- Persons whose RSA or PPA the MSA pays in the period: the Département's file (fonorg = MSA, RSA only), or the MSA's
-- own extract.
CREATE OR REPLACE TABLE core__situations_payes_msa AS
SELECT l.personne_uid, 'rsa' AS droit
FROM core__departement_rsa AS d
JOIN core__departement_personnes AS p USING (dossier_id)
JOIN core__personnes_liees AS l ON l.source = 'departement' AND l.personne_id = p.personne_id
WHERE d.fonorg = 'MSA' AND d.rsa_etat = '2' AND d.rsa_du > 0 AND d.mois BETWEEN $debut AND $fin
  AND coalesce(p.present_du, $debut) <= $fin AND coalesce(p.present_au, $fin) >= $debut
UNION
SELECT l.personne_uid, v.droit
FROM core__msa_foyers AS f
CROSS JOIN LATERAL (VALUES ('rsa', f.rsa_etat, f.rsa_du), ('ppa', f.ppa_etat, f.ppa_due)) AS v(droit, etat, du)
JOIN core__msa_personnes AS p USING (foyer_id)
JOIN core__personnes_liees AS l ON l.source = 'msa' AND l.personne_id = p.personne_id
WHERE v.etat = '2' AND v.du > 0 AND f.mois BETWEEN $debut AND $fin
  AND coalesce(p.present_du, $debut) <= $fin AND coalesce(p.present_au, $fin) >= $debut
ORDER BY personne_uid, droit;
