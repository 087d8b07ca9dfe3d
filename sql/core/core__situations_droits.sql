-- Right of each household over the three months of the period: entitled when it is in each of them.
-- A household computed in several variants gets the sum of their shares; exclusive rights are read per variant.
CREATE OR REPLACE TEMP TABLE core__situations_droits AS
WITH simples AS (
    SELECT instrument, menage_id, droit,
           CASE WHEN count_if(eligible = 'non') > 0 THEN 'non'
                WHEN count_if(eligible = 'oui') = len($mois::VARCHAR[]) THEN 'oui'
                ELSE 'inconnu' END AS eligible,
           coalesce(min(motif) FILTER (eligible = 'inconnu'),
                    CASE WHEN count_if(eligible = 'non') = 0 AND count(*) < len($mois::VARCHAR[]) THEN 'mobilite'
                         WHEN count_if(eligible = 'oui') BETWEEN 1 AND len($mois::VARCHAR[]) - 1
                         THEN 'droit_partiel' END) AS motif,
           min(coalesce(poids_eligible, 1)) AS part,
           avg(montant_eur_mois) AS montant
    FROM core__droits
    WHERE mois IN (SELECT unnest($mois::VARCHAR[]))
    GROUP BY ALL
),
variantes AS (
    SELECT m.instrument, m.menage_base_id, m.menage_id, m.poids_variante,
           coalesce(r.eligible, 'inconnu') AS rsa, coalesce(p.eligible, 'inconnu') AS ppa,
           CASE WHEN r.eligible IS NULL THEN 'ressources_inconnues' ELSE r.motif END AS motif_rsa,
           CASE WHEN p.eligible IS NULL THEN 'ressources_inconnues' ELSE p.motif END AS motif_ppa,
           CASE WHEN r.eligible = 'oui' THEN r.part ELSE 0 END AS part_rsa,
           CASE WHEN p.eligible = 'oui' THEN p.part ELSE 0 END AS part_ppa,
           coalesce(r.montant, 0) AS montant_rsa, coalesce(p.montant, 0) AS montant_ppa
    FROM core__menages AS m
    LEFT JOIN simples AS r ON r.instrument = m.instrument AND r.menage_id = m.menage_id AND r.droit = 'rsa'
    LEFT JOIN simples AS p ON p.instrument = m.instrument AND p.menage_id = m.menage_id AND p.droit = 'ppa'
),
tous AS (
    SELECT v.*, d.droit,
           CASE d.droit WHEN 'rsa' THEN rsa WHEN 'ppa' THEN ppa
                WHEN 'rsa_seul' THEN CASE WHEN rsa = 'non' THEN 'non' WHEN 'inconnu' IN (rsa, ppa) THEN 'inconnu'
                                          WHEN part_rsa > part_ppa THEN 'oui' ELSE 'non' END
                WHEN 'ppa_seule' THEN CASE WHEN ppa = 'non' THEN 'non' WHEN 'inconnu' IN (rsa, ppa) THEN 'inconnu'
                                           WHEN part_ppa > part_rsa THEN 'oui' ELSE 'non' END
                ELSE CASE WHEN 'non' IN (rsa, ppa) THEN 'non' WHEN 'inconnu' IN (rsa, ppa) THEN 'inconnu'
                          ELSE 'oui' END END AS eligible,
           CASE d.droit WHEN 'rsa' THEN part_rsa WHEN 'ppa' THEN part_ppa
                WHEN 'rsa_seul' THEN greatest(part_rsa - part_ppa, 0)
                WHEN 'ppa_seule' THEN greatest(part_ppa - part_rsa, 0)
                ELSE least(part_rsa, part_ppa) END AS part,
           CASE WHEN d.droit = 'ppa' THEN motif_ppa WHEN d.droit = 'rsa' THEN motif_rsa
                WHEN rsa = 'inconnu' THEN motif_rsa WHEN ppa = 'inconnu' THEN motif_ppa END AS motif
    FROM variantes AS v
    CROSS JOIN (SELECT unnest(['rsa', 'ppa', 'rsa_seul', 'ppa_seule', 'rsa_et_ppa']) AS droit) AS d
)
SELECT instrument, menage_base_id, droit,
       CASE WHEN count_if(eligible = 'oui') > 0 THEN 'oui'
            WHEN count_if(eligible = 'inconnu') > 0 THEN 'inconnu' ELSE 'non' END AS eligible,
       min(motif) FILTER (motif IS NOT NULL) AS motif,
       sum(poids_variante) AS poids_menages,
       coalesce(sum(poids_variante * part) FILTER (eligible = 'oui'), 0) AS poids_eligible,
       coalesce(sum(poids_variante * part * montant_rsa) FILTER (eligible = 'oui')
                / nullif(sum(poids_variante * part) FILTER (eligible = 'oui'), 0), 0) AS montant_rsa_eur_mois,
       coalesce(sum(poids_variante * part * montant_ppa) FILTER (eligible = 'oui')
                / nullif(sum(poids_variante * part) FILTER (eligible = 'oui'), 0), 0) AS montant_ppa_eur_mois
FROM tous
GROUP BY ALL;
