-- Chaque fiche tirée, sa réponse la plus récente s'il y en a une.
SELECT e.partenaire, e.tirage, e.mois, e.strate_tirage, e.echantillon_id, e.volet, r.connu_caf, r.connu_cpam, r.connu_msa,
       r.eligible_rsa, r.eligible_ppa, r.rang IS NOT NULL AS est_revenue,
       coalesce(CASE e.partenaire WHEN 'caf' THEN r.connu_cpam ELSE r.connu_caf END IS NOT NULL, false)
       AS est_repondue
FROM meta__echantillon AS e
LEFT JOIN (
    FROM meta__echantillon_reponses
    QUALIFY row_number() OVER (PARTITION BY echantillon_id ORDER BY verifie_le DESC NULLS LAST, rang DESC) = 1
) AS r USING (echantillon_id)
ORDER BY e.echantillon_id
