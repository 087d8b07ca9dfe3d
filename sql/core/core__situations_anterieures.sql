-- The two quarters before the period, for the CAF households of the period: rang 1 the one just before, 2 the one
-- before it. est_eligible: entitled in each of its three months; null when that is not known. est_non_recourant:
-- entitled, nothing payable in any month, no decision pending; null when only entitlement is not known.
CREATE OR REPLACE TABLE core__situations_anterieures AS
WITH trimestres AS (
    SELECT * FROM (VALUES (1, $debut_1, $fin_1), (2, $debut_2, $fin_2)) AS t(rang, debut, fin)
),
droits AS (
    SELECT d.menage_id AS menage_base_id, t.rang, d.droit, CASE WHEN count_if(d.eligible = 'non') > 0 THEN false
                                                       WHEN count_if(d.eligible = 'oui') = 3 THEN true END AS est_eligible
    FROM core__droits_anterieurs AS d
    JOIN trimestres AS t ON d.mois BETWEEN t.debut AND t.fin
    GROUP BY ALL
),
mensuels AS (
    SELECT f.menage_base_id, v.droit, c.mois, v.etat, v.motif, v.du, c.rsa_motif_cloture AS cloture
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
    CROSS JOIN LATERAL (VALUES ('rsa', c.rsa_etat, c.rsa_motif, c.rsa_du),
                               ('ppa', c.ppa_etat, c.ppa_motif, c.ppa_due)) AS v(droit, etat, motif, du)
    WHERE c.mois BETWEEN $debut_2 AND $fin_1
),
dossiers AS (
    SELECT m.menage_base_id, t.rang, m.droit, bool_or(coalesce(m.etat = '2' AND m.du > 0, false)) AS est_paye,
           last(m.etat ORDER BY m.mois) AS etat, last(m.motif ORDER BY m.mois) AS motif,
           last(m.cloture ORDER BY m.mois) AS cloture
    FROM mensuels AS m
    JOIN trimestres AS t ON m.mois BETWEEN t.debut AND t.fin
    GROUP BY ALL
)
SELECT d.menage_base_id, d.rang, d.droit, d.est_eligible, coalesce(o.est_paye, false) AS est_paye,
       d.est_eligible AND NOT coalesce(o.est_paye, false)
       AND (o.etat IS NULL OR o.etat = '1' OR (o.etat IN ('5', '6') AND coalesce(o.cloture, '') <> 'MUT')
            OR (o.etat IN ('3', '4') AND coalesce(o.motif, '') = '06')) AS est_non_recourant
FROM droits AS d
LEFT JOIN dossiers AS o USING (menage_base_id, rang, droit)
ORDER BY d.menage_base_id, d.rang, d.droit;
