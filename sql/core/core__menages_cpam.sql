-- Ménages vus par l'assurance maladie, une ligne par variante et par personne. Trois règles : même foyer C2S ;
-- sinon deux ouvrants droit d'un même enfant ; sinon deux adultes d'un même logement nés à moins de 15 ans d'écart,
-- couple possible, compté des deux façons (ensemble, et chacun pour soi). Un mineur suit son ouvrant droit. Après
-- 26 ans, l'année livrée est le milieu d'une classe : l'écart d'âge de deux adultes s'y lit à quatre ans près.
CREATE OR REPLACE TABLE core__menages_cpam AS
WITH assures AS (
    SELECT personne_id, sexe, logement_id, foyer_c2s_id,
           naissance_annee * 12 + coalesce(naissance_mois, 1) - 1 AS naissance,
           coalesce($numero_mois - (naissance_annee * 12 + coalesce(naissance_mois, 1) - 1) >= 18 * 12,
                    personne_id NOT IN (SELECT enfant_id FROM core__cpam_rattachements)) AS est_majeur,
           personne_id IN (SELECT ouvrant_droit_id FROM core__cpam_rattachements) AS a_enfant
    FROM core__cpam_assures
),
foyers AS (
    SELECT *, NOT est_majeur
              OR coalesce(NOT a_enfant AND $numero_mois - naissance < 25 * 12
                          AND naissance - min(naissance) OVER (PARTITION BY foyer_c2s_id) >= 15 * 12, false)
              AS est_a_charge
    FROM assures
    WHERE foyer_c2s_id IS NOT NULL
    QUALIFY bool_or(est_majeur) OVER (PARTITION BY foyer_c2s_id)
),
libres AS (
    SELECT * FROM assures
    WHERE est_majeur AND personne_id NOT IN (SELECT personne_id FROM foyers)
),
parents AS (
    SELECT a.ouvrant_droit_id AS personne_id, b.ouvrant_droit_id AS autre_id, count(*) AS enfants
    FROM core__cpam_rattachements AS a
    JOIN core__cpam_rattachements AS b USING (enfant_id)
    WHERE a.ouvrant_droit_id <> b.ouvrant_droit_id
      AND a.ouvrant_droit_id IN (SELECT personne_id FROM libres)
      AND b.ouvrant_droit_id IN (SELECT personne_id FROM libres)
    GROUP BY a.ouvrant_droit_id, b.ouvrant_droit_id
    QUALIFY row_number() OVER (PARTITION BY a.ouvrant_droit_id ORDER BY count(*) DESC, b.ouvrant_droit_id) = 1
),
couples_enfant AS (
    SELECT p.personne_id, p.autre_id
    FROM parents AS p
    JOIN parents AS q ON q.personne_id = p.autre_id AND q.autre_id = p.personne_id
),
seuls AS (
    SELECT * FROM libres WHERE personne_id NOT IN (SELECT personne_id FROM couples_enfant)
),
voisins AS (
    SELECT a.personne_id, any_value(b.personne_id) AS autre_id,
           any_value(CASE WHEN a.sexe = b.sexe THEN 'meme_sexe' ELSE 'sexes_differents' END
                     || CASE WHEN abs(a.naissance - b.naissance) <= 5 * 12 THEN '_proches' ELSE '_eloignes' END)
           AS genre
    FROM seuls AS a
    JOIN seuls AS b ON b.logement_id = a.logement_id AND b.personne_id <> a.personne_id
                    AND abs(a.naissance - b.naissance) <= 15 * 12
    GROUP BY a.personne_id
    HAVING count(*) = 1
),
couples_possibles AS (
    SELECT p.personne_id, p.autre_id, p.genre
    FROM voisins AS p
    JOIN voisins AS q ON q.personne_id = p.autre_id
),
adultes AS (
    SELECT personne_id, naissance, foyer_c2s_id AS menage_base_id, 'c2s' AS regle, NULL AS genre
    FROM foyers WHERE NOT est_a_charge
    UNION ALL
    SELECT personne_id, naissance, least(personne_id, autre_id), 'enfant', NULL
    FROM libres JOIN couples_enfant USING (personne_id)
    UNION ALL
    SELECT personne_id, naissance, least(personne_id, autre_id), 'couple_possible', genre
    FROM libres JOIN couples_possibles USING (personne_id)
    UNION ALL
    SELECT personne_id, naissance, personne_id, 'seul', NULL
    FROM seuls WHERE personne_id NOT IN (SELECT personne_id FROM couples_possibles)
),
enfants AS (
    SELECT f.personne_id, first(a.personne_id ORDER BY a.naissance, a.personne_id) AS titulaire_id
    FROM foyers AS f
    JOIN adultes AS a ON a.menage_base_id = f.foyer_c2s_id AND a.regle = 'c2s'
    WHERE f.est_a_charge
    GROUP BY f.personne_id
    UNION ALL
    SELECT e.personne_id,
           first(t.personne_id ORDER BY coalesce(t.logement_id = e.logement_id, false) DESC, t.personne_id)
    FROM assures AS e
    JOIN core__cpam_rattachements AS r ON r.enfant_id = e.personne_id
    JOIN assures AS t ON t.personne_id = r.ouvrant_droit_id
    WHERE NOT e.est_majeur AND t.est_majeur AND e.personne_id NOT IN (SELECT personne_id FROM foyers)
    GROUP BY e.personne_id
),
membres AS (
    SELECT personne_id, personne_id AS titulaire_id, menage_base_id, regle, genre, naissance, true AS est_adulte
    FROM adultes
    UNION ALL
    SELECT e.personne_id, e.titulaire_id, a.menage_base_id, a.regle, a.genre, NULL, false
    FROM enfants AS e
    JOIN adultes AS a ON a.personne_id = e.titulaire_id
),
variantes AS (
    SELECT *, true AS est_ensemble,
           CASE WHEN regle = 'couple_possible' THEN menage_base_id || '-couple' ELSE menage_base_id END AS menage_id
    FROM membres
    UNION ALL
    SELECT *, false, menage_base_id || CASE WHEN titulaire_id = menage_base_id THEN '-seul-1' ELSE '-seul-2' END
    FROM membres
    WHERE regle = 'couple_possible'
)
SELECT menage_id, menage_base_id, regle, genre, est_ensemble, personne_id,
       CASE WHEN NOT est_adulte THEN 'ENF'
            WHEN row_number() OVER (PARTITION BY menage_id, est_adulte ORDER BY naissance, personne_id) = 1 THEN 'DEM'
            ELSE 'CJT' END AS role
FROM variantes
ORDER BY menage_id, role, personne_id;
