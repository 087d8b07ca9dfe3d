-- Foyers que le rapport doit compter à part : accédants sans aide au logement (la pratique et le texte diffèrent), et
-- foyers dont l'aide au logement a varié depuis le trimestre de référence (R262-7 retiendrait les mois de référence).
SELECT count(DISTINCT foyer_id) FILTER (mois = $mois AND occlog = 'ACC' AND aide_logement = 0) AS accedants_sans_aide,
       count(DISTINCT foyer_id) FILTER (ecart > 0) AS aide_logement_variable
FROM (
    SELECT *, max(aide_logement) OVER (PARTITION BY foyer_id) - min(aide_logement) OVER (PARTITION BY foyer_id) AS ecart
    FROM core__caf_foyers
    WHERE mois BETWEEN $debut AND $mois
);
