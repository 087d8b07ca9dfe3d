-- Household of each consent in force, CAF's first. A consent with two possible persons has none, and says so.
CREATE OR REPLACE TABLE core__a_rappeler_candidats AS
WITH personnes AS (
    SELECT c.*, l.personne_uid, 1 / (1 + pow(2, -coalesce(l.poids, 0))) AS probabilite_lien,
           c.consentement_id IN (SELECT consentement_id FROM core__consentements_ambigus) AS est_ambigu
    FROM core__a_rappeler_consentements AS c
    LEFT JOIN core__personnes_liees AS l ON l.source = 'cellule' AND l.personne_id = c.consentement_id
),
enregistrements AS (
    SELECT DISTINCT l.personne_uid, m.instrument,
           CASE WHEN m.instrument = 'caf' THEN m.menage_base_id
                ELSE coalesce(i.caf_menage_base_id, m.menage_base_id) END AS menage_base_id
    FROM core__personnes_liees AS l
    JOIN core__menages_personnes AS mp ON mp.source = l.source AND mp.personne_id = l.personne_id
    JOIN core__menages AS m USING (instrument, menage_id)
    LEFT JOIN core__situations_liens AS i ON m.instrument = 'cpam' AND i.menage_base_id = m.menage_base_id
    WHERE l.personne_uid IN (SELECT personne_uid FROM personnes)
),
menages AS (
    SELECT personne_uid, first(menage_base_id ORDER BY instrument, menage_base_id) AS menage_base_id
    FROM enregistrements
    GROUP BY personne_uid
)
SELECT p.consentement_id, p.droit, p.expire_le, p.est_ambigu, p.probabilite_lien, m.menage_base_id,
       s.strate, s.eligible, s.situation, s.motif, s.est_sans_ressources, q.bande_age, q.a_c2s, q.est_rurale,
       s.montant_non_reclame_eur_mois, s.poids_eligible / s.poids_menages AS part_eligible
FROM personnes AS p
LEFT JOIN menages AS m ON NOT p.est_ambigu AND m.personne_uid = p.personne_uid
LEFT JOIN core__situations_lues AS s
    ON s.menage_base_id = m.menage_base_id AND s.droit = p.droit AND s.strate <> 'L'
LEFT JOIN core__situations_menages AS q ON q.instrument = s.instrument AND q.menage_base_id = s.menage_base_id
ORDER BY p.consentement_id;
