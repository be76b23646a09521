"""How much CPU time a megabyte of each kind of dirt takes: cleaning, splitting, and cutting to the window.

What takes more than 2 s is marked, and then the benchmark fails.

Run: PYTHONPATH=. python benchmarks/megabytes.py
"""

from __future__ import annotations

import base64
import random
import sys
import time
from itertools import pairwise
from pydoc_data.topics import topics
from typing import Final

from pipelines.model import find_model
from pipelines.sentences import split_sentences
from pipelines.text import clean_text, has_sentence
from pipelines.tokenizer import load_tokenizer
from pipelines.window import split_to_window

LIMIT_S: Final = 2.0
N_BYTES: Final = 1_000_000
UNITS: Final = {
    "dots": ".",
    "brackets": "()[]{}<>",
    "double quotes": '"',
    "quotations": '"a." ',
    "single quotes": "'a'. ",
    "guillemets": "\u00aba. ",
    "questions": "?! ",
    "initials": "A. ",
    "references": "[1] ",
    "separators": "|||||a",
    "newlines": "\n",
    "one letter a line": "x\n",
    "controls": "\0",
    "no punctuation": "word ",
    "one word": "a",
    "long words": "abcdefghijk" * 9 + " ",
    "long Cyrillic words": "\u0430\u0431\u0432\u0433\u0434" * 18 + " ",
    "long Hangul words": "\ud55c" * 33 + " ",
    "degrees": "a\u00b0" * 49 + " ",
    "Devanagari words": "\u0915\u093e" * 48 + " ",
    "letters joined": "a\u200d" * 60 + " ",
    "letters marked": "a\u0301\u0316" * 33 + " ",
    "soft hyphens": "a\u00ad" * 60 + " ",
    "arrows": "\u2192" * 99 + " ",
    "currencies": "\u20ac" * 99 + " ",
    "Tamil words": "\u0b95\u0bbf" * 48 + " ",
    "marks that end": "\u0301!",
    "brackets a line": "\n[",
    "quotes that end": "\u2018!",
    "URLs": "http://a.b/c?d=e&f#g ",
    "digits": "1234567890",
    "ideographs": "\u4eca",
    "Hangul": "\ud55c\uae00 ",
    "combining marks": "e\u0301",
    "emoji": "\U0001f600",
    "replacement characters": "\ufffd",
    "zero-width joiners": "\u200d",
}


def texts() -> dict[str, str]:
    """Make the texts, each a megabyte of UTF-8."""
    rng = random.Random(0)  # noqa: S311  # noise, no secret
    scalars = [*range(0xD800), *range(0xE000, 0x110000)]
    made = {name: unit * (N_BYTES // len(unit.encode())) for name, unit in UNITS.items()}
    made["base64"] = base64.b64encode(rng.randbytes(N_BYTES * 3 // 4)).decode()
    made["all of Unicode"] = "".join(map(chr, rng.choices(scalars, k=N_BYTES * 10 // 38)))
    prose = "\n\n".join(topics.values())
    made["prose"] = (prose * (N_BYTES // len(prose) + 1))[:N_BYTES]
    return made


def main() -> None:
    """Print a line a text; exit with 1 if one took too long."""
    model = find_model(None)
    tokenizer = load_tokenizer(model.folder)
    late = []
    print(f"{'a megabyte of':<24}{'clean':>8}{'split':>8}{'window':>8}{'all':>8} s{'pieces':>10}")
    for name, text in texts().items():
        moments = [time.process_time()]
        cleaned = clean_text(text)
        has_sentence(cleaned)
        moments.append(time.process_time())
        sentences = split_sentences(cleaned)
        moments.append(time.process_time())
        n_pieces = sum(len(split_to_window(sentence, tokenizer, model.max_tokens)) for sentence in sentences)
        moments.append(time.process_time())
        steps = [after - before for before, after in pairwise(moments)]
        late += [name] * (sum(steps) > LIMIT_S)
        seconds = "".join(f"{step:8.2f}" for step in (*steps, sum(steps)))
        print(f"{name:<24}{seconds}  {n_pieces:>10,}{'  too long' * (name in late)}")
    sys.exit(f"more than {LIMIT_S} s: {', '.join(late)}" if late else 0)


if __name__ == "__main__":
    main()
