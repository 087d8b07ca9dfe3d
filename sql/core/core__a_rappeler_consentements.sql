-- Consents in force at the end of the month, folded from their events. Any doubt is no consent (GDPR art. 7):
-- two different terms, a refusal or withdrawal whenever it came, a date after the month, an unknown recipient,
-- a form that does not name what a list reveals, a representative without mandate, no expiry.
-- A consent of someone who opposed, to contact or to processing, is none.
-- The cellule checks everything again at delivery, against events that this extract cannot know.
CREATE OR REPLACE TABLE core__a_rappeler_consentements AS
WITH plies AS (
    SELECT consentement_id, min(finalite) AS finalite, coalesce(min(destinataire), 'CELLULE') AS destinataire,
           min(evenement_le) AS evenement_le, min(expire_le) AS expire_le,
           min(formulaire_version) AS formulaire_version,
           bool_and(evenement IS NOT DISTINCT FROM 'DONNE') AS est_donne,
           bool_and(evenement_le IS NOT NULL AND evenement_le <= $jour::DATE) AS est_date,
           bool_and(formulaire_version IS NOT NULL AND formulaire_sha256 IS NOT NULL) AS a_formulaire,
           bool_and(coalesce(capacite = 'SOI' OR (capacite = 'REPRESENTANT' AND representant_ref IS NOT NULL), false))
               AS est_capable,
           bool_and(coalesce(expire_le >= $jour::DATE, false)) AS est_en_cours,
           count(DISTINCT (finalite, destinataire, formulaire_version, formulaire_sha256, expire_le, capacite,
                           representant_ref)) AS termes
    FROM core__cellule_consentements
    GROUP BY consentement_id
),
contraires AS (
    SELECT l.personne_uid, c.finalite, max(c.evenement_le) AS dernier_le
    FROM core__cellule_consentements AS c
    JOIN core__personnes_liees AS l ON l.source = 'cellule' AND l.personne_id = c.consentement_id
    WHERE c.evenement IN ('REFUSE', 'RETIRE')
    GROUP BY ALL
)
SELECT p.consentement_id, p.finalite, p.expire_le,
       CASE p.finalite WHEN 'RAPPEL_RSA' THEN 'rsa' WHEN 'RAPPEL_PPA' THEN 'ppa' END AS droit
FROM plies AS p
ANTI JOIN core__personnes_opposees AS o ON o.source = 'cellule' AND o.personne_id = p.consentement_id
LEFT JOIN core__personnes_liees AS l ON l.source = 'cellule' AND l.personne_id = p.consentement_id
LEFT JOIN contraires AS x ON x.personne_uid = l.personne_uid AND x.finalite = p.finalite
WHERE p.est_donne AND p.est_date AND p.a_formulaire AND p.est_capable AND p.est_en_cours AND p.termes = 1
  AND p.finalite IN ('RAPPEL_RSA', 'RAPPEL_PPA')
  AND p.destinataire IN (SELECT unnest($destinataires::VARCHAR[]))
  AND (p.destinataire = 'CELLULE' OR p.formulaire_version IN (SELECT unnest($formulaires_nommant::VARCHAR[])))
  AND (x.dernier_le IS NULL OR x.dernier_le < p.evenement_le)
ORDER BY p.consentement_id;
