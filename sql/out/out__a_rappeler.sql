-- What the cellule receives: whom to call, about which right, until when. Nothing else.
CREATE OR REPLACE TABLE out__a_rappeler AS
SELECT consentement_id, droit, echeance
FROM core__a_rappeler_detail
WHERE raison = 'a_rappeler'
ORDER BY consentement_id, droit;
