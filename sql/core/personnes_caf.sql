-- Personnes des foyers de la période.
SELECT personne_id, foyer_id AS menage_id, role, present_du, present_au, nati, act, etudiant, enceinte,
       naissance_annee, naissance_mois
FROM core__caf_personnes
WHERE foyer_id IN (SELECT menage_id FROM core__menages WHERE instrument = 'caf');
