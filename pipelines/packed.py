"""A BERT encoder without padding: the packed engine.

The tokens of a chunk of sentences lie one behind the other in one matrix, so that every linear layer is one matrix
product and no work is spent on padding. Only attention looks across tokens of a sentence; sentences are sorted by
length, and those of one length are viewed as a batch.

**A vector depends on its sentence alone**, to the last bit, on one machine's CPU: alone or batched, in any order. That
holds because nothing below sums across sentences and no kernel changes its order of summation with the number of rows.
Products see to it as `linear` says; no chunk has fewer rows than they need for it. Attention works sentence by
sentence, normalisation and pooling row by row. Padding would break it: softmax and product would sum over more terms.

**Where the time goes** (float32, one Zen 3 core with AVX2, sentences of 14 word pieces): 86 % in the linear layers,
which run at the rate of one large product of their shapes, the limit; attention 7 %, GELU 3 %, normalisation and
additions 2 %. `benchmarks/encode.py` measures the share of that rate which the whole reaches.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from safetensors.torch import load_file

from pipelines.errors import ModelError
from pipelines.linear import MIN_ROWS, linear
from pipelines.pooling import pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pipelines.linear import Linear
    from pipelines.model import Model

_SHORT = 20
"""Tokens of a sentence up to which two batched products are faster than torch's fused attention."""


class PackedBert:
    """The encoder of Devlin et al. 2019 (arXiv:1810.04805), with pooling.

    Args:
        model: A model with `is_packed`.
        dtype: Of weights and activations.
        device: Where they are.

    Raises:
        ModelError: The weights are not those of a BERT encoder of this shape.
    """

    def __init__(self, model: Model, dtype: torch.dtype, device: torch.device) -> None:
        self._model = model
        self._device = device
        weights = {
            name.removeprefix("bert."): tensor.to(device, torch.float32)
            for name, tensor in load_file(model.folder / "model.safetensors").items()
        }
        try:
            self._words = weights["embeddings.word_embeddings.weight"]
            # Every token is of segment 0.
            segment = weights["embeddings.token_type_embeddings.weight"][0]
            self._positions = weights["embeddings.position_embeddings.weight"] + segment
            self._norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
            n_layers = model.config["num_hidden_layers"]
            self._layers = [_Layer(weights, f"encoder.layer.{i}", model, dtype) for i in range(n_layers)]
        except KeyError as error:
            raise ModelError(f"No {error} in {model.folder}. Use a folder saved from a BertModel.") from error
        self._eps: float = model.config["layer_norm_eps"]

    def __call__(self, tokens: list[list[int]]) -> Tensor:
        """Encode sentences sorted by length, given as token numbers: float32 `[len(tokens), dimension]`."""
        if sum(map(len, tokens)) < MIN_ROWS:
            return self([*tokens, [0] * MIN_ROWS])[:-1]
        groups = [(len(list(group)), length) for length, group in groupby(map(len, tokens))]
        ids = torch.tensor([i for sentence in tokens for i in sentence], device=self._device)
        positions = torch.cat([torch.arange(length, device=self._device).repeat(n) for n, length in groups])
        x = self._words[ids] + self._positions[positions]
        x = F.layer_norm(x, x.shape[-1:], *self._norm, self._eps)
        for layer in self._layers:
            x = layer(x, groups)
        rows = x.split_with_sizes([n * length for n, length in groups])
        parts = zip(rows, groups, strict=True)
        return torch.cat([pool(part.view(n, length, -1), self._model) for part, (n, length) in parts])


class _Layer:
    """One encoder layer: attention, then two linear layers with GELU between; each adds to its input and normalises."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, model: Model, dtype: torch.dtype) -> None:
        def parameters(*names: str) -> tuple[Tensor, Tensor]:
            parts = ("weight", "bias")
            weight, bias = (torch.cat([weights[f"{prefix}.{name}.{part}"] for name in names]) for part in parts)
            return weight, bias

        def layer(*names: str) -> Linear:
            weight, bias = parameters(*names)
            return linear(weight.to(dtype), bias.to(dtype))

        self._dtype = dtype
        self._qkv = layer("attention.self.query", "attention.self.key", "attention.self.value")
        self._attention_output = layer("attention.output.dense")
        self._attention_norm = parameters("attention.output.LayerNorm")
        self._intermediate = layer("intermediate.dense")
        self._output = layer("output.dense")
        self._output_norm = parameters("output.LayerNorm")
        self._n_heads: int = model.config["num_attention_heads"]
        self._eps: float = model.config["layer_norm_eps"]

    def __call__(self, x: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        attended = self._attend(self._qkv(x.to(self._dtype)), groups)
        x = self._normalised(self._attention_output.add(attended, x), self._attention_norm)
        hidden = self._intermediate.gelu(x.to(self._dtype))
        return self._normalised(self._output.add(hidden, x), self._output_norm)

    def _attend(self, qkv: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        """Attend inside every sentence: `[tokens, 3 * dimension]` to `[tokens, dimension]`."""
        outputs = []
        for rows, (n_sentences, length) in zip(
            qkv.split_with_sizes([n * length for n, length in groups]), groups, strict=True
        ):
            parts = rows.view(n_sentences, length, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            # By the length alone: which kernel a sentence gets must not depend on its company.
            is_short = length <= _SHORT and parts.dtype is torch.float32 and parts.device.type == "cpu"
            attended = _attend_short(parts) if is_short else F.scaled_dot_product_attention(*parts)
            outputs.append(attended.transpose(1, 2).reshape(n_sentences * length, -1))
        return torch.cat(outputs)

    def _normalised(self, x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *norm, self._eps)


def _attend_short(parts: Tensor) -> Tensor:
    """Attend by batched products: `[3, n, heads, length, width]` (query, key, value) to `[n, heads, length, width]`."""
    _, n_sentences, n_heads, length, width = parts.shape
    query, key, value = parts.reshape(3, n_sentences * n_heads, length, width)
    scores = torch.baddbmm(query.new_empty(1), query, key.transpose(1, 2), beta=0, alpha=width**-0.5)
    return torch.bmm(scores.softmax(-1), value).view(n_sentences, n_heads, length, width)
