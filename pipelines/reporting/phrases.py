"""The sentences that say what the figures say, in the words of a manager who has four minutes."""

from pipelines.reporting import labels
from pipelines.reporting.figures import (
    Count,
    Dimension,
    Estimate,
    Extract,
    Figures,
    Group,
    MoreAnswers,
    Place,
    Ratio,
    Right,
)
from pipelines.reporting.nombres import between, enumeration, euros, month, number, percent, quarter

ENTITLED = {
    "rsa": "ont droit au RSA",
    "ppa": "ont droit à la prime d'activité",
    "rsa_et_ppa": "ont droit aux deux à la fois",
}
UNTAKEN = {
    "rsa": "ne le touchent pas",
    "ppa": "ne la touchent pas",
    "rsa_et_ppa": "ne les touchent pas",
}
HIDDEN = "Ce taux n'est pas publiable (secret statistique)."


def interval(estimate: Estimate) -> str:
    """``entre 27 et 35``, or ``environ 31`` without an interval."""
    if estimate.bas is None or estimate.haut is None:
        return f"environ {estimate.taux}"
    return between(estimate.bas, estimate.haut)


def claim(right: Right, starts: bool = True) -> str:
    """The headline of a right, interval in words; ``starts``: with a capital."""
    if right.principal is None:
        return HIDDEN
    words = f"{interval(right.principal)} ménages sur 100 qui {ENTITLED[right.droit]} {UNTAKEN[right.droit]}"
    return f"{words[:1].upper() if starts else words[:1]}{words[1:]}."


def money(right: Right) -> str:
    """What is not claimed, per month, per year and per household."""
    found = right.principal
    if found is None or found.euros_mois is None or found.euros_an is None:
        return ""
    share = found.euros_menage_mois
    each = f", soit environ {euros(share)} par mois et par ménage concerné" if share else ""
    return (
        f"{euros(found.euros_mois)} ne sont pas réclamés chaque mois ({euros(found.euros_an)} par an){each}."
    )


def change(right: Right) -> str:
    """The change since the last quarter, and whether it is more than noise."""
    moved, now = right.evolution, right.corrige
    if moved is None or now is None:
        return "Il n'y a pas encore de trimestre précédent auquel comparer."
    since = f"depuis le {quarter(moved.periode)}" if "T" in moved.periode else "depuis trois mois"
    if moved.points == 0:
        return f"Le taux n'a pas bougé {since}."
    move = f"Le taux est passé de {moved.precedent.taux} à {now.taux} sur 100 {since}."
    return f"{move} {_meaning(moved.est_bruit, moved.points)}"


def _meaning(is_noise: bool, points: int) -> str:
    if is_noise:
        return (
            "Cet écart est plus petit que l'incertitude de la mesure : "
            "on ne peut pas dire que la situation a changé."
        )
    direction = "la hausse" if points > 0 else "la baisse"
    return (
        f"Cet écart est plus grand que l'incertitude de la mesure : {direction} est très probablement réelle."
    )


def methods_seen(figures: Figures) -> str:
    """What to see in the drawing of the three readings."""
    right = figures.right("rsa")
    if right.corrige is None or right.naif is None:
        return "Le trait épais est l'intervalle : le vrai taux s'y trouve très probablement."
    gap = right.naif.taux - right.corrige.taux
    if gap == 0:
        return "Pour le RSA, la correction ne change pas le taux ; le trait montre l'incertitude."
    side = "au-dessus" if gap > 0 else "au-dessous"
    return (
        f"Pour le RSA, rapprocher les fichiers sans rien corriger placerait le taux {abs(gap)} "
        f"{'points' if abs(gap) > 1 else 'point'} {side} de notre estimation."
    )


def places_seen(places: tuple[Place, ...], droit: str) -> str:
    """What to see on the map: the extremes, and whether they can be told apart."""
    shown = [(place, rate) for place in places if (rate := place.taux[droit])]
    if len(shown) < 2:
        return "Trop peu de regroupements sont publiables pour les comparer."
    ordered = sorted(shown, key=lambda pair: (pair[1].taux, pair[0].nom))
    (low_place, low), (high_place, high) = ordered[0], ordered[-1]
    extremes = f"Le taux va de {low.taux} sur 100 ({low_place.nom}) à {high.taux} sur 100 ({high_place.nom})."
    if _overlap(low, high):
        return f"{extremes} Les deux intervalles se recouvrent : l'écart entre ces lieux n'est pas établi."
    return f"{extremes} Les deux intervalles ne se recouvrent pas : l'écart est établi."


