"""Other ways to embed sentences with the same weights, for comparison; what they need is in the extra `bench`."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import onnxruntime
import pandas as pd
import torch

from pipelines.tokenizer import load_tokenizer
from pipelines.weights import model_folder

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

os.environ["HF_HUB_OFFLINE"] = "1"
from sentence_transformers import SentenceTransformer  # it reads the variable when imported
from transformers import AutoModel, AutoTokenizer

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# fastembed asks for another version of the hub's client than transformers does, so it lives apart.
FASTEMBED_PYTHON = Path(sys.prefix) / "fastembed" / "bin" / "python"
_FASTEMBED = """
import sys, json
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
TextEmbedding.add_custom_model(model="local", pooling=PoolingType.MEAN, normalization=True,
    sources=ModelSource(hf="none/none"), dim=384, model_file="model.onnx")
model = TextEmbedding("local", specific_model_path=sys.argv[1], threads=int(sys.argv[2]))
print("up", flush=True)
for line in sys.stdin:
    vectors = list(model.embed(json.loads(line)))
    print(json.dumps(vectors[0].tolist()), flush=True)
"""


def sentence_transformers(device: str = "cpu") -> SentenceTransformer:
    """Load the reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SentenceTransformer(str(model_folder()), device=device)


def export_onnx(folder: Path) -> None:
    """Write the model as fastembed and ONNX Runtime take it."""
    encoder = AutoModel.from_pretrained(model_folder(), attn_implementation="eager").eval()

    class States(torch.nn.Module):
        def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
            states = encoder(input_ids=ids, attention_mask=mask, token_type_ids=segments).last_hidden_state
            assert isinstance(states, torch.Tensor)  # noqa: S101  # not a tuple of them
            return states

    ids = torch.ones(2, 8, dtype=torch.long)
    shape = {0: torch.export.Dim("n", min=1, max=4096), 1: torch.export.Dim("length", min=2, max=512)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            States().eval(), (ids, ids, torch.zeros_like(ids)), str(folder / "model.onnx"), input_names=list(INPUTS),
            output_names=["last_hidden_state"], dynamic_shapes=(shape, shape, shape), dynamo=True, verbose=False,
            external_data=False,
        )  # fmt: skip
    for path in model_folder().glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())


class OnnxRuntime:
    """ONNX Runtime over batches of one length each, so that nothing is padded."""

    def __init__(self, folder: Path, n_threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"])
        self._tokenizer = load_tokenizer(model_folder(), 256)

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed texts."""
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        vectors = np.empty((len(texts), 384), np.float32)
        for _, group in groupby(order, key=lambda i: len(tokens[i])):
            same = list(group)
            for part in (same[start : start + 64] for start in range(0, len(same), 64)):
                ids = np.array([tokens[i] for i in part])
                feed = dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
                means = self._session.run(None, feed)[0].mean(axis=1)
                vectors[part] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors


class FastEmbed:
    """fastembed, in a process with the packages it wants."""

    def __init__(self, folder: Path, n_threads: int) -> None:
        command = [FASTEMBED_PYTHON, "-c", _FASTEMBED, folder, str(n_threads)]
        pipe, environment = subprocess.PIPE, os.environ | {"HF_HUB_OFFLINE": "1"}
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)  # noqa: S603  # ours
        self._ask(None)

    def encode(self, line: str) -> str:
        """Embed the texts of a JSON list; return the first vector as JSON."""
        return self._ask(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, line: str | None) -> str:
        assert self._process.stdin is not None  # noqa: S101  # it was asked for
        assert self._process.stdout is not None  # noqa: S101
        if line is not None:
            print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


def tutorial(text: str) -> Any:
    """Embed a sentence as the tutorial does: the model loaded for it, `str(Series)`, the first token."""
    tokenizer, model = AutoTokenizer.from_pretrained(model_folder()), AutoModel.from_pretrained(model_folder())
    inputs = tokenizer(str(pd.Series([text])), return_tensors="pt", truncation=True)
    with torch.no_grad():
        return model(**inputs).last_hidden_state[:, 0, :].numpy()
