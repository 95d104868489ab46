"""Which rows of a foreign network's embedding are the words of our lexicon.

Read from ``tokenizer.json``, ``vocab.txt`` or ``vocab.json``, whichever is there. Words are all k-mers over
A, C, G, T (or U), for the largest k of which none is missing, or else the twenty amino acids. Of codons up to
three may be missing, as where stops have no word: they are unknown then. Their order is ours afterwards;
tokens of other kinds (rare letters, merged words) are left out. In the place of [UNK] stands
their row of N or X, where they have one, since we read each ambiguous letter as [UNK]. ESM's tokenizer with
k-mers and single letters is that of Nucleotide Transformer v1: left to right, the longest word that fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from genomecli.corpus.greedy_kmers import NAME as GREEDY
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.vocabulary import SPECIALS
from genomecli.errors import InputError, refusing
from genomecli.files import read_json
from genomecli.sequences.alphabets import PROTEIN

NOTES = "genomecli.json"
"""A file beside the tokenizer with what it leaves open: ``stride``, ``species``, or our whole ``lexicon``."""

LARGEST_K = 8
CODON, MISSING_CODONS = 3, 3
"""Letters of a codon, and codons that a vocabulary may lack: as many as the standard code has stops."""

ESM_TOKENIZERS = ("EsmTokenizer", "EsmTokenizerFast")
"""Names under which a folder says that its tokenizer is ESM's; it closes texts unless told otherwise."""
_ROLES = {
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "cls": ("[CLS]", "<cls>", "<s>"),
    "sep": ("[SEP]", "<eos>", "</s>", "<sep>"),
    "mask": ("[MASK]", "<mask>"),
}
_KEYS = {"sep": ("sep_token", "eos_token"), "cls": ("cls_token", "bos_token")}


@dataclass(frozen=True)
class Words:
    """The lexicon of a foreign network.

    Args:
        lexicon: ours.
        rows: of the foreign embedding, one an id of ours.
        alphabet: ``dna`` or ``protein``, which it was trained on; empty where the lexicon is our own.
        closing: whether texts end with a closing token there.
        absent: words of the lexicon that it does not have, and reads as unknown.
    """

    lexicon: Lexicon
    rows: tuple[int, ...]
    alphabet: str
    closing: bool = True
    absent: tuple[str, ...] = ()


def read_words(folder: Path) -> Words:
    """The words of a folder's tokenizer.

    Raises:
        InputError: if there is no vocabulary, its words are neither k-mers nor residues, a special token is
            missing, or it is not said whether its words overlap.
    """
    notes = read_json(folder / NOTES) if (folder / NOTES).is_file() else {}
    with refusing("says nothing that is understood", where=folder / NOTES):
        if "lexicon" in notes:
            lexicon = Lexicon.from_dict(notes["lexicon"], where=folder / NOTES)
            return Words(lexicon, tuple(range(lexicon.vocabulary.size)), "")
        species = [str(name) for name in notes.get("species", ["any"])]
        stride = None if notes.get("stride") is None else int(notes["stride"])
    vocabulary, named = _vocabulary(folder), _named(folder)
    closing = not (named.get("tokenizer_class") in ESM_TOKENIZERS and named.get("eos_token", "") is None)
    special = _specials(named, vocabulary, closing=closing, where=folder)
    k = _word_length(vocabulary)
    alone = set("ACGT") <= set(vocabulary)
    if k == 1 and all(letter in vocabulary for letter in PROTEIN.symbols[: PROTEIN.canonical]):
        lexicon, alphabet, spare = build_lexicon(species, molecules=("protein",)), "protein", "X"
    elif k > 1 and stride is None and alone and named.get("tokenizer_class") in ESM_TOKENIZERS:
        lexicon = build_lexicon(species, dna=GREEDY, k=k, stride=k, molecules=("dna",))
        alphabet, spare = "dna", "N"
    elif k:
        if k > 1 and stride is None:
            what = f"does not say whether its words of {k} letters overlap"
            fix = f'write {{"stride": 1}} (they do) or {{"stride": {k}}} into {NOTES} in that folder'
            raise InputError(what, where=folder, fix=fix)
        lexicon = build_lexicon(species, dna="kmer", k=k, stride=stride or 1, molecules=("dna",))
        alphabet, spare = "dna", "N" * k
    else:
        what = "its vocabulary holds neither all k-mers of some k nor the twenty amino acids"
        raise InputError(what, where=folder, fix="such tokens are not read here")
    unknown = vocabulary.get(spare, special["unk"])
    rows = [special["pad"], unknown, special["cls"], special["sep"], special["mask"]]
    words = lexicon.vocabulary.blocks[0].tokens
    found = [_row(vocabulary, word) for word in words]
    rows += [unknown if row is None else row for row in found]
    assert len(rows) == len(SPECIALS) + len(words)
    absent = tuple(word for word, row in zip(words, found, strict=True) if row is None)
    return Words(lexicon, tuple(rows), alphabet, closing, absent)


