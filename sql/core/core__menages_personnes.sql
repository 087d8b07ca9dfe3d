-- Personnes des ménages. CAF : présentes au dernier mois de la période où le foyer l'est. CPAM : voir
-- core__menages_cpam (une personne d'un couple possible est dans deux variantes).
CREATE OR REPLACE TABLE core__menages_personnes AS
WITH foyers AS (
    SELECT foyer_id, max(mois) AS mois
    FROM core__caf_foyers
    WHERE list_contains($periode, mois)
    GROUP BY foyer_id
)
SELECT DISTINCT p.foyer_id AS menage_id, 'caf' AS instrument, 'caf' AS source, p.personne_id, p.role
FROM core__caf_personnes AS p
JOIN foyers AS f ON f.foyer_id = p.foyer_id
WHERE coalesce(p.present_du, f.mois) <= f.mois AND coalesce(p.present_au, f.mois) >= f.mois
UNION ALL
SELECT menage_id, 'cpam', 'cpam', personne_id, role
FROM core__menages_cpam
ORDER BY ALL;
