-- Ménages de la période, par instrument. Un couple possible de la CPAM compte des deux façons : ensemble pour la part
-- de couples de son genre, séparément pour le reste. Âge de référence : demandeur, au dernier mois, en années.
CREATE OR REPLACE TABLE core__menages AS
WITH naissances AS (
    SELECT 'caf' AS source, personne_id, any_value(naissance_annee) AS annee, any_value(naissance_mois) AS mois
    FROM core__caf_personnes GROUP BY personne_id
    UNION ALL
    SELECT 'cpam', personne_id, naissance_annee, naissance_mois FROM core__cpam_assures
),
compositions AS (
    SELECT m.menage_id, m.instrument, count_if(m.role IN ('DEM', 'CJT')) AS demandeurs,
           count_if(m.role = 'RDO') AS responsables, count_if(m.role IN ('ENF', 'AUT')) AS n_enfants,
           min(n.annee * 12 + coalesce(n.mois, 1) - 1) FILTER (m.role = 'DEM') AS naissance,
           min(n.annee * 12 + coalesce(n.mois, 1) - 1) FILTER (m.role = 'RDO') AS naissance_responsable
    FROM core__menages_personnes AS m
    JOIN naissances AS n ON n.source = m.source AND n.personne_id = m.personne_id
    GROUP BY ALL
),
caf AS (
    SELECT foyer_id AS menage_id, 'caf' AS instrument, arg_max(commune_insee, mois) AS commune_insee,
           'dossier' AS regle, 1.0::DOUBLE AS poids_variante, foyer_id AS menage_base_id
    FROM core__caf_foyers
    WHERE list_contains($periode, mois)
    GROUP BY foyer_id
),
cpam AS (
    SELECT c.menage_id, 'cpam' AS instrument,
           first(a.commune_insee ORDER BY c.role = 'DEM' DESC, c.personne_id) AS commune_insee,
           any_value(c.regle) AS regle,
           any_value(CASE WHEN c.regle <> 'couple_possible' THEN 1
                          WHEN c.est_ensemble THEN p.part ELSE 1 - p.part END)::DOUBLE AS poids_variante,
           any_value(c.menage_base_id) AS menage_base_id
    FROM core__menages_cpam AS c
    JOIN core__cpam_assures AS a USING (personne_id)
    LEFT JOIN core__parts_couples AS p ON p.genre = c.genre
    GROUP BY c.menage_id
),
tous AS (SELECT * FROM caf UNION ALL SELECT * FROM cpam)
SELECT t.menage_id, t.instrument, t.commune_insee, t.regle,
       CASE WHEN c.demandeurs > 0 THEN c.demandeurs ELSE c.responsables END::INTEGER AS n_adultes,
       c.n_enfants::INTEGER AS n_enfants,
       (($numero_mois - coalesce(c.naissance, c.naissance_responsable)) // 12)::INTEGER AS age_reference,
       t.poids_variante, t.menage_base_id
FROM tous AS t
LEFT JOIN compositions AS c ON c.menage_id = t.menage_id AND c.instrument = t.instrument
ORDER BY t.instrument, t.menage_id;