def _row(vocabulary: Mapping[str, int], word: str) -> int | None:
    """The row of a word, written with T or with U."""
    return vocabulary.get(word, vocabulary.get(word.replace("T", "U")))


def _word_length(vocabulary: Mapping[str, int]) -> int:
    """The largest k of which all k-mers are words (of codons, all but three); 0 for none."""
    for k in range(LARGEST_K, 0, -1):
        words = map("".join, product("ACGT", repeat=k))
        spare = MISSING_CODONS if k == CODON else 0
        if sum(_row(vocabulary, word) is None for word in words) <= spare:
            return k
    return 0


def _vocabulary(folder: Path) -> dict[str, int]:
    """Ids by token."""
    if (folder / "tokenizer.json").is_file():
        path = folder / "tokenizer.json"
        told = read_json(path)
        with refusing("is no tokenizer of Hugging Face", where=path):
            listed = told["model"]["vocab"]
            if isinstance(listed, list):
                listed = {token: number for number, (token, _) in enumerate(listed)}
            added = {one["content"]: one["id"] for one in told.get("added_tokens") or ()}
            return {str(token): int(number) for token, number in {**listed, **added}.items()}
    if (folder / "vocab.txt").is_file():
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        return {token.strip(): number for number, token in enumerate(lines) if token.strip()}
    if (folder / "vocab.json").is_file():
        with refusing("is no vocabulary", where=folder / "vocab.json"):
            return {str(token): int(number) for token, number in read_json(folder / "vocab.json").items()}
    fix = "give a folder with tokenizer.json, vocab.txt or vocab.json"
    raise InputError("holds no vocabulary", where=folder, fix=fix)


def _named(folder: Path) -> dict[str, Any]:
    """What the folder says of its tokenizer; None stands for what is said not to be."""
    named: dict[str, Any] = {}
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).is_file():
            with refusing("names no special tokens", where=folder / name):
                told = dict(read_json(folder / name).items())
                named |= {key: value for key, value in told.items() if value is not None or key not in named}
    return named


def _specials(
    named: Mapping[str, Any], vocabulary: Mapping[str, int], *, closing: bool, where: Path
) -> dict[str, int]:
    """Ids of the five special tokens, as the folder names them, or by their usual names.

    Where no token closes a text, that of padding stands for it, and the network does not see it.
    """
    found: dict[str, int] = {}
    for role, usual in _ROLES.items():
        if role == "sep" and not closing:
            found[role] = found["pad"]
            continue
        given = [named[key] for key in _KEYS.get(role, (f"{role}_token",)) if named.get(key) is not None]
        texts = [str(one.get("content") if isinstance(one, dict) else one) for one in given]
        numbers = [vocabulary[text] for text in (*texts, *usual) if text in vocabulary]
        if not numbers:
            what = f"has no token for {role}, which texts are read with here"
            raise InputError(what, where=where, fix=f"its tokenizer should name {role}_token")
        found[role] = numbers[0]
    return found
