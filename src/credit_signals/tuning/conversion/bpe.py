"""Byte-level BPE tokenizers as llama.cpp's tokenizer model `gpt2`.

llama.cpp knows ways of splitting text before the merges by name only. The name is found from the tokenizer's own
pre-tokenizer; one that is not known must be named, and the parity gate tells whether the name was right.
"""

from __future__ import annotations

from typing import Any

import gguf

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.model_folder import SourceModel

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN2_SPLIT = LLAMA3_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")


def write_tokenizer(writer: Any, source: SourceModel, pre: str = "") -> None:
    """Add vocabulary, merges, special tokens and chat template to a GGUFWriter. Raises ModelRefused."""
    tokens = source.vocabulary()
    size = int(source.number("vocab_size"))
    if len(tokens) > size:
        raise ModelRefused(f"{source.place}: {len(tokens)} tokens, the model has embeddings of {size}")
    kinds = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.UNUSED] * (size - len(tokens))
    for token in source.added_tokens():
        kinds[int(token["id"])] = gguf.TokenType.CONTROL if token.get("special") else gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre or pre_tokenizer_name(source))
    writer.add_token_list(tokens + [f"<|spare {number}|>" for number in range(len(tokens), size)])
    writer.add_token_types(kinds)
    writer.add_token_merges(_merges(source))
    for role, add in (
        ("bos", writer.add_bos_token_id),
        ("eos", writer.add_eos_token_id),
        ("unk", writer.add_unk_token_id),
        ("pad", writer.add_pad_token_id),
    ):
        number = _special_id(source, tokens, role)
        if number is not None:
            add(number)
    writer.add_add_bos_token(_adds_first_token(source))
    if source.chat_template:
        writer.add_chat_template(source.chat_template)


def pre_tokenizer_name(source: SourceModel) -> str:
    """llama.cpp's name for the way in which the tokenizer splits text. Raises ModelRefused when it is not known."""
    tokenizer = source.tokenizer
    model = tokenizer.get("model") or {}
    normalizer = (tokenizer.get("normalizer") or {}).get("type")
    if model.get("type") != "BPE" or model.get("byte_fallback") or normalizer not in (None, "NFC"):
        found = f"{model.get('type')}, normalizer {normalizer}"
        raise ModelRefused(f"{source.place}/tokenizer.json: not a byte-level BPE: {found}")
    steps = _steps(tokenizer.get("pre_tokenizer") or {})
    name = _NAMES.get(tuple(steps))
    if name is None:
        raise ModelRefused(f"{source.place}/tokenizer.json: unknown pre-tokenizer {steps}: name llama.cpp's with --pre")
    if name == "llama-bpe" and not model.get("ignore_merges"):
        return "smaug-bpe"  # the same split; `llama-bpe` takes whole words of the vocabulary without their merges
    return name


BYTES, BYTES_AND_SPLIT, DIGITS = "bytes", "bytes with GPT-2's split", "single digits"
_NAMES = {
    (BYTES_AND_SPLIT,): "gpt-2",
    (DIGITS, BYTES_AND_SPLIT): "smollm",
    (LLAMA3_SPLIT, BYTES): "llama-bpe",
    (QWEN2_SPLIT, BYTES): "qwen2",
}


def _steps(pre_tokenizer: dict[str, Any]) -> list[str]:
    kind = pre_tokenizer.get("type")
    if kind == "Sequence":
        return [step for part in pre_tokenizer.get("pretokenizers", []) for step in _steps(part)]
    if kind == "ByteLevel" and not pre_tokenizer.get("add_prefix_space"):
        return [BYTES_AND_SPLIT if pre_tokenizer.get("use_regex", True) else BYTES]
    if kind == "Digits" and pre_tokenizer.get("individual_digits"):
        return [DIGITS]
    if kind == "Split" and pre_tokenizer.get("behavior") == "Isolated" and not pre_tokenizer.get("invert"):
        return [str((pre_tokenizer.get("pattern") or {}).get("Regex"))]
    return [str(kind)]


def _merges(source: SourceModel) -> list[str]:
    """The merges, each as two tokens and a space; newer files hold pairs."""
    merges = source.tokenizer["model"].get("merges")
    if not isinstance(merges, list):
        raise ModelRefused(f"{source.place}/tokenizer.json: no merges")
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def _special_id(source: SourceModel, tokens: list[str], role: str) -> int | None:
    name = source.special.get(role)
    if name is not None:
        if name not in tokens:
            raise ModelRefused(f"{source.place}: the {role} token {name!r} is not in the vocabulary")
        return tokens.index(name)
    number = source.config.get(f"{role}_token_id")
    number = number[0] if isinstance(number, list) and number else number
    return number if isinstance(number, int) and 0 <= number < len(tokens) else None


def _adds_first_token(source: SourceModel) -> bool:
    """Whether the tokenizer opens every text by a special token."""
    pending = [source.tokenizer.get("post_processor") or {}]
    while pending:
        step = pending.pop()
        pending += step.get("processors") or []
        single = step.get("single") or []
        if step.get("type") == "TemplateProcessing" and single and "SpecialToken" in single[0]:
            return True
    return False
