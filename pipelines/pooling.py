"""From the vectors of a sentence's tokens to the sentence's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F  # noqa: N812  # torch's own name for it

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.model import Model


def pool(states: Tensor, model: Model) -> Tensor:
    """Pool, and scale to length 1 where the model does; in float32, whatever the encoder computed in.

    Args:
        states: `[sentences, tokens, dimension]` of sentences of one length, special tokens included, no padding.
        model: how it pools.

    Returns:
        `[sentences, dimension]`.
    """
    states = states.float()
    if model.pooling == "cls":
        pooled = states[:, 0]
    elif model.pooling == "max":
        pooled = states.amax(dim=1)
    else:
        pooled = states.mean(dim=1)
    return F.normalize(pooled, dim=1) if model.normalizes else pooled
