"""The proof: the estimator in invented worlds whose truth is known."""

from pipelines.proof.campaign import RESULT, prove
from pipelines.proof.parts import code_mark, read_part, write_json, write_part
from pipelines.proof.scores import table
from pipelines.proof.worlds import chosen as worlds

__all__ = ["RESULT", "code_mark", "prove", "read_part", "table", "worlds", "write_json", "write_part"]
