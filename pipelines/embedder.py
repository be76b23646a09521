"""Sentences to vectors: a BERT encoder without padding, exact in float32.

The tokens of a chunk of sentences lie one behind the other in one matrix, so that every linear layer is one matrix
product and no work is spent on padding. Only attention looks across tokens of a sentence; sentences are sorted by
length, and those of one length are viewed as a batch.

**A vector depends on its sentence alone**, to the last bit, on one machine: alone or batched, in any order. That
holds because nothing below sums across sentences and no kernel changes its order of summation with the number of rows.
oneDNN's prepacked product blocks the inner features by the weight's shape; torch's stock `linear` (MKL) takes other
kernels below 12 rows, so where torch comes without oneDNN the last bits may differ. Attention works sentence by
sentence, normalisation and pooling row by row. Padding would break it: softmax and product would sum over more terms.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from safetensors.torch import load_file

from pipelines.errors import ModelError
from pipelines.text import replace_surrogates
from pipelines.tokenizer import load_tokenizer
from pipelines.weights import Model, check_precision, find_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

_mkldnn = torch.ops.mkldnn  # what torch's own compiler calls; there is no public name

_TOKENS_PER_CHUNK = 1024
"""Rows of one matrix product: enough to keep the kernel busy, few enough for its output (6 MB) to stay in cache."""


class Embedder:
    """A sentence encoder in memory: all-MiniLM-L6-v2, or another BERT encoder with mean pooling.

    A vector is the mean over all word pieces of a sentence ([CLS] and [SEP] included), scaled to length 1, as the model
    card says and sentence-transformers does. What lies beyond the model's window does not reach the vector:
    `split_to_window` first.

    Args:
        model_path: A model's folder; None for the installed default model.
        precision: What to compute in; `float32` is the only one.
        n_threads: Threads of one `encode`; None for every core this process may use. Two processes that both take all
            cores are several times slower than one, so workers that share a machine pass 1. torch knows one number for
            the whole process: the `Embedder` made last sets it.

    Raises:
        ModelError: The model cannot be found, is not the pinned one or cannot be computed here.
    """

    n_loads: ClassVar[int] = 0
    """Models this process has loaded so far."""

    def __init__(self, model_path: str | None = None, precision: str = "float32", n_threads: int | None = None) -> None:
        check_precision(precision)
        model = find_model(model_path)
        self.dimension = model.dimension
        self.fingerprint = model.fingerprint(precision)
        self._tokenizer = load_tokenizer(model.folder, model.max_tokens)
        torch.set_num_threads(n_threads or _n_cores())
        self._encoder = _Encoder(model)
        Embedder.n_loads += 1

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """Embed sentences.

        Args:
            sentences: Any strings; lone surrogates count as U+FFFD.

        Returns:
            Vectors of length 1, shape `[len(sentences), dimension]`, in the order of the sentences.
        """
        vectors = np.empty((len(sentences), self.dimension), dtype=np.float32)
        # One by one: `encode_batch` would start threads of its own.
        tokens = [self._tokenizer.encode(replace_surrogates(sentence)).ids for sentence in sentences]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        with torch.inference_mode():
            for chunk in _chunks(order, tokens):
                vectors[chunk] = self._encoder([tokens[i] for i in chunk]).numpy()
        return vectors


@cache
def shared_embedder(
    model_path: str | None = None, precision: str = "float32", n_threads: int | None = None
) -> Embedder:
    """Give this process's one `Embedder` for these arguments, loading it at the first call."""
    return Embedder(model_path, precision, n_threads)


