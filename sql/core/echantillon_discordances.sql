-- Deux réponses sur une même personne, à trois mois près (contrôle refait, ou deux partenaires) : combien s'opposent.
WITH reponses AS (
    SELECT e.partenaire, e.personne_id, r.*  EXCLUDE (partenaire),
           coalesce('u' || l.personne_uid, e.partenaire || e.personne_id) AS personne,
           CAST(left(r.verifie_le, 4) AS INTEGER) * 12 + CAST(right(r.verifie_le, 2) AS INTEGER) AS numero_mois
    FROM meta__echantillon_reponses AS r
    JOIN meta__echantillon AS e USING (echantillon_id)
    LEFT JOIN core__personnes_liees AS l ON l.source = e.partenaire AND l.personne_id = e.personne_id
),
questions AS (
    UNPIVOT reponses ON connu_caf, connu_cpam, connu_msa, eligible_rsa, eligible_ppa INTO NAME question VALUE dit
)
SELECT a.question, count(*) AS paires, count_if(a.dit <> b.dit) AS discordances
FROM questions AS a
JOIN questions AS b ON a.personne = b.personne AND a.question = b.question
    AND (a.echantillon_id, a.rang) < (b.echantillon_id, b.rang)
    AND coalesce(abs(a.numero_mois - b.numero_mois) <= 3, true)
GROUP BY a.question
ORDER BY a.question
