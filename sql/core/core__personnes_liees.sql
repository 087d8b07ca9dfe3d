-- Liens reconduits : les identifiants ne changent pas d'un mois à l'autre, donc les liens déjà faits restent vrais.
-- Qui n'est plus livré disparaît ; qui est nouveau n'est lié à personne.
CREATE OR REPLACE TABLE core__personnes_liees AS
WITH presents AS (
    SELECT 'caf' AS source, personne_id FROM core__caf_personnes
    UNION SELECT 'cpam', personne_id FROM core__cpam_assures
    UNION SELECT 'departement', personne_id FROM core__departement_personnes
    UNION SELECT 'msa', personne_id FROM core__msa_assures
    UNION SELECT 'cellule', consentement_id FROM core__cellule_consentements
),
nouveaux AS (
    SELECT source, personne_id, row_number() OVER (ORDER BY source, personne_id) AS rang
    FROM presents ANTI JOIN core__personnes_liees USING (source, personne_id)
)
SELECT personne_uid, source, personne_id, poids
FROM core__personnes_liees SEMI JOIN presents USING (source, personne_id)
UNION ALL
SELECT (SELECT max(personne_uid) FROM core__personnes_liees) + rang, source, personne_id, NULL
FROM nouveaux
ORDER BY personne_uid, source, personne_id;
