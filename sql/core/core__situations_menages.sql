-- Every household of the territory with its stratum and profile, those who opposed left out. The address is the CAF's when there is one,
-- else the CPAM's. a_revenu_caf: the CAF pays it an income (AAH, ASPA, PreParE), which nobody absent from the
-- CAF can have. Stratum L: CPAM household linked to a CAF household (counted in A, compared here).
CREATE OR REPLACE TABLE core__situations_menages AS
WITH bases AS (
    SELECT instrument, menage_base_id, arg_max(commune_insee, poids_variante) AS commune_insee,
           arg_max(regle, poids_variante) AS regle, arg_max(n_adultes, poids_variante) AS n_adultes,
           arg_max(n_enfants, poids_variante) AS n_enfants, max(age_reference) AS age_reference
    FROM core__menages
    GROUP BY ALL
),
assures AS (
    SELECT personne_id, regime,
           coalesce(c2s IN ('1', '2') AND coalesce(c2s_debut, $fin) <= $fin AND coalesce(c2s_fin, $fin) >= $fin,
                    false) AS a_c2s
    FROM core__cpam_assures
),
c2s_cpam AS (
    SELECT m.menage_base_id, bool_or(a.a_c2s) AS a_c2s, bool_or(coalesce(a.regime = 'AU', false)) AS est_autre_regime,
           bool_or(coalesce(a.regime = 'AG', false)) AS est_agricole
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN assures AS a USING (personne_id)
    WHERE m.instrument = 'cpam' AND mp.source = 'cpam' AND mp.role NOT IN ('ENF', 'AUT')
    GROUP BY ALL
),
c2s_caf AS (
    SELECT l.caf_menage_base_id AS menage_base_id, bool_or(c.a_c2s) AS a_c2s
    FROM core__situations_paires AS l
    JOIN c2s_cpam AS c USING (menage_base_id)
    GROUP BY ALL
),
logements AS (
    SELECT f.menage_base_id, last(c.occlog ORDER BY c.mois) AS occlog
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
    WHERE c.mois BETWEEN $debut AND $fin
    GROUP BY ALL
),
travail AS (
    SELECT m.menage_base_id, bool_or(r.natress IN ('001', '005', '009')) AS est_salarie,
           bool_or(r.natress IN ('030', '031', '032', '033', '034')) AS est_independant
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__caf_ressources AS r USING (personne_id)
    WHERE m.instrument = 'caf' AND mp.source = 'caf' AND r.montant > 0
      AND r.mois BETWEEN $debut_ressources AND $fin_ressources
    GROUP BY ALL
),
remplacements AS (
    SELECT DISTINCT m.menage_base_id
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__caf_prestations_personnes AS p USING (personne_id)
    WHERE m.instrument = 'caf' AND mp.source = 'caf' AND p.mois BETWEEN $debut AND $fin
      AND coalesce(p.aah, 0) + coalesce(p.caah, 0) > 0
    UNION
    SELECT f.menage_base_id
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
    WHERE c.mois BETWEEN $debut AND $fin AND coalesce(c.aspa, 0) + coalesce(c.paje_prepare, 0) > 0
),
situees AS (
    SELECT b.*, coalesce(l.est_lie, false) AS est_lie, coalesce(l.est_msa, false) AS est_msa,
           coalesce(l.est_msa_rsa, false) AS est_msa_rsa, l.est_msa_ppa,
           l.caf_menage_base_id, coalesce(a.commune_insee, b.commune_insee) AS commune_retenue
    FROM bases AS b
    LEFT JOIN core__situations_liens AS l ON b.instrument = 'cpam' AND l.menage_base_id = b.menage_base_id
    LEFT JOIN bases AS a ON a.instrument = 'caf' AND a.menage_base_id = l.caf_menage_base_id
)
SELECT s.instrument, s.menage_base_id,
       CASE WHEN s.instrument = 'caf' THEN 'A' WHEN s.est_lie THEN 'L' WHEN s.est_msa THEN 'S' ELSE 'B' END AS strate,
       CASE WHEN s.instrument = 'caf' THEN k.menage_base_id IS NOT NULL ELSE s.est_lie OR s.est_msa END AS est_lie,
       s.est_msa_rsa, s.est_msa_ppa, s.caf_menage_base_id, t.commune_insee, t.regroupement, t.est_rurale, s.regle, s.age_reference,
       s.n_adultes, s.n_enfants,
       CASE WHEN s.age_reference < 50 THEN 0 WHEN s.age_reference < 65 THEN 1
            WHEN s.age_reference IS NOT NULL THEN 2 END AS bande_age,
       CASE WHEN s.instrument = 'caf' THEN k.a_c2s ELSE c.a_c2s END AS a_c2s,
       coalesce(c.est_autre_regime, false) AS est_autre_regime, coalesce(c.est_agricole, false) AS est_agricole,
       CASE WHEN s.n_adultes >= 2 THEN CASE WHEN s.n_enfants > 0 THEN 'couple_enfants' ELSE 'couple_sans_enfant' END
            WHEN s.n_enfants > 0 THEN 'parent_seul' ELSE 'seul' END AS type_menage,
       o.occlog, e.menage_base_id IS NOT NULL AS a_revenu_caf,
       CASE WHEN s.instrument <> 'caf' THEN NULL
            WHEN o.occlog IN ('PRO', 'ACC') THEN 'proprietaire'
            WHEN o.occlog IN ('LOC', 'BAL', 'OLI', 'HOP', 'HOT') THEN 'locataire'
            WHEN o.occlog IN ('HCG', 'HGP', 'HCO') THEN 'heberge' ELSE 'autre' END AS logement,
       CASE WHEN s.instrument <> 'caf' THEN NULL
            WHEN w.est_independant THEN 'independant' WHEN w.est_salarie THEN 'salarie'
            ELSE 'sans_emploi' END AS travail
FROM situees AS s
JOIN core__situations_communes AS t ON t.commune_insee = s.commune_retenue
ANTI JOIN core__situations_opposees AS x ON x.instrument = s.instrument AND x.menage_base_id = s.menage_base_id
LEFT JOIN c2s_cpam AS c ON s.instrument = 'cpam' AND c.menage_base_id = s.menage_base_id
LEFT JOIN c2s_caf AS k ON s.instrument = 'caf' AND k.menage_base_id = s.menage_base_id
LEFT JOIN logements AS o ON s.instrument = 'caf' AND o.menage_base_id = s.menage_base_id
LEFT JOIN remplacements AS e ON s.instrument = 'caf' AND e.menage_base_id = s.menage_base_id
LEFT JOIN travail AS w ON s.instrument = 'caf' AND w.menage_base_id = s.menage_base_id
ORDER BY s.instrument, s.menage_base_id;
