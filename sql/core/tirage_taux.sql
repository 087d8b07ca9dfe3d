-- Taux de sondage de chaque strate dans les tirages de moins d'un an : la chance d'y être tiré, pour qui n'était pas au
-- repos.
SELECT tirage, partenaire, strate_tirage, any_value(taux_sondage) AS taux_sondage
FROM meta__echantillon
WHERE mois > $depuis
GROUP BY ALL
ORDER BY ALL
