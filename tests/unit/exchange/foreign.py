"""Folders of Hugging Face's with small networks of random weights and words of DNA or protein."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch

FAMILIES = ("bert", "roberta", "modernbert", "esm")
RESIDUES = list("LAGVSERTIDPKQNFYMHWCXBUZO")
SPECIAL = {
    "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    "modernbert": ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"],
    "roberta": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    "esm": ["<cls>", "<pad>", "<eos>", "<unk>", "<mask>"],
}
ROLES = {"pad": ("[PAD]", "<pad>"), "unk": ("[UNK]", "<unk>"), "cls": ("[CLS]", "<s>", "<cls>")}
ROLES |= {"sep": ("[SEP]", "</s>", "<eos>"), "mask": ("[MASK]", "<mask>")}


def needs_full_attention(layers: Sequence[str]) -> None:
    """Skips where ``transformers`` refuses a ModernBERT of such layers, as 5.12 one without a window."""
    import pytest
    from transformers import ModernBertConfig

    try:
        ModernBertConfig(num_hidden_layers=len(layers), layer_types=list(layers))
    except Exception as error:
        pytest.skip(f"transformers opens no ModernBERT of these layers: {str(error).splitlines()[0]}")


def make_words(k: int, letters: str = "ACGT") -> list[str]:
    return ["".join(word) for word in product(reversed(letters), repeat=k)] + ["N" * k]


def make_nucleotide_transformer(folder: Path, *, k: int = 6, eos: str | None = None, **options: Any) -> Path:
    """A folder as that of Nucleotide Transformer v1: ESM, learned positions, no closing token, ESM's own
    tokenizer with k-mers and single letters."""
    import transformers

    special = ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", "<bos>"]
    words = ["".join(word) for word in product("ATCG", repeat=k)]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join([*special, *words, *"ATCGN"]))
    tokenizer = transformers.EsmTokenizer(str(folder / "vocab.txt"), eos_token=eos, model_max_length=40)
    values: dict[str, Any] = {
        "vocab_size": len(tokenizer.get_vocab()),
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 42,
        "initializer_range": 0.3,
        "pad_token_id": 1,
        "mask_token_id": 2,
        "position_embedding_type": "absolute",
        "token_dropout": False,
        "emb_layer_norm_before": False,
        "tie_word_embeddings": False,
    }
    config = transformers.EsmConfig(**values | options)
    model = transformers.EsmForMaskedLM(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_foreign(
    folder: Path,
    family: str,
    words: Sequence[str],
    *,
    headless: bool = False,
    shard: str = "1GB",
    eos: bool = True,
    **options: Any,
) -> Path:
    """A folder as ``save_pretrained`` makes it, and its tokenizer beside it."""
    import transformers

    special = [name for name in SPECIAL[family] if eos or name not in ROLES["sep"]]
    tokens = [*special[:3], *words, *special[3:]]  # special tokens stand apart, as ESM's [MASK] does
    vocabulary = {token: number for number, token in enumerate(tokens)}
    ids = {
        role: next((vocabulary[n] for n in names if n in vocabulary), None) for role, names in ROLES.items()
    }
    values: dict[str, Any] = {
        "vocab_size": len(tokens) + 3,
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 128,
        "initializer_range": 0.3,
        "pad_token_id": ids["pad"],
        "bos_token_id": ids["cls"],
        "eos_token_id": ids["sep"],
        "cls_token_id": ids["cls"],
        "sep_token_id": ids["sep"],
    }
    if family == "esm":
        values |= {"position_embedding_type": "rotary", "token_dropout": True, "mask_token_id": ids["mask"]}
    if family == "roberta":
        values["type_vocab_size"] = 1
    if family == "modernbert":
        values |= {"local_attention": 16, "layer_types": ["full_attention", *["sliding_attention"] * 2]}
    values |= options
    name = {"bert": "Bert", "roberta": "Roberta", "modernbert": "ModernBert", "esm": "Esm"}[family]
    config = getattr(transformers, f"{name}Config")(**values)
    model = getattr(transformers, f"{name}{'Model' if headless else 'ForMaskedLM'}")(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(folder, max_shard_size=shard)
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "WordLevel", "vocab": vocabulary}}))
    named = {f"{role}_token": tokens[number] for role, number in ids.items() if number is not None}
    (folder / "special_tokens_map.json").write_text(json.dumps(named))
    return folder
