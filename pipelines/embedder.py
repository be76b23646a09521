"""Sentences to vectors: tokens, chunks, threads; `packed` and `any_encoder` do the arithmetic."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from pipelines.any_encoder import AnyEncoder
from pipelines.errors import ModelError
from pipelines.model import find_model
from pipelines.packed import PackedBert
from pipelines.text import replace_surrogates
from pipelines.tokenizer import load_tokenizer
from pipelines.weights import check_precision, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TOKENS_PER_CHUNK = {"cpu": 1024, "cuda": 16 * 1024}
"""Rows of one matrix product: enough to keep the device busy, few enough for a CPU's cache to hold the output."""

_MIN_TOKENS_PER_CHUNK = 128
"""Fewer are not worth a thread of their own."""

_CHUNKS_PER_THREAD = 6


class Embedder:
    """A sentence encoder in memory: all-MiniLM-L6-v2, or another in a folder as Hugging Face lays it out.

    How a vector is made of those of its tokens ([CLS] and [SEP] included) is the folder's own choice; for
    all-MiniLM-L6-v2 it is their mean, scaled to length 1. What lies beyond the model's window does not reach the
    vector: `split_to_window` first.

    On a CPU each thread takes chunks of its own, one torch thread each, so that nobody waits at the end of every
    operation; with the packed engine a vector's bits do not depend on that. Where there is a CUDA device, it computes,
    and the threads find the tokens.

    Args:
        model_path: A model's folder; None for the installed default model.
        precision: What to compute in. `float32` is exact. `bfloat16` rounds what goes into a product to 8 bits; it is
            faster on a GPU and where the CPU has instructions for it (AVX512-BF16, AMX), and gives nearly the same
            numbers where not. `float16` needs a CUDA device.
        n_threads: Threads of one `encode`; None for every core this process may use. Two processes that both take all
            cores are several times slower than one, so workers that share a machine pass 1. On a GPU more than one
            means all.

    Raises:
        ModelError: The model cannot be found, is not the pinned one or cannot be computed here.
    """

    n_loads: ClassVar[int] = 0
    """Models this process has loaded so far."""

    def __init__(self, model_path: str | None = None, precision: str = "float32", n_threads: int | None = None) -> None:
        check_precision(precision)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if precision == "float16" and device.type == "cpu":
            raise ModelError("No CUDA device for precision float16. Use float32 or bfloat16 on a CPU.")
        model = find_model(model_path)
        self.dimension = model.dimension
        self.fingerprint = fingerprint(model_path, precision)
        self._tokenizer = load_tokenizer(model.folder, model.max_tokens)
        on_gpu = device.type == "cuda"
        self._tokens_by_all_cores = on_gpu and n_threads != 1
        self._n_threads = 1 if on_gpu else n_threads or _n_cores()
        self._tokens_per_chunk = _TOKENS_PER_CHUNK[device.type]
        torch.set_num_threads(1)  # of an operation; torch knows one number for the whole process
        if on_gpu:
            # For the whole process, too. cuDNN's attention, torch's first choice for halves on a Hopper GPU, takes
            # 30 ms to make ready for each number of sentences of one length; every chunk has dozens of new ones.
            torch.backends.cuda.enable_cudnn_sdp(enabled=False)
        self._encoder = (PackedBert if model.is_packed else AnyEncoder)(model, getattr(torch, precision), device)
        Embedder.n_loads += 1

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """Embed sentences.

        Args:
            sentences: Any strings; lone surrogates count as U+FFFD.

        Returns:
            Vectors, shape `[len(sentences), dimension]`, in the order of the sentences.
        """
        vectors = np.empty((len(sentences), self.dimension), dtype=np.float32)
        texts = [replace_surrogates(sentence) for sentence in sentences]
        if self._tokens_by_all_cores:  # a GPU outruns those of one core several times
            tokens = [found.ids for found in self._tokenizer.encode_batch(texts)]
        else:  # one by one: `encode_batch` starts a thread a core
            tokens = [self._tokenizer.encode(text).ids for text in texts]

        def encode(chunk: list[int]) -> None:
            with torch.inference_mode():  # of one thread
                vectors[chunk] = self._encoder([tokens[i] for i in chunk]).cpu().numpy()

        n_tokens = self._tokens_per_chunk
        if self._n_threads > 1:  # several chunks a thread, so that none waits long for another at the end
            share = sum(map(len, tokens)) // (self._n_threads * _CHUNKS_PER_THREAD)
            n_tokens = min(n_tokens, max(share, _MIN_TOKENS_PER_CHUNK))
        chunks = list(_chunks(tokens, n_tokens))
        if self._n_threads == 1 or len(chunks) == 1:
            for chunk in chunks:
                encode(chunk)
        else:
            with ThreadPoolExecutor(self._n_threads) as pool:
                list(pool.map(encode, reversed(chunks)))  # the longest first, so that no thread is left with them
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


def _chunks(tokens: list[list[int]], n_tokens: int) -> Iterator[list[int]]:
    """Cut sentence numbers, sorted by length, into lists of at most `n_tokens` tokens (one sentence at least)."""
    chunk: list[int] = []
    n_held = 0
    for i in sorted(range(len(tokens)), key=lambda i: len(tokens[i])):
        if chunk and n_held + len(tokens[i]) > n_tokens:
            yield chunk
            chunk, n_held = [], 0
        chunk.append(i)
        n_held += len(tokens[i])
    if chunk:
        yield chunk
