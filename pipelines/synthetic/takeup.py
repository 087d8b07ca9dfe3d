"""Who asks, who waits, who is paid, who stops: the files of RSA and PPA, month after month.

Each household has, per right, a propensity (logit on what DREES found to matter in 2018: Dossiers de la DREES
92) and a draw that stays with it: below its propensity it asks soon after becoming entitled, above it hardly
ever. The files then follow the states and reasons of the CNAF–Département flows.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic.margins import Array, Rng, section, shares

NO_FILE, WAITING, REFUSED, PAYABLE, SUSPENDED, PAYMENT_SUSPENDED, CLOSED, CLOSED_ADJUSTED = (
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
)
OPEN = (PAYABLE, SUSPENDED, PAYMENT_SUSPENDED)
RESOURCES, BELOW_THRESHOLD, DECLARATION_MISSING, AWAITING_DECISION = "01", "05", "06", "CV"
FOUR_MONTHS_WITHOUT_RIGHT, MOVED_AWAY, WITHDRAWN = "ECH", "MUT", "RAU"
NEVER = -1


@dataclass(frozen=True)
class Surroundings:
    """Households × months of the window: what weighs on asking, and where they are.

    ``log_odds`` holds the part of the propensity common to both rights; ``served`` says that the household
    lives where this CAF, or the MSA, keeps its file.
    """

    log_odds: Array
    known: Array
    alive: Array
    served: Array


@dataclass
class Files:
    """The files of one right: state, reasons, month of request (number), months spent without right."""

    state: Array
    motif: Array
    refusal: Array
    closing: Array
    requested: Array
    nil: Array
    ever: Array

    @classmethod
    def none(cls, size: int) -> "Files":
        """No file for anybody."""
        return cls(
            state=np.full(size, NO_FILE, np.int8),
            motif=np.full(size, "", "U2"),
            refusal=np.full(size, "", "U3"),
            closing=np.full(size, "", "U3"),
            requested=np.full(size, NEVER, np.int64),
            nil=np.zeros(size, np.int64),
            ever=np.zeros(size, bool),
        )

    def copy(self) -> "Files":
        """A photograph of the month."""
        return Files(**{name: values.copy() for name, values in vars(self).items()})

    def is_open(self) -> Array:
        """Payable or suspended."""
        return np.asarray(np.isin(self.state, OPEN))


def propensity(around: Surroundings, amount: Array, files: Files, droit: str, column: int) -> Array:
    """Chance that an entitled household is one that asks, in a month of the window."""
    facts = section("recours")
    odds = facts[f"{droit}_constante"] + around.log_odds[:, column] + facts["deja_ouvert"] * files.ever
    odds = odds + facts["montant"] * (amount - facts["montant_reference"]).clip(-300, 500)
    odds = odds + np.where(around.known[:, column], 0.0, facts["hors_caf"])
    return np.asarray(1 / (1 + np.exp(-odds)))


def take_up(
    rng: Rng, around: Surroundings, entitled: Array, amounts: Array, droit: str, draw: Array, first: int
) -> list[Files]:
    """Files of one right for every month of the window, after a warm-up on its first month.

    ``entitled`` and ``amounts``: households × months; ``draw``: the uniform that stays with the household;
    ``first``: number of the first month.
    """
    files, warm_up, told = Files.none(len(draw)), section("recours")["mois_de_chauffe"], []
    for step in range(-warm_up, entitled.shape[1]):
        column = max(step, 0)
        chance = propensity(around, amounts[:, column], files, droit, column)
        here = around.alive[:, column] & around.served[:, column]
        _move_away(files, around, column)
        _one_month(rng, files, entitled[:, column] & here, draw < chance, here, first + step)
        if step >= 0:
            told.append(files.copy())
    return told


def _one_month(rng: Rng, files: Files, entitled: Array, asks: Array, here: Array, month: int) -> None:
    before = files.state.copy()
    files.state[files.state == CLOSED_ADJUSTED] = CLOSED
    _decide(rng, files, entitled, before)
    _interrupt(rng, files, before)
    _resume(rng, files, entitled)
    _count_nil_months(rng, files, entitled)
    _ask(rng, files, entitled, asks, here, before, month)


def _ask(
    rng: Rng, files: Files, entitled: Array, asks: Array, here: Array, before: Array, month: int
) -> None:
    facts, draw = section("recours"), rng.random(len(asks))
    rate = np.where(asks, facts["demande_par_mois"], facts["demande_si_non_preneur"])
    dropped = (before == CLOSED) & (files.motif == DECLARATION_MISSING)
    rate = np.where(dropped, facts["reouverture_apres_ech"] * asks, rate)
    rate = np.where(before == REFUSED, rate * 0.25, rate)
    rate = np.where(entitled, rate, facts["demande_sans_droit"])
    asking = here & np.isin(before, (NO_FILE, REFUSED, CLOSED)) & (draw < rate)
    files.state[asking], files.requested[asking] = WAITING, month
    files.motif[asking] = np.where(rng.random(int(asking.sum())) < 0.1, AWAITING_DECISION, "")
    files.refusal[asking] = files.closing[asking] = ""


def _decide(rng: Rng, files: Files, entitled: Array, before: Array) -> None:
    facts, draw = section("recours"), rng.random(len(entitled))
    decided = (before == WAITING) & (draw < facts["attente"])
    wrongly = rng.random(len(entitled)) < facts["refus_a_tort"]
    granted = decided & entitled & ~wrongly
    files.state[granted], files.motif[granted], files.nil[granted] = PAYABLE, "", 0
    files.ever |= granted
    refused = decided & ~granted
    files.state[refused], files.motif[refused] = REFUSED, ""
    files.refusal[refused] = rng.choice(
        facts["motifs_refus"], int(refused.sum()), p=shares(facts["motifs_refus_poids"])
    )


def _interrupt(rng: Rng, files: Files, before: Array) -> None:
    """Declarations that do not come, and decisions of the Département or of CAF."""
    facts, draw = section("recours"), rng.random(len(before))
    paid = before == PAYABLE
    silent = paid & (draw < facts["declaration_manquante"])
    files.state[silent], files.motif[silent], files.nil[silent] = SUSPENDED, DECLARATION_MISSING, 0
    stopped = paid & (draw > 1 - facts["decision_suspendue"])
    files.state[stopped] = np.where(rng.random(int(stopped.sum())) < 0.7, SUSPENDED, PAYMENT_SUSPENDED)
    files.motif[stopped] = rng.choice(
        facts["motifs_decision"], int(stopped.sum()), p=shares(facts["motifs_decision_poids"])
    )
    files.nil[stopped] = 0


def _resume(rng: Rng, files: Files, entitled: Array) -> None:
    facts, draw = section("recours"), rng.random(len(entitled))
    stopped = np.isin(files.state, (SUSPENDED, PAYMENT_SUSPENDED))
    nil = stopped & np.isin(files.motif, (RESOURCES, BELOW_THRESHOLD))
    silent = stopped & (files.motif == DECLARATION_MISSING) & (files.nil > 0)
    decided = stopped & ~nil & (files.motif != DECLARATION_MISSING)
    back = (
        (nil & entitled)
        | (silent & (draw < facts["retour_apres_06"]))
        | (decided & (draw < facts["fin_decision"]))
    )
    files.state[back], files.motif[back], files.nil[back] = PAYABLE, "", 0


def _count_nil_months(rng: Rng, files: Files, entitled: Array) -> None:
    """Open files without right this month; after four such months they are closed (ECH)."""
    facts = section("recours")
    nothing = (files.state == PAYABLE) & ~entitled
    files.state[nothing] = SUSPENDED
    files.motif[nothing] = np.where(rng.random(int(nothing.sum())) < 0.85, RESOURCES, BELOW_THRESHOLD)
    unpaid = (files.state == SUSPENDED) & np.isin(
        files.motif, (RESOURCES, BELOW_THRESHOLD, DECLARATION_MISSING)
    )
    files.nil = np.where(unpaid, files.nil + 1, np.where(files.state == PAYABLE, 0, files.nil))
    over = unpaid & (files.nil > facts["mois_sans_droit_avant_ech"])
    adjusted = rng.random(len(entitled)) < facts["part_cloture_6"]
    files.state[over] = np.where(adjusted[over], CLOSED_ADJUSTED, CLOSED)
    files.closing[over] = FOUR_MONTHS_WITHOUT_RIGHT


def _move_away(files: Files, around: Surroundings, column: int) -> None:
    """Close what the household leaves behind: MUT when it moves to another CAF; forget it once closed."""
    left = around.alive[:, column] & ~around.served[:, column]
    gone = left & (files.closing == MOVED_AWAY)
    files.state[gone], files.closing[gone], files.motif[gone] = NO_FILE, "", ""
    leaving = left & np.isin(files.state, (WAITING, *OPEN))
    files.state[leaving], files.closing[leaving], files.motif[leaving] = CLOSED, MOVED_AWAY, ""
    silent = left & ~leaving
    files.state[silent], files.closing[silent], files.refusal[silent] = NO_FILE, "", ""