def _n_cores() -> int:
    """Count the cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(order: list[int], tokens: list[list[int]]) -> Iterator[list[int]]:
    """Cut a list of sentence numbers into lists of at most `_TOKENS_PER_CHUNK` tokens (one sentence at least)."""
    chunk: list[int] = []
    n_tokens = 0
    for i in order:
        if chunk and n_tokens + len(tokens[i]) > _TOKENS_PER_CHUNK:
            yield chunk
            chunk, n_tokens = [], 0
        chunk.append(i)
        n_tokens += len(tokens[i])
    if chunk:
        yield chunk


class _Linear:
    """A linear layer whose weight is packed once for oneDNN, where torch has it."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._packed: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        self._weight: Tensor = _mkldnn._reorder_linear_weight(weight) if self._packed else weight  # noqa: SLF001  # see _mkldnn
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        if not self._packed:
            return F.linear(x, self._weight, self._bias)
        y: Tensor = _mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")  # noqa: SLF001  # see _mkldnn
        return y


class _Layer:
    """One encoder layer: attention, then two linear layers with GELU between; each adds to its input and normalises."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, model: Model) -> None:
        def parameters(name: str) -> tuple[Tensor, Tensor]:
            return weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"]

        projections = [parameters(f"attention.self.{name}") for name in ("query", "key", "value")]
        self._qkv = _Linear(torch.cat([w for w, _ in projections]), torch.cat([b for _, b in projections]))
        self._attention_output = _Linear(*parameters("attention.output.dense"))
        self._attention_norm = parameters("attention.output.LayerNorm")
        self._intermediate = _Linear(*parameters("intermediate.dense"))
        self._output = _Linear(*parameters("output.dense"))
        self._output_norm = parameters("output.LayerNorm")
        self._n_heads = model.n_heads
        self._eps = model.layer_norm_eps

    def __call__(self, x: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        x = self._add_and_norm(x, self._attention_output(self._attend(self._qkv(x), groups)), self._attention_norm)
        # GELU with the error function, as BERT has it; on AVX2 torch's costs a third of the one oneDNN can fuse.
        hidden = torch.ops.aten.gelu_(self._intermediate(x))
        return self._add_and_norm(x, self._output(hidden), self._output_norm)

    def _attend(self, qkv: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        """Attend inside every sentence: `[tokens, 3 * dimension]` to `[tokens, dimension]`."""
        outputs = []
        for rows, (n_sentences, length) in zip(
            qkv.split_with_sizes([n * length for n, length in groups]), groups, strict=True
        ):
            q, k, v = rows.view(n_sentences, length, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            outputs.append(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n_sentences * length, -1))
        return torch.cat(outputs)

    def _add_and_norm(self, x: Tensor, change: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(change.add_(x), x.shape[-1:], *norm, self._eps)


class _Encoder:
    """The BERT encoder (Devlin et al. 2019, arXiv:1810.04805), mean pooling and L2 normalisation."""

    def __init__(self, model: Model) -> None:
        weights = load_file(model.weights)
        try:
            self._words = weights["embeddings.word_embeddings.weight"]
            # Every token is of segment 0.
            segment = weights["embeddings.token_type_embeddings.weight"][0]
            self._positions = weights["embeddings.position_embeddings.weight"] + segment
            self._norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
            self._layers = [_Layer(weights, f"encoder.layer.{i}", model) for i in range(model.n_layers)]
        except KeyError as error:
            raise ModelError(f"No tensor {error} in {model.weights}. Use weights saved from a BertModel.") from error
        self._eps = model.layer_norm_eps

    def __call__(self, tokens: list[list[int]]) -> Tensor:
        """Encode sentences sorted by length, given as token numbers: `[len(tokens), dimension]`."""
        groups = [(len(list(group)), length) for length, group in groupby(map(len, tokens))]
        ids = torch.tensor([i for sentence in tokens for i in sentence])
        positions = torch.cat([torch.arange(length).repeat(n) for n, length in groups])
        x = self._words[ids] + self._positions[positions]
        x = F.layer_norm(x, x.shape[-1:], *self._norm, self._eps)
        for layer in self._layers:
            x = layer(x, groups)
        rows = x.split_with_sizes([n * length for n, length in groups])
        means = [part.view(n, length, -1).mean(dim=1) for part, (n, length) in zip(rows, groups, strict=True)]
        return F.normalize(torch.cat(means), dim=1)
