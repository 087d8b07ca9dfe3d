-- Consents the files cannot answer for: the cellule asks the person, and nobody else receives them.
CREATE OR REPLACE TABLE out__a_verifier AS
SELECT consentement_id, raison
FROM core__a_rappeler_detail
WHERE raison IN ('ambigu', 'sans_enregistrement', 'droit_inconnu')
ORDER BY consentement_id;
