-- Ménages dont quelqu'un a été tiré depuis moins d'un an, chez ce partenaire ou, par les personnes liées, chez l'autre.
WITH tires AS (
    SELECT partenaire AS source, personne_id, menage_base_id FROM meta__echantillon WHERE mois > $depuis
),
fiches AS (
    SELECT source, personne_id FROM tires
    UNION
    SELECT mp.source, mp.personne_id
    FROM tires AS t
    JOIN core__menages AS m ON m.instrument = t.source AND m.menage_base_id = t.menage_base_id
    JOIN core__menages_personnes AS mp ON mp.instrument = m.instrument AND mp.menage_id = m.menage_id
    WHERE mp.role NOT IN ('ENF', 'AUT')
),
personnes AS (
    SELECT source, personne_id FROM fiches
    UNION
    SELECT b.source, b.personne_id
    FROM fiches AS f
    JOIN core__personnes_liees AS a ON a.source = f.source AND a.personne_id = f.personne_id
    JOIN core__personnes_liees AS b USING (personne_uid)
)
SELECT DISTINCT m.menage_base_id
FROM core__menages AS m
JOIN core__menages_personnes AS mp USING (instrument, menage_id)
JOIN personnes AS p ON p.source = mp.source AND p.personne_id = mp.personne_id
WHERE m.instrument = $partenaire
ORDER BY m.menage_base_id
