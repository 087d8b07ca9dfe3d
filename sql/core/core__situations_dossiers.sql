-- What the CAF dossier says of each household and right, in the words of eligibility.md (« Words »):
-- the situation an entitled household would have, its path, and whether anything is payable in the period.
CREATE OR REPLACE TABLE core__situations_dossiers AS
WITH mensuels AS (
    SELECT f.menage_base_id, 'rsa' AS droit, c.mois, c.rsa_etat AS etat, c.rsa_motif AS motif,
           c.rsa_motif_cloture AS cloture, c.rsa_du AS du
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
    UNION ALL
    SELECT f.menage_base_id, 'ppa', c.mois, c.ppa_etat, c.ppa_motif, c.rsa_motif_cloture, c.ppa_due
    FROM core__situations_foyers AS f
    JOIN core__caf_foyers AS c USING (foyer_id)
),
msa AS (
    SELECT DISTINCT m.menage_base_id, s.droit
    FROM core__menages AS m
    JOIN core__menages_personnes AS mp USING (instrument, menage_id)
    JOIN core__personnes_liees AS l ON l.source = mp.source AND l.personne_id = mp.personne_id
    JOIN core__situations_payes_msa AS s USING (personne_uid)
    WHERE m.instrument = 'caf'
),
periode AS (
    SELECT menage_base_id, droit,
           bool_or(coalesce(etat = '2' AND du > 0, false)) AS est_paye_caf,
           max(du) FILTER (etat = '2') AS du_eur_mois,
           last(etat ORDER BY mois) AS etat, last(motif ORDER BY mois) AS motif,
           last(cloture ORDER BY mois) AS cloture
    FROM mensuels
    WHERE mois BETWEEN $debut AND $fin
    GROUP BY ALL
),
jugees AS (
    SELECT p.menage_base_id, p.droit, p.du_eur_mois, p.etat, p.motif AS motif_suspension,
           p.est_paye_caf OR msa.menage_base_id IS NOT NULL AS est_paye,
           CASE WHEN p.etat IN ('5', '6') AND p.cloture = 'MUT' THEN 'parti'
                WHEN p.est_paye_caf OR msa.menage_base_id IS NOT NULL THEN 'recourant'
                WHEN p.etat IS NULL OR p.etat = '1' THEN 'primaire'
                WHEN p.etat IN ('5', '6') THEN 'secondaire'
                WHEN p.etat IN ('3', '4') AND p.motif = '06' THEN 'secondaire'
                WHEN p.etat = '0' THEN 'en_cours'
                WHEN p.etat = '2' OR p.motif IN ('01', '02', '05') THEN 'desaccord'
                ELSE 'en_cours' END AS situation
    FROM periode AS p
    LEFT JOIN msa USING (menage_base_id, droit)
)
SELECT menage_base_id, droit, est_paye, du_eur_mois, situation,
       CASE situation
            WHEN 'parti' THEN 'mutation'
            WHEN 'recourant' THEN CASE WHEN etat = '2' THEN 'paye' ELSE 'paye_dans_la_periode' END
            WHEN 'primaire' THEN CASE WHEN etat = '1' THEN 'refuse' ELSE 'jamais_demande' END
            WHEN 'secondaire' THEN CASE WHEN etat IN ('5', '6') THEN 'clos' ELSE 'declaration_manquante' END
            WHEN 'desaccord' THEN CASE WHEN etat = '2' THEN 'ouvert_sans_montant'
                                       ELSE 'suspension_' || motif_suspension END
            ELSE CASE WHEN etat = '0' THEN 'demande_en_attente'
                      ELSE 'suspension_' || coalesce(motif_suspension, 'sans_motif') END
       END AS chemin
FROM jugees
ORDER BY menage_base_id, droit;
