-- Taux de sondage de chaque strate dans les tirages de moins d'un an.
SELECT tirage, partenaire, strate_tirage, avg(probabilite_tirage) AS taux_sondage
FROM meta__echantillon
WHERE mois > $depuis
GROUP BY ALL
ORDER BY ALL
