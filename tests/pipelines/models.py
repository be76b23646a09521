"""Small encoders of several families with random weights, in folders as sentence-transformers saves them."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from pipelines.weights import model_folder

if TYPE_CHECKING:
    from pathlib import Path

    from sentence_transformers import SentenceTransformer

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
MODULES = ("models.Transformer", "models.Pooling", "models.Normalize")


def save_model(folder: Path, kind: str, *, pooling: str = "mean", modules: tuple[str, ...] = MODULES) -> Path:
    """Write a model of a `model_type` of transformers, with the default model's tokenizer or one of sentence pieces."""
    from transformers import AutoConfig, AutoModel  # noqa: PLC0415  # seconds to import

    torch.manual_seed(7)
    pieces = kind == "xlm-roberta"
    shape = DISTILBERT if kind == "distilbert" else SMALL
    vocabulary = {"vocab_size": 400, "pad_token_id": 1} if pieces else {"vocab_size": 30522}
    limit = {"max_position_embeddings": 66 if pieces else 64}
    config = AutoConfig.for_model(kind, **shape, **vocabulary, **limit)
    AutoModel.from_config(config).save_pretrained(folder)
    if pieces:
        sentence_pieces().save(str(folder / "tokenizer.json"))
        special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
        write(
            folder / "tokenizer_config.json", special | {"model_max_length": 64, "tokenizer_class": "TokenizersBackend"}
        )
    else:
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            shutil.copy(model_folder() / name, folder / name)
    listed = [
        {"idx": i, "name": str(i), "path": f"{i}_{name[7:]}" if i else "", "type": f"sentence_transformers.{name}"}
        for i, name in enumerate(modules)
    ]
    write(folder / "modules.json", listed)
    (folder / "1_Pooling").mkdir()
    flag = "pooling_mode_cls_token" if pooling == "cls" else f"pooling_mode_{pooling}_tokens"
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, flag: True})
    return folder


def sentence_pieces() -> Tokenizer:
    """Train a Unigram tokenizer, with bytes for what it does not know, as XLM-RoBERTa's is."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator([" ".join(topics.values())[:200_000]], trainer)
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    state["model"]["vocab"] += [[byte, -20.0] for byte in bytes_]
    state["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=None, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def load_reference(folder: Path) -> SentenceTransformer:
    """Load what everyone compares with, offline."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' imports and old keys warn, not its results
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # seconds to import

        return SentenceTransformer(str(folder), device="cpu")
