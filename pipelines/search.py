"""A question to the index, and the sentences that answer it, each between its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from pipelines.embedder import Embedder
from pipelines.errors import SettingsError
from pipelines.ids import record_id
from pipelines.index import VectorIndex
from pipelines.reader import MAX_TOP_K, Reader
from pipelines.settings import RESERVED_METADATA, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.reader import Match
    from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Raises:
        SettingsError: there is no question, or `top_k` is more than an index gives.
    """

    question: str
    top_k: int = 5  # answers wanted

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise SettingsError("the question is empty: ask in words")
        if not 1 <= self.top_k <= MAX_TOP_K:
            raise SettingsError(f"top_k is {self.top_k}; allowed is 1 to {MAX_TOP_K}")

    @classmethod
    def among(cls, parameters: Mapping[str, str]) -> tuple[Self, Settings]:
        """Tell the parameters of job `search`, a question beside settings, apart.

        Raises:
            SettingsError: something is missing, or not what it should be.
        """
        text, top_k = parameters.get("question", ""), parameters.get("top_k", "").strip() or "5"
        if not top_k.isdecimal():
            raise SettingsError(f"top_k is {top_k!r}; allowed is 1 to {MAX_TOP_K}")
        asked, ours = cls(text, int(top_k)), {field.name for field in fields(cls)}
        return asked, load_settings({name: text for name, text in parameters.items() if name not in ours})


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence, where it stands."""

    score: float  # cosine with the question
    source_id: str  # the document's id in the source
    ordinal: int  # the sentence's place in it, from 0
    before: str  # the sentence before; empty where there is none
    sentence: str
    after: str  # the sentence after; empty where there is none
    metadata: Mapping[str, Any]  # the columns that were chosen


def search(settings: Settings, api_key: str, asked: Question) -> list[Answer]:
    """Find the sentences nearest to a question, the best one first.

    Raises:
        ModelError: the model cannot be loaded.
        VectorIndexError: the index cannot be reached, or refuses.
    """
    vector = Embedder(settings.model_path or None, settings.precision).encode([asked.question])[0]
    with VectorIndex(settings, api_key) as index:
        reader = Reader(index, settings.namespace)
        matches = reader.query(vector, asked.top_k)
        around = {near for match in matches for near in _neighbours(match)}
        texts = {name: str(found.metadata["text"]) for name, found in reader.fetch(sorted(around)).items()}
    answers = []
    for match in matches:
        before, after = (texts.get(near, "") for near in _neighbours(match))
        source_id, ordinal = str(match.metadata["source_id"]), int(match.metadata["ordinal"])
        chosen = {name: value for name, value in match.metadata.items() if name not in RESERVED_METADATA}
        answers.append(Answer(match.score, source_id, ordinal, before, str(match.metadata["text"]), after, chosen))
    return answers


def as_text(answers: Sequence[Answer]) -> str:
    """Lay answers out for a person."""
    lines = []
    for answer in answers:
        chosen = ", ".join(f"{name} {value}" for name, value in answer.metadata.items())
        about = f" ({chosen})" if chosen else ""
        lines.append(f"{answer.score:.3f}  {answer.source_id}{about}, sentence {answer.ordinal + 1}")
        around = (("    ", answer.before), ("  > ", answer.sentence), ("    ", answer.after))
        lines += [f"{margin}{text}" for margin, text in around if text]
        lines.append("")
    return "\n".join(lines) or "The index holds nothing yet: run the job first"


def _neighbours(match: Match) -> tuple[str, str]:
    """Ids of the sentence before and the one after, be they there or not."""
    doc_id, ordinal = str(match.metadata["doc_id"]), int(match.metadata["ordinal"])
    return record_id(doc_id, ordinal - 1), record_id(doc_id, ordinal + 1)
