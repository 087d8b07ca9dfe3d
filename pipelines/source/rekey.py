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

_CLEAR, _KEYED = "identifiant", "identifiant_livre"


@dataclass
class Rekeyer:
    """Re-keys the tables of one delivery and remembers the correspondence."""

    encoder: Encoder
    _known: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    def rekeyed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with every identifier replaced (32 hexadecimal characters); null stays null."""
        columns = [column for column in frame.columns if column in NATURES]
        for column in columns:
            self._learn(NATURES[column], frame[column])
        return frame.with_columns(self._replaced(frame[column]) for column in columns)

    def correspondence(self) -> pl.DataFrame:
        """nature, identifiant (clear), identifiant_livre (keyed), sorted."""
        schema = {"nature": pl.String, _CLEAR: pl.String, _KEYED: pl.String}
        known = [
            frame.select(pl.lit(nature).alias("nature"), _CLEAR, _KEYED)
            for nature, frame in self._known.items()
        ]
        return pl.concat([pl.DataFrame(schema=schema), *known]).sort("nature", _CLEAR)

    def _learn(self, nature: str, clear: pl.Series) -> None:
        different = clear.drop_nulls().unique().alias(_CLEAR).to_frame()
        known = self._known.get(nature)
        fresh = different if known is None else different.join(known, on=_CLEAR, how="anti")
        keyed = tokens(self.encoder.identifier(nature), fresh[_CLEAR]).alias(_KEYED)
        learnt = fresh.with_columns(keyed)
        self._known[nature] = learnt if known is None else pl.concat([known, learnt])

    def _replaced(self, clear: pl.Series) -> pl.Series:
        known = self._known[NATURES[clear.name]]
        asked = clear.alias(_CLEAR).to_frame()
        return asked.join(known, on=_CLEAR, how="left", maintain_order="left")[_KEYED].alias(clear.name)
