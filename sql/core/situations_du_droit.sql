-- Households read for one right. est_sans_prestation: the CAF knows the household and pays it neither RSA nor
-- PPA, nor is about to.
SELECT l.*, coalesce(s.est_sans_prestation, false) AS est_sans_prestation,
       p.a_aide_logement, p.a_prestations_familiales, p.a_prime_activite, p.activite, p.est_du_regime_agricole,
       p.distance
FROM core__situations_lues AS l
JOIN core__situations_profils AS p
  ON p.menage_base_id = l.menage_base_id AND p.instrument = CASE WHEN l.strate IN ('A1', 'A2') THEN 'caf' ELSE 'cpam' END
LEFT JOIN (
    SELECT menage_base_id, bool_and(dossier IN ('primaire', 'secondaire')) AS est_sans_prestation
    FROM core__situations_lues
    WHERE strate IN ('A1', 'A2') AND droit IN ('rsa', 'ppa')
    GROUP BY menage_base_id
) AS s ON l.strate IN ('A1', 'A2') AND s.menage_base_id = l.menage_base_id
WHERE l.droit = $droit
ORDER BY l.strate, l.menage_base_id
