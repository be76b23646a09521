"""Encoders that are no BERT, through `transformers`: slower than the packed engine.

Sentences of one length go in together, so there is no padding, and none of what each family does about it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import torch

from pipelines.errors import ModelError
from pipelines.pooling import pool

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.model import Model


class AnyEncoder:
    """A model of `transformers`, with pooling.

    Args:
        model: A model's folder, as data.
        dtype: Of weights and activations.
        device: Where they are.

    Raises:
        ModelError: `transformers` is missing, or does not know the model.
    """

    def __init__(self, model: Model, dtype: torch.dtype, device: torch.device) -> None:
        kind = model.config.get("model_type")
        try:
            from transformers import AutoModel  # noqa: PLC0415  # only these models need it, and it takes seconds
        except ImportError as error:
            raise ModelError(
                f"The model in {model.folder} is of type {kind!r}, which needs the package transformers: install it"
            ) from error
        try:
            # Weights from pickle or code from the folder would run whatever their author wrote.
            self._encoder, found = AutoModel.from_pretrained(
                model.folder,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            raise ModelError(f"transformers cannot load the model in {model.folder} ({kind!r}): {error}") from error
        # It would draw them at random, and others in every process.
        if missing := sorted(name for name in found["missing_keys"] if not name.startswith("pooler.")):
            raise ModelError(
                f"The weights in {model.folder} lack {', '.join(missing[:3])}. Give a complete model folder."
            )
        self._encoder.eval().to(device)
        self._model = model
        self._device = device

    def __call__(self, tokens: list[list[int]]) -> Tensor:
        """Encode sentences sorted by length, given as token numbers: float32 `[len(tokens), dimension]`."""
        vectors = []
        for _, group in groupby(tokens, key=len):
            ids = torch.tensor(list(group), device=self._device)
            states = self._encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            vectors.append(pool(states, self._model))
        return torch.cat(vectors)
