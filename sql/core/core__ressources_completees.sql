-- Ressources des personnes de la CAF, complétées par la CPAM pour les personnes liées : indemnités journalières (011 à
-- 014, en bloc), invalidité (021), rentes (070). Le montant de la CPAM l'emporte ; un mois que la CAF ne connaît pas
-- reste inconnu.
CREATE OR REPLACE TABLE core__ressources_completees AS
WITH liens AS (
    SELECT c.personne_id AS caf_id, max_by(a.personne_id, coalesce(a.poids, 0)) AS cpam_id
    FROM core__personnes_liees AS c
    JOIN core__personnes_liees AS a ON a.personne_uid = c.personne_uid AND a.source = 'cpam'
    WHERE c.source = 'caf'
    GROUP BY c.personne_id
),
caf AS (
    SELECT *, CASE WHEN natress IN ('011', '012', '013', '014') THEN 'indemnites'
                   WHEN natress IN ('021', '070') THEN natress END AS groupe
    FROM core__caf_ressources
    WHERE mois >= $debut
),
cpam AS (
    SELECT l.caf_id AS personne_id, r.mois, r.natress, r.montant, r.arret_debut,
           CASE WHEN r.natress IN ('021', '070') THEN r.natress ELSE 'indemnites' END AS groupe
    FROM core__cpam_ressources AS r
    JOIN liens AS l ON l.cpam_id = r.personne_id
    WHERE r.natress IN ('011', '012', '013', '014', '021', '070') AND r.mois >= $debut
      AND r.montant IS NOT NULL
),
connus AS (SELECT DISTINCT personne_id, mois FROM caf),
ajouts AS (SELECT cpam.* FROM cpam SEMI JOIN connus USING (personne_id, mois)),
remplaces AS (SELECT DISTINCT personne_id, mois, groupe FROM ajouts)
SELECT caf.personne_id, caf.mois, caf.natress, caf.montant, NULL::VARCHAR AS arret_debut, 'caf' AS origine
FROM caf
ANTI JOIN remplaces USING (personne_id, mois, groupe)
UNION ALL
SELECT personne_id, mois, natress, montant, arret_debut, 'cpam' FROM ajouts
ORDER BY ALL;
