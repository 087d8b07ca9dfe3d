-- Mois de personnes où la CAF et la CPAM ne disent pas le même montant (à un euro près), et où la CPAM seule le dit.
WITH cpam AS (
    SELECT personne_id, mois, CASE WHEN natress IN ('021', '070') THEN natress ELSE 'indemnites' END AS groupe,
           sum(montant) AS montant
    FROM core__ressources_completees
    WHERE origine = 'cpam'
    GROUP BY ALL
),
caf AS (
    SELECT personne_id, mois, CASE WHEN natress IN ('021', '070') THEN natress ELSE 'indemnites' END AS groupe,
           sum(montant) AS montant
    FROM core__caf_ressources
    WHERE natress IN ('011', '012', '013', '014', '021', '070')
    GROUP BY ALL
)
SELECT count_if(caf.montant IS NOT NULL AND abs(caf.montant - cpam.montant) >= 1) AS ecarts_caf_cpam,
       count_if(caf.montant IS NULL) AS ajouts_cpam
FROM cpam
LEFT JOIN caf USING (personne_id, mois, groupe);
