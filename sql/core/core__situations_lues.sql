-- One row per household of A1, A2, B, S (and L, the CPAM reading of linked households) and per right: what depends on
-- the right, the rest is in core__situations_menages.
-- rsa_et_ppa: taken up when both are; else the situation of the right that is not.
CREATE OR REPLACE TABLE core__situations_lues AS
WITH dossiers AS (
    SELECT m.menage_base_id,
           coalesce(r.situation, 'primaire') AS rsa, coalesce(p.situation, 'primaire') AS ppa,
           coalesce(r.chemin, 'jamais_demande') AS chemin_rsa, coalesce(p.chemin, 'jamais_demande') AS chemin_ppa,
           coalesce(r.est_paye, false) AS paye_rsa, coalesce(p.est_paye, false) AS paye_ppa,
           r.du_eur_mois AS du_rsa, p.du_eur_mois AS du_ppa
    FROM core__situations_menages AS m
    LEFT JOIN core__situations_dossiers AS r ON r.menage_base_id = m.menage_base_id AND r.droit = 'rsa'
    LEFT JOIN core__situations_dossiers AS p ON p.menage_base_id = m.menage_base_id AND p.droit = 'ppa'
    WHERE m.instrument = 'caf'
),
lues AS (
    SELECT m.*, d.droit, d.eligible, d.motif AS motif_droit, d.poids_menages, d.poids_eligible,
           d.montant_rsa_eur_mois, d.montant_ppa_eur_mois,
           coalesce(d.eligible = 'inconnu'
                    AND d.motif IN (SELECT unnest($motifs_sans_ressources::VARCHAR[])), false) AS est_sans_ressources,
           o.rsa, o.ppa, o.chemin_rsa, o.chemin_ppa, o.paye_rsa, o.paye_ppa,
           CASE WHEN d.droit IN ('ppa', 'ppa_seule') THEN o.du_ppa ELSE o.du_rsa END AS du_eur_mois,
           CASE d.droit
                WHEN 'rsa' THEN o.rsa WHEN 'rsa_seul' THEN o.rsa WHEN 'ppa' THEN o.ppa WHEN 'ppa_seule' THEN o.ppa
                ELSE CASE WHEN 'parti' IN (o.rsa, o.ppa) THEN 'parti'
                          WHEN 'secondaire' IN (o.rsa, o.ppa) THEN 'secondaire'
                          WHEN 'primaire' IN (o.rsa, o.ppa) THEN 'primaire'
                          WHEN 'en_cours' IN (o.rsa, o.ppa) THEN 'en_cours'
                          WHEN 'desaccord' IN (o.rsa, o.ppa) THEN 'desaccord' ELSE o.rsa END END AS dossier,
           CASE WHEN d.droit IN ('ppa', 'ppa_seule') OR (d.droit = 'rsa_et_ppa' AND o.rsa = 'recourant')
                THEN o.chemin_ppa ELSE o.chemin_rsa END AS chemin
    FROM core__situations_menages AS m
    JOIN core__situations_droits AS d USING (instrument, menage_base_id)
    LEFT JOIN dossiers AS o ON m.instrument = 'caf' AND o.menage_base_id = m.menage_base_id
),
jugees AS (
    SELECT *,
           CASE WHEN strate = 'A' THEN CASE WHEN est_sans_ressources THEN 'A2' ELSE 'A1' END ELSE strate
           END AS strate_finale,
           CASE WHEN strate = 'S' THEN CASE WHEN CASE droit WHEN 'rsa' THEN est_msa_rsa
                                                       WHEN 'ppa' THEN est_msa_ppa
                                                       WHEN 'rsa_seul' THEN est_msa_rsa AND NOT est_msa_ppa
                                                       WHEN 'ppa_seule' THEN est_msa_ppa AND NOT est_msa_rsa
                                                       ELSE est_msa_rsa AND est_msa_ppa END
                                            THEN 'recourant' ELSE 'inconnu' END
                WHEN dossier = 'parti' THEN 'parti'
                WHEN est_sans_ressources AND dossier NOT IN ('primaire', 'secondaire') THEN dossier
                WHEN eligible = 'inconnu' THEN 'inconnu'
                WHEN eligible = 'non' THEN 'non_eligible'
                ELSE coalesce(dossier, 'primaire') END AS situation
    FROM lues
)
SELECT instrument, menage_base_id, strate_finale AS strate, droit, eligible, situation,
       CASE WHEN strate = 'S' THEN 'regime_agricole'
            WHEN situation IN ('inconnu', 'non_eligible') THEN motif_droit
            WHEN strate = 'A' THEN chemin ELSE 'absent_de_la_caf' END AS motif,
       CASE WHEN situation NOT IN ('primaire', 'secondaire') THEN 0
            WHEN droit IN ('rsa', 'rsa_seul') THEN montant_rsa_eur_mois
            WHEN droit IN ('ppa', 'ppa_seule') THEN montant_ppa_eur_mois
            ELSE CASE WHEN coalesce(rsa, 'primaire') IN ('primaire', 'secondaire') THEN montant_rsa_eur_mois ELSE 0 END
                 + CASE WHEN coalesce(ppa, 'primaire') IN ('primaire', 'secondaire') THEN montant_ppa_eur_mois ELSE 0 END
       END AS montant_non_reclame_eur_mois,
       CASE WHEN strate <> 'S' AND eligible = 'oui' THEN poids_eligible ELSE poids_menages END AS poids,
       chemin, est_sans_ressources, dossier, du_eur_mois,
       CASE WHEN droit IN ('rsa', 'rsa_seul') THEN paye_rsa WHEN droit IN ('ppa', 'ppa_seule') THEN paye_ppa
            ELSE paye_rsa AND paye_ppa END AS est_paye, poids_menages, poids_eligible
FROM jugees
ORDER BY strate, menage_base_id, droit;
