"""A text goes through the model once in a worker, however often it comes."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pipelines.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MAX_KEPT: Final = 16_384  # vectors of the texts seen last: 25 MB of 384 components; what repeats much stays


class Once:
    """Embeds texts, and remembers the last of them.

    Args:
        model_path: as `Embedder` has it.
        precision: likewise.
        expected: fingerprint that the settings name.
    """

    def __init__(self, model_path: str | None, precision: str, expected: str) -> None:
        self._model = (model_path, precision)
        self._expected = expected
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> tuple[list[NDArray[np.float32]], list[bool]]:
        """Embed texts; no model is loaded where all are remembered.

        Returns:
            A vector for each text, and whether the model ran for it: of equal texts, only for the first.

        Raises:
            ModelError: what runs is not what the settings say.
        """
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        made = dict(zip(new, self._vectors(new), strict=True))
        known = {text: made[text] if text in made else self._kept[text] for text in texts}
        for text, vector in known.items():
            self._kept[text] = vector
            self._kept.move_to_end(text)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return [known[text] for text in texts], [made.pop(text, None) is not None for text in texts]

    def _vectors(self, texts: list[str]) -> list[NDArray[np.float32]]:
        if not texts:
            return []
        from pipelines.embedder import shared_embedder  # noqa: PLC0415  # torch, in workers only, and only if needed

        embedder = shared_embedder(*self._model, 1)  # Spark runs one worker a core, so one thread each
        if embedder.fingerprint != self._expected:
            raise ModelError(f"the model that ran is {embedder.fingerprint}, the settings say {self._expected}")
        return [vector.copy() for vector in embedder.encode(texts)]  # a view would keep the whole batch alive


@lru_cache(1)
def shared_once(model_path: str | None, precision: str, expected: str, _attempt: tuple[int, int]) -> Once:
    """Give this worker's one `Once` for a stage and the number of an attempt at a task; that of the last is let go.

    A task tried again begins anew: its rows say again for which of them the model ran, for those of a failed one are
    lost. Where Spark computes a stage again because an executor was lost, a row may say that the model did not run
    though no row says that it did; then that text is not kept, and goes through the model once more another time.
    """
    return Once(model_path, precision, expected)
