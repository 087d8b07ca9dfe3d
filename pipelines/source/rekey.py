"""The partner's identifiers replaced by keyed ones, and the way back, kept at the partner."""

from dataclasses import dataclass, field

import polars as pl

from pipelines.source.encode import Encoder, tokens

NATURES = {
    "personne_id": "personne",
    "enfant_id": "personne",
    "ouvrant_droit_id": "personne",
    "foyer_id": "foyer",
    "dossier_id": "dossier",
    "foyer_c2s_id": "foyer_c2s",
    "consentement_id": "consentement",
    "action_id": "action",
    "repondant": "repondant",
    "representant_ref": "representant",
    "recueilli_par": "agent",
}
"""Columns replaced, and what they identify: columns of one nature stay joinable."""

LEFT_AS_THEY_ARE = ("echantillon_id", "enquete_id")
"""Identifiers the analyst gave, or that identify no person: they come back unchanged."""

Ways = dict[str, pl.DataFrame]
"""By nature: identifiant (clear) and identifiant_livre (keyed)."""

_CLEAR, _KEYED = "identifiant", "identifiant_livre"


def rekeyed(frame: pl.DataFrame, encoder: Encoder) -> tuple[pl.DataFrame, Ways]:
    """The frame with every identifier replaced (32 hexadecimal digits; null stays null), the ways back."""
    columns = [column for column in frame.columns if column in NATURES]
    natures = dict.fromkeys(NATURES[column] for column in columns)
    ways = {
        nature: _way(encoder, nature, [frame[c] for c in columns if NATURES[c] == nature])
        for nature in natures
    }
    return frame.with_columns(_replaced(frame[c], ways[NATURES[c]]) for c in columns), ways


def _way(encoder: Encoder, nature: str, columns: list[pl.Series]) -> pl.DataFrame:
    clear = pl.concat([column.drop_nulls().alias(_CLEAR) for column in columns]).unique()
    return pl.DataFrame([clear, tokens(encoder.identifier(nature), clear).alias(_KEYED)])


def _replaced(clear: pl.Series, way: pl.DataFrame) -> pl.Series:
    asked = clear.alias(_CLEAR).to_frame()
    return asked.join(way, on=_CLEAR, how="left", maintain_order="left")[_KEYED].alias(clear.name)


@dataclass
class Correspondence:
    """The ways back of a whole delivery, learnt slice after slice."""

    _known: dict[str, list[pl.DataFrame]] = field(default_factory=dict, repr=False)
    _settled: dict[str, int] = field(default_factory=dict, repr=False)

    def learn(self, ways: Ways) -> None:
        """Add the ways of a slice; what is known twice is forgotten once it weighs."""
        for nature, way in ways.items():
            known = self._known.setdefault(nature, [])
            known.append(way)
            if sum(part.height for part in known) > 2 * self._settled.get(nature, 500_000):
                self._known[nature] = [pl.concat(known).unique()]
                self._settled[nature] = self._known[nature][0].height

    def table(self, but: frozenset[str] = frozenset()) -> pl.DataFrame:
        """nature, identifiant, identifiant_livre, sorted; none of the delivered identifiers ``but``."""
        schema = {"nature": pl.String, _CLEAR: pl.String, _KEYED: pl.String}
        known = [
            pl.concat(parts).unique().select(pl.lit(nature).alias("nature"), _CLEAR, _KEYED)
            for nature, parts in self._known.items()
        ]
        every = pl.concat([pl.DataFrame(schema=schema), *known])
        return every.filter(~pl.col(_KEYED).is_in(list(but))).sort("nature", _CLEAR)
