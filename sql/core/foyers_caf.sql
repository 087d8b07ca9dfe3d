-- Foyers de la période, sur la fenêtre du calcul.
SELECT foyer_id AS menage_id, mois, sitfam, sitfam_date, occlog, aide_logement, af, af_base, cf, asf, paje_base,
       paje_prepare, aspa, dtr_phase
FROM core__caf_foyers
WHERE mois >= $debut AND foyer_id IN (SELECT menage_id FROM core__menages WHERE instrument = 'caf');
