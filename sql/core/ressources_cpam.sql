-- Ressources que la CPAM connaît. Une activité indépendante (030 à 034) n'y est pas datée : elle rend le droit inconnu.
SELECT personne_id, mois, CASE WHEN natress IN ('030', '031', '032', '033') THEN '034' ELSE natress END AS natress,
       montant, arret_debut
FROM core__cpam_ressources
WHERE mois >= $debut;