def profile_seen(dimension: Dimension, droit: str, ensemble: Estimate | None) -> str:
    """What to see in one dimension of the profile: the groups surely above the territory."""
    shown = [(group, rate) for group in dimension.groupes if (rate := group.taux[droit])]
    if not shown or ensemble is None:
        return "Aucun groupe n'est assez nombreux pour être publié."
    above = [group.nom.lower() for group, rate in shown if rate.bas is not None and rate.bas > ensemble.taux]
    if above:
        named = enumeration(above)
        return f"Plus touchés que l'ensemble du territoire, même en comptant l'incertitude : {named}."
    return "Aucun groupe ne s'écarte nettement, vers le haut, du taux de l'ensemble du territoire."


def most_at_risk(figures: Figures, droit: str) -> list[tuple[str, Estimate]]:
    """The three published groups of highest rate whose whole interval is above the territory's rate.

    Not by C2S: whoever receives the RSA has it, so that lacking it is a consequence, not a risk.
    """
    ensemble = figures.right(droit).principal
    found = [
        (group.nom, rate)
        for dimension in figures.profil
        if dimension.code != "c2s"
        for group in dimension.groupes
        if (rate := group.taux[droit]) and ensemble and rate.bas is not None and rate.bas > ensemble.taux
    ]
    return sorted(found, key=lambda pair: (-pair[1].taux, pair[0]))[:3]


def comparison_seen(figures: Figures) -> str:
    """What to see beside France: the groups whose interval does not hold the national rate."""
    apart = [g for g in figures.comparaison if not _holds(g.taux["rsa"], g.france_2018)]
    if not apart:
        return (
            "Pour chaque groupe, le taux national de 2018 est dans l'intervalle du territoire : "
            "rien ne dit que le territoire soit différent."
        )
    sides = {True: "au-dessus", False: "au-dessous"}
    said = [f"{g.nom.lower()} ({sides[_above(g)]})" for g in apart]
    return f"Hors de l'intervalle du territoire, le taux national de 2018 : {enumeration(said)}."


def _holds(rate: Estimate | None, france: int | None) -> bool:
    if rate is None or france is None or rate.bas is None or rate.haut is None:
        return True
    return rate.bas <= france <= rate.haut


def _above(group: Group) -> bool:
    """True when France is above the territory."""
    rate = group.taux["rsa"]
    return rate is not None and group.france_2018 is not None and group.france_2018 > rate.taux


STOPPED = {
    "etape:jamais_demande": "n'ont jamais rien demandé",
    "etape:refuse": "ont demandé et ont été refusés",
    "etape:clos": "ont touché, puis leur droit a été fermé",
    "etape:declaration_manquante": "ont touché, puis n'ont plus déclaré leurs ressources",
}


def path_seen(figures: Figures, droit: str) -> str:
    """Where non-take-up of a right stopped, in one sentence."""
    name = labels.label("droits", droit)
    steps = [(STOPPED[step.code], rate) for step in figures.parcours.etapes if (rate := step.taux[droit])]
    if not steps:
        return f"{name} : trop peu de ménages pour dire où le non-recours s'arrête."
    said = [f"{interval(rate)} {words}" for words, rate in sorted(steps, key=lambda pair: -pair[1].taux)]
    return f"{name} : sur 100 ménages éligibles, {' ; '.join(said)}."


LASTING_CAVEAT = (
    "Durable : éligible et non recourant trois trimestres de suite, comme le compte la DREES. Dans le "
    "fichier de la CAF, c'est observé ; pour les ménages qui en sont absents, la part de durable est celle "
    "des ménages de la CAF qui n'ont jamais demandé."
)


def lasting(figures: Figures, droit: str) -> str:
    """Durable and spot non-take-up of a right."""
    name = labels.label("droits", droit)
    durable = next((s.taux[droit] for s in figures.parcours.durees if s.code == "duree:durable"), None)
    spot = figures.parcours.ponctuel.taux[droit] if figures.parcours.ponctuel else None
    if durable is None:
        return f"{name} : {HIDDEN[:1].lower()}{HIDDEN[1:]}"
    said = f"{name} : {interval(durable)} ménages éligibles sur 100 s'en passent depuis trois trimestres."
    if spot is None:
        return said
    opened = (
        f"environ {number(spot.non_recourants)} ménages connus de la CAF l'ont obtenu au trimestre suivant"
    )
    return f"{said} Parmi ceux qui n'en bénéficiaient pas au trimestre d'avant, {opened}."


