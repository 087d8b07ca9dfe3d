-- Persons of a dossier whose RSA the MSA pays in the period (Département file, fonorg = MSA).
CREATE OR REPLACE TABLE core__situations_payes_msa AS
SELECT DISTINCT l.personne_uid
FROM core__departement_rsa AS d
JOIN core__departement_personnes AS p USING (dossier_id)
JOIN core__personnes_liees AS l ON l.source = 'departement' AND l.personne_id = p.personne_id
WHERE d.fonorg = 'MSA' AND d.rsa_etat = '2' AND d.rsa_du > 0 AND d.mois BETWEEN $debut AND $fin
  AND coalesce(p.present_du, $debut) <= $fin AND coalesce(p.present_au, $fin) >= $debut
ORDER BY personne_uid;
