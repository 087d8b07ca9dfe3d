-- Personnes des ménages de la CPAM dont tous les adultes ont des ressources connues. Nationalité : née en France, ou C2S
-- ouverte (séjour régulier), sinon inconnue. Régime AU : activité indépendante. Maternité indemnisée dans la période :
-- enceinte. Statut d'étudiant inconnu : le calcul le suppose avant 26 ans sans salaire.
WITH connus AS (
    SELECT c.menage_id
    FROM core__menages_cpam AS c
    JOIN core__cpam_assures AS a USING (personne_id)
    GROUP BY c.menage_id
    HAVING bool_and(coalesce(a.ressources_connues, 0) = 1) FILTER (c.role <> 'ENF')
),
maternites AS (
    SELECT DISTINCT personne_id
    FROM core__cpam_ressources
    WHERE natress = '013' AND montant > 0 AND list_contains($periode, mois)
)
SELECT c.personne_id, c.menage_id, c.role, NULL::VARCHAR AS present_du, NULL::VARCHAR AS present_au,
       CASE WHEN a.ne_en_france = 1 OR (a.c2s IN ('1', '2') AND coalesce(a.c2s_debut, $mois) <= $mois
                                        AND coalesce(a.c2s_fin, $mois) >= $mois) THEN 'F' END AS nati,
       CASE a.regime WHEN 'AU' THEN 'ETI' WHEN 'AG' THEN 'AG' END AS act,
       NULL::TINYINT AS etudiant, (m.personne_id IS NOT NULL)::TINYINT AS enceinte,
       a.naissance_annee, a.naissance_mois
FROM core__menages_cpam AS c
JOIN connus USING (menage_id)
JOIN core__cpam_assures AS a USING (personne_id)
LEFT JOIN maternites AS m USING (personne_id);