def sharper(figures: Figures, droit: str) -> list[tuple[str, Ratio]]:
    """Groups and their ratio to the reference group of their dimension, for the annex."""
    return [
        (group.nom, ratio)
        for dimension in figures.profil
        for group in dimension.groupes
        if (ratio := group.rapports.get(droit))
    ]


def over_fifty(figures: Figures, droit: str) -> str:
    """The sentence on people of 50 and over, always said."""
    groups = [group for dimension in figures.profil for group in dimension.groupes if group.code == "age:50+"]
    rate = groups[0].taux[droit] if groups else None
    name = labels.label("droits", droit)
    if rate is None:
        return f"{name} : taux non publiable (secret statistique)."
    untaken = f"{UNTAKEN[droit]} ({number(rate.non_recourants)} ménages environ)"
    return f"{name} : {interval(rate)} ménages sur 100 qui y ont droit {untaken}."


def farmers(figures: Figures) -> str:
    """What is known of farmers."""
    known = figures.agriculteurs
    if known.est_mesurable:
        return "La MSA participe : les ménages du régime agricole sont compris dans tous les taux."
    seen = []
    if known.menages_rsa_msa is not None:
        seen.append(f"environ {number(known.menages_rsa_msa)} ménages touchent le RSA par la MSA")
    if known.personnes_regime_agricole is not None:
        seen.append(
            f"{number(known.personnes_regime_agricole)} personnes environ relèvent du régime agricole"
        )
    known_elsewhere = f" Les autres fichiers montrent seulement que {enumeration(seen)}." if seen else ""
    return f"Non mesurable : la MSA ne participe pas.{known_elsewhere}"


LEFT_OUT = ("inconnu", "en_cours", "desaccord", "parti")


def left_out(figures: Figures) -> list[Count]:
    """The households that no rate counts, and the persons who objected."""
    return [
        count
        for count in figures.effectifs
        if count.rubrique == "exclus" or (count.rubrique == "situations" and count.modalite in LEFT_OUT)
    ]


def other_counts(figures: Figures) -> list[Count]:
    """Every other count, for the annex."""
    said = left_out(figures)
    return [count for count in figures.effectifs if count not in said]


def verification(need: MoreAnswers) -> str:
    """How many more verification answers would narrow the interval to ± 3 points."""
    name = labels.label("droits", need.droit)
    if need.reponses is None:
        return f"{name} : même des milliers de réponses ne donneraient pas le taux à 3 points près."
    if need.reponses == 0:
        return f"{name} : le taux est déjà connu à 3 points près."
    return (
        f"{name} : environ {number(need.reponses)} dossiers vérifiés de plus, pour chacun des tirages "
        "demandés aux caisses, donneraient le taux à 3 points près."
    )


def lateness(extract: Extract) -> str:
    """The month of a file, and how late it is."""
    if extract.retard_mois <= 0:
        return month(extract.mois)
    late = "un mois de retard" if extract.retard_mois == 1 else f"{extract.retard_mois} mois de retard"
    return f"{month(extract.mois)} ({late})"


def recovered(figures: Figures) -> str:
    """What the computation makes of the households that are paid: the first figure of its quality."""
    shares = [
        f"{percent(100 * p.valeur)} ({labels.label('droits_courts', p.droit)})"
        for p in figures.parametres
        if p.nom == "Se"
    ]
    paid = (
        "Première mesure de qualité : des ménages payés dont les ressources sont connues, le calcul retrouve"
    )
    return f"{paid} éligibles {enumeration(shares)}." if shares else ""


def alerts(figures: Figures) -> list[str]:
    """The data-quality facts a manager must know this month."""
    late = [labels.label("partenaires", e.partenaire) for e in figures.extraits if e.retard_mois > 0]
    heavy = [e for e in figures.extraits if e.recues and e.ecartees / e.recues > 0.01]
    found = [f"Fichier en retard : {enumeration(late)}."] if late else []
    found += [
        f"{labels.label('partenaires', e.partenaire)} : {number(e.ecartees)} lignes écartées sur "
        f"{number(e.recues)}, plus d'une sur cent."
        for e in heavy
    ]
    if figures.corrections:
        found.append(f"{number(figures.corrections)} lignes de mois déjà livrés ont été corrigées depuis.")
    found += figures.alertes
    return found or ["Aucune alerte : les fichiers sont à l'heure et moins d'une ligne sur cent est écartée."]


def _overlap(one: Estimate, other: Estimate) -> bool:
    if one.bas is None or one.haut is None or other.bas is None or other.haut is None:
        return True
    return one.bas <= other.haut and other.bas <= one.haut
