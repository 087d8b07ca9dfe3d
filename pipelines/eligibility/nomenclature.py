"""From the codes of the contract to the variables and labels of OpenFisca-France."""

from typing import Final

SALARIES: Final = "salaire_net"

VARIABLE_OF_NATRESS: Final[dict[str, str]] = {
    "001": SALARIES,
    "005": SALARIES,
    "006": "gains_exceptionnels",
    "008": "gains_exceptionnels",
    "009": "indemnites_chomage_partiel",
    "010": "chomage_net",
    "011": "indemnites_journalieres_maladie",
    "012": "indemnites_journalieres_accident_travail",
    "013": "indemnites_journalieres_maternite",
    "014": "indemnites_journalieres_paternite",
    "021": "pensions_invalidite",
    "022": "retraite_nette",
    "028": "retraite_nette",
    "070": "retraite_nette",
    "026": "pensions_alimentaires_percues",
    "206": "pensions_alimentaires_percues",
    "213": "pensions_alimentaires_percues",
    "214": "pensions_alimentaires_percues",
    "030": "rpns_auto_entrepreneur_benefice",
    "040": "revenus_locatifs",
    "044": "revenus_capital",
    "201": "revenus_stage_formation_pro",
}
"""Monthly incomes. Benefits of another body and fictive ASF take the variable whose treatment is theirs:
not from work, counted in full by both rights. 060, 212 and 216 are not resources."""

YEARLY_NATURES: Final = ("031", "032", "033")
"""Last known annual result divided by 12: the same amount every month, real regime and farms."""

FARM_NATURES: Final = ("032", "033")
UNCLASSIFIED_SELF_EMPLOYED: Final = "034"

DAILY_ALLOWANCES: Final = (
    "indemnites_journalieres_maladie",
    "indemnites_journalieres_accident_travail",
    "indemnites_journalieres_maternite",
    "indemnites_journalieres_paternite",
)
STOPPAGES: Final = DAILY_ALLOWANCES[:2]

WORK_VARIABLES: Final = (
    SALARIES,
    "indemnites_chomage_partiel",
    "rpns_auto_entrepreneur_benefice",
    "revenus_stage_formation_pro",
)
"""Incomes from work: they make PPA possible, and a person of 18 to 25 who has some is not only a student."""

NEUTRALISED: Final = (*WORK_VARIABLES, "chomage_net")
"""Incomes left out once they have stopped for certain and nothing replaces them (CASF R262-13). The daily
allowances and the ASS are too, by the same article, where no work follows either."""

REPLACEMENT_INCOMES: Final = (
    "chomage_net",
    "indemnites_chomage_partiel",
    "revenus_stage_formation_pro",
    *DAILY_ALLOWANCES,
    "retraite_nette",
    "pensions_invalidite",
)
REPLACEMENT_BENEFITS: Final = ("ass",)
"""Revenus de substitution of CASF R262-13: what OpenFisca counts as such (unemployment, daily allowances,
pensions) and what else the law calls a replacement income (ASS: code du travail L5421-2)."""

STATUS_OF_OCCLOG: Final[dict[str, str]] = {
    "PRO": "proprietaire",
    "ACC": "primo_accedant",
    "LOC": "locataire_vide",
    "HOP": "locataire_meuble",
    "HOT": "locataire_meuble",
    "HCO": "locataire_foyer",
    "HCG": "loge_gratuitement",
    "HGP": "loge_gratuitement",
    "BAL": "loge_gratuitement",
    "SRG": "loge_gratuitement",
    "SRO": "sans_domicile",
}
"""TYPEOCCLOG to statut_occupation_logement. Tenants are not distinguished (same RSA and PPA); BAL and SRG are
the codes of a housing flat rate to be applied; OLI says that nobody knows."""

UNKNOWN_STATUS: Final = "non_renseigne"

ISOLATION_SITUATIONS: Final = ("ABA", "DIV", "ISO", "SEF", "SEL", "VEU")
"""SITFAM that begin with the end of a life as a couple; their date opens the RSA majoré."""

ISOLATION_MONTHS: Final = 18

APPRENTICE_ACT: Final = "APP"
SELF_EMPLOYED_ACT: Final = ("ETI", "EXP")
"""ACT of a non-salaried activity: without a known result, the household's income is unknown."""

FARM_REGIME: Final = "AG"
"""The régime agricole of a CPAM file, carried as an activity."""

FARM_ACT: Final = ("EXP", "AFA", FARM_REGIME)
"""Farmers at the CAF, and persons of the régime agricole."""

RANK_OF_ROLE: Final[dict[str, int]] = {"DEM": 0, "CJT": 1, "ENF": 2, "AUT": 2, "RDO": 3}
"""ROLEPERS to rank. RDO holds the file: the applicant when there is no DEM, else outside the household."""
