-- Ménages de la CPAM qui peuvent être tirés, une ligne par adulte, chaque personne une fois. Les strates ne disent que
-- ce que la CPAM sait déjà (âge, C2S, commune) : ni le lien ni le volet ne servent au tirage.
WITH communes AS (
    SELECT menage_base_id, arg_max(commune_insee, poids_variante) AS commune_insee
    FROM core__menages
    WHERE instrument = 'cpam'
    GROUP BY menage_base_id
)
SELECT DISTINCT s.menage_base_id, mp.personne_id,
       CASE WHEN s.est_lie THEN 'FAUX_LIENS' ELSE 'B' END AS volet,
       CASE WHEN s.a_c2s THEN 'C2S' ELSE 'sans C2S' END AS profil, s.bande_age, t.regroupement,
       s.caf_menage_base_id AS menage_lie_id
FROM core__situations_menages AS s
JOIN communes AS c USING (menage_base_id)
JOIN core__situations_communes AS t ON t.commune_insee = c.commune_insee
JOIN core__menages AS m ON m.instrument = s.instrument AND m.menage_base_id = s.menage_base_id
JOIN core__menages_personnes AS mp ON mp.instrument = m.instrument AND mp.menage_id = m.menage_id
    AND mp.source = 'cpam' AND mp.role NOT IN ('ENF', 'AUT')
ANTI JOIN core__personnes_opposees AS x ON x.source = mp.source AND x.personne_id = mp.personne_id
LEFT JOIN core__personnes_liees AS q ON q.source = mp.source AND q.personne_id = mp.personne_id
WHERE s.instrument = 'cpam' AND s.bande_age IS NOT NULL
QUALIFY s.menage_base_id = min(s.menage_base_id) OVER (PARTITION BY coalesce(q.personne_uid::VARCHAR, mp.personne_id))
ORDER BY s.menage_base_id, mp.personne_id
