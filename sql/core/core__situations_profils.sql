-- What else is known of each household: what the CAF pays it besides (absent from the CAF: nothing), and work as the
-- CPAM's own incomes show it. est_du_regime_agricole: an adult of the household, or of the CPAM household linked to it, is in
-- the régime agricole; null for a CAF household that no link describes.
CREATE OR REPLACE TABLE core__situations_profils AS
WITH foyers AS (
    SELECT f.menage_base_id, bool_or(coalesce(c.aide_logement, 0) > 0) AS a_aide_logement,
           bool_or(coalesce(c.af, 0) + coalesce(c.cf, 0) + coalesce(c.asf, 0) + coalesce(c.paje_base, 0)
                   + coalesce(c.paje_prepare, 0) > 0) AS a_prestations_familiales,
           bool_or(coalesce(c.ppa_etat = '2' AND c.ppa_due > 0, false)) AS a_prime_activite
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
    WHERE c.mois BETWEEN $debut AND $fin
    GROUP BY ALL
),
salaires AS (
    SELECT DISTINCT m.menage_base_id
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__cpam_ressources AS r USING (personne_id)
    WHERE m.instrument = 'cpam' AND mp.source = 'cpam' AND r.montant > 0 AND r.natress IN ('001', '005', '009')
      AND r.mois BETWEEN $debut_ressources AND $fin_ressources
),
salaires_lies AS (
    SELECT l.caf_menage_base_id AS menage_base_id, bool_or(w.menage_base_id IS NOT NULL) AS est_salarie_cpam
    FROM core__situations_paires AS l
    LEFT JOIN salaires AS w USING (menage_base_id)
    GROUP BY ALL
),
agricoles AS (
    SELECT l.caf_menage_base_id AS menage_base_id, bool_or(m.est_agricole) AS est_agricole
    FROM core__situations_paires AS l
    JOIN core__situations_menages AS m ON m.instrument = 'cpam' AND m.menage_base_id = l.menage_base_id
    GROUP BY ALL
),
instruits AS (
    SELECT DISTINCT menage_base_id
    FROM core__situations_dossiers
    WHERE situation NOT IN ('primaire', 'secondaire')
)
SELECT s.instrument, s.menage_base_id,
       s.instrument = 'caf' AND q.menage_base_id IS NULL AS est_sans_prestation,
       coalesce(f.a_aide_logement, false) AS a_aide_logement,
       coalesce(f.a_prestations_familiales, false) AS a_prestations_familiales,
       coalesce(f.a_prime_activite, false) AS a_prime_activite,
       CASE WHEN s.instrument = 'caf' THEN s.travail WHEN w.menage_base_id IS NOT NULL THEN 'salarie'
            ELSE 'sans_emploi' END AS activite,
       z.est_salarie_cpam,
       CASE WHEN s.instrument = 'caf' THEN a.est_agricole ELSE s.est_agricole END AS est_du_regime_agricole,
       d.distance
FROM core__situations_menages AS s
LEFT JOIN foyers AS f ON s.instrument = 'caf' AND f.menage_base_id = s.menage_base_id
LEFT JOIN salaires AS w ON s.instrument = 'cpam' AND w.menage_base_id = s.menage_base_id
LEFT JOIN salaires_lies AS z ON s.instrument = 'caf' AND z.menage_base_id = s.menage_base_id
LEFT JOIN agricoles AS a ON s.instrument = 'caf' AND a.menage_base_id = s.menage_base_id
LEFT JOIN instruits AS q ON s.instrument = 'caf' AND q.menage_base_id = s.menage_base_id
LEFT JOIN core__situations_distances AS d USING (commune_insee)
ORDER BY s.instrument, s.menage_base_id;
