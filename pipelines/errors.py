"""Every error this project raises on purpose.

StreamingEmbeddingsError
├── SettingsError    a setting is missing or wrong
├── SourceError      the source table or file cannot be read as asked
├── ModelError       the model's files or versions are not the ones asked for
├── UpdateFailed     a flow of the pipeline failed
├── VectorIndexError the vector index refused, or is not the index we expect
├── SyncRefused      a guard stopped the sync before its first write
├── LeaseLost        this run may no longer write, another one may
├── IndexDiffers     the index holds what no sync would mend
├── NotProven        a document was deleted, and the index still lists records of it
├── TooManyRefused   the index refused more records than the settings allow
└── DeploymentError  a workspace cannot be reached, or what was deployed there does not work
"""

from __future__ import annotations


class StreamingEmbeddingsError(Exception):
    """Base of the tree: catch this to catch everything we raise on purpose.

    Messages are one line for a person: what is wrong, what was got, what is allowed, what to do.
    """


class SettingsError(StreamingEmbeddingsError):
    """A setting is missing or wrong."""


class SourceError(StreamingEmbeddingsError):
    """The source table or file cannot be read as asked."""


class ModelError(StreamingEmbeddingsError):
    """The model's files or versions are not the ones asked for."""


class UpdateFailed(StreamingEmbeddingsError):
    """A flow of the pipeline failed; what other flows committed stays."""


class VectorIndexError(StreamingEmbeddingsError):
    """The vector index refused a request, or is not the index we expect.

    Attributes:
        status: HTTP status of its answer; None where there was none.
        retryable: the same request may succeed later, and does no harm if it was taken after all.
        refused: what it holds is at fault; fewer of it may be taken.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retryable: bool = False, refused: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.refused = refused


class SyncRefused(StreamingEmbeddingsError):
    """A guard stopped the sync before its first write; nothing was changed."""


class LeaseLost(StreamingEmbeddingsError):
    """This run may no longer write to its namespace; another one may. Nothing is claimed of what was on its way."""


class IndexDiffers(StreamingEmbeddingsError):
    """The index is not as the state says, so that no sync would mend it: a repair does."""


class NotProven(StreamingEmbeddingsError):
    """A document's records were deleted, and the index listed some of them until patience ran out."""


class TooManyRefused(StreamingEmbeddingsError):
    """The index refused more records than the settings allow; all others are in, and `dead_letter` names these."""


class DeploymentError(StreamingEmbeddingsError):
    """A Databricks workspace cannot be reached or refuses, or what was deployed there does not do what it should."""
