"""Our tokenizers as Hugging Face's ``tokenizer.json``: the same ids from raw letters.

A text is brought to the alphabet's letters (upper case, U read as T in DNA; a protein loses one ``*`` at its
end, as our commands read it), cut into words of k letters, and looked up; a word with any other letter is
[UNK], and letters at the end that fill no word are left out. Tokens that overlap cannot be cut by what the
format knows, so for them the words have to stand in the text already, parted by blanks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import CLS, MASK, PAD, SEP, SPECIALS, UNK, Block
from genomecli.errors import ConfigError, UsageError
from genomecli.sequences.alphabets import Alphabet

FORMAT = "1.0"
"""Version of the format of ``tokenizer.json``."""


def overlapping(tokenizer: Tokenizer) -> bool:
    """Whether neighbouring tokens share letters, so that the format cannot cut a text into them."""
    return tokenizer.stride < tokenizer.k


def choose_block(lexicon: Lexicon, species: str | None, molecule: str, trained: Mapping[str, bool]) -> Block:
    """The block of words that an exported tokenizer reads.

    Args:
        lexicon: of the model.
        species: wanted; None for any.
        molecule: ``dna``, ``protein``, or ``auto`` for what the model was trained on.
        trained: by alphabet, whether the model was trained on it.

    Raises:
        UsageError: if the species is unknown, or more than one block is left to choose from.
    """
    if species is not None and species not in lexicon.species:
        known = ", ".join(lexicon.species)
        raise UsageError(f"the model does not know species {species!r}", fix=f"it knows {known}")
    blocks = [
        block
        for block in lexicon.vocabulary.blocks
        if (molecule == block.molecule or (molecule == "auto" and trained.get(block.molecule, True)))
        and (species is None or block.species in (None, species))
    ]
    if not blocks:
        held = ", ".join(block.name for block in lexicon.vocabulary.blocks)
        raise UsageError(f"the model has no tokens of {molecule}", fix=f"it has {held}")
    if len(blocks) > 1:
        names = ", ".join(block.name for block in blocks)
        keys = "export.molecule" if len({block.species for block in blocks}) == 1 else "export.species"
        keys += " and export.molecule" if keys == "export.species" and molecule == "auto" else ""
        what = f"one tokenizer reads one language, and the model writes {names}"
        raise UsageError(what, fix=f"set {keys}")
    return blocks[0]


def tokenizer_json(lexicon: Lexicon, block: Block) -> dict[str, Any]:
    """What ``tokenizer.json`` holds.

    Args:
        lexicon: of the model; every id of it is in the vocabulary.
        block: whose words are read; those of the others have their block's name before them.

    Raises:
        ConfigError: for a tokenizer of another package, which reads letters in its own way.
    """
    tokenizer = lexicon.tokenizers[lexicon.vocabulary.blocks.index(block)]
    if type(tokenizer) is not Tokenizer:
        what = f"tokens of the kind {type(tokenizer).__name__} cannot be written as tokenizer.json"
        raise ConfigError([what], where="export")
    return {
        "version": FORMAT,
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(number) for number in range(len(SPECIALS))],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(tokenizer)},
        "pre_tokenizer": _cutter(tokenizer),
        "post_processor": _frame(),
        "decoder": None if overlapping(tokenizer) else {"type": "Fuse"},
        "model": {
            "type": "WordLevel",
            "vocab": words(lexicon, block),
            "unk_token": SPECIALS[UNK],
        },
    }


def words(lexicon: Lexicon, block: Block) -> dict[str, int]:
    """The id of each word: plain in ``block``, ``name:word`` in others, which no text can spell."""
    found = {text: number for number, text in enumerate(SPECIALS)}
    for one in lexicon.vocabulary.blocks:
        prefix = "" if one == block else f"{one.name}:"
        found |= {f"{prefix}{word}": number for number, word in zip(one.ids, one.tokens, strict=True)}
    return found


def tokenizer_config(context: int, *, token_types: bool) -> dict[str, Any]:
    """What ``tokenizer_config.json`` holds.

    Args:
        context: longest input, special tokens included.
        token_types: whether the model takes ``token_type_ids``.
    """
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if token_types else _PLAIN_INPUTS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "model_input_names": inputs,
        "clean_up_tokenization_spaces": False,
        **special_tokens(),
    }


_PLAIN_INPUTS = ["input_ids", "attention_mask"]


def special_tokens() -> dict[str, str]:
    """What ``special_tokens_map.json`` holds."""
    roles = {"pad": PAD, "unk": UNK, "cls": CLS, "sep": SEP, "mask": MASK}
    return {f"{role}_token": SPECIALS[number] for role, number in roles.items()}


def _special(number: int) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": SPECIALS[number], **plain, "special": True}


def _normalizers(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    steps = [_replace({"String": old}, new) for old, new in _respelled(tokenizer.alphabet)]
    if overlapping(tokenizer):
        return steps
    steps = [_replace({"Regex": r"\s+"}, ""), *steps]
    if tokenizer.alphabet_name == "protein":
        steps.append(_replace({"Regex": r"\*\z"}, ""))
    return steps


def _respelled(alphabet: Alphabet) -> list[tuple[str, str]]:
    """Letters that are read as another one."""
    lower = [(letter.lower(), letter) for letter in alphabet.symbols if letter.lower() != letter]
    other = [
        (given, meant)
        for letter, meant in alphabet.aliases
        for given in dict.fromkeys((letter, letter.lower()))
    ]
    return lower + other


def _replace(pattern: Mapping[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": dict(pattern), "content": content}


def _cutter(tokenizer: Tokenizer) -> dict[str, Any]:
    if overlapping(tokenizer):
        return {"type": "WhitespaceSplit"}
    k, stride = tokenizer.k, tokenizer.stride
    if k == stride:
        return _keep(f".{{{k}}}")
    # Words with gaps between them: pieces of a word and its gap, then the word of each piece.
    return {
        "type": "Sequence",
        "pretokenizers": [_keep(f".{{{k}}}.{{0,{stride - k}}}"), _keep(rf"\A.{{{k}}}")],
    }


def _keep(pattern: str) -> dict[str, Any]:
    """Keeps each match of a pattern as a piece; what stands between matches is left out."""
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True}


def _frame() -> dict[str, Any]:
    """[CLS] text [SEP], or [CLS] text [SEP] text [SEP], the second with token type 1."""

    def token(number: int, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": SPECIALS[number], "type_id": kind}}

    def text(name: str, kind: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": kind}}

    single = [token(CLS, 0), text("A", 0), token(SEP, 0)]
    tokens = {
        SPECIALS[number]: {"id": SPECIALS[number], "ids": [number], "tokens": [SPECIALS[number]]}
        for number in (CLS, SEP)
    }
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", 1), token(SEP, 1)],
        "special_tokens": tokens,
    }
