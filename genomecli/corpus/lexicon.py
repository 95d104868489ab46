"""The lexicon: vocabulary, tokenizers and languages in one immutable value that travels with a model.

A language is a species and a molecule, ``ecoli/dna``. With scope ``shared`` all species write DNA with the
same tokens; with ``per_species`` each has its own block.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from genomecli.corpus import greedy_kmers  # noqa: F401  (registers its tokenizer, which lexicons may name)
from genomecli.corpus.tokenizers import Tokenizer, build_tokenizer, tokenizer_from_dict, tokenizer_to_dict
from genomecli.corpus.vocabulary import SPECIALS, Block, Vocabulary
from genomecli.errors import InputError, refusing
from genomecli.sequences.alphabets import get_alphabet

Scope = Literal["shared", "per_species"]

MOLECULE_ALPHABETS = {"genome": "dna", "cds": "dna", "dna": "dna", "protein": "protein"}
"""Which alphabet each kind of corpus text is written in."""


FORMAT_VERSION = 1
"""Of a lexicon's plain values."""


@dataclass(frozen=True)
class Lexicon:
    """What the ids of a model mean.

    Args:
        vocabulary: special tokens and blocks.
        tokenizers: one a block, in the same order.
        species: names, in corpus order.
        scope: whether blocks are shared by all species.
        dna: how DNA is cut: ``codon``, ``kmer``, ``base``, or another registered tokenizer.
    """

    vocabulary: Vocabulary
    tokenizers: tuple[Tokenizer, ...]
    species: tuple[str, ...]
    scope: Scope
    dna: str

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """``species/alphabet``, every species' DNA before its protein."""
        return tuple(f"{name}/{alphabet}" for name in self.species for alphabet in ("dna", "protein"))

    def language_id(self, species: str, molecule: str) -> int:
        """Index of a language; ``molecule`` is ``genome``, ``cds``, ``dna`` or ``protein``.

        Raises:
            InputError: if the model has not seen the species.
        """
        language = f"{species}/{MOLECULE_ALPHABETS[molecule]}"
        try:
            return self.languages.index(language)
        except ValueError:
            known = ", ".join(self.species)
            raise InputError(
                f"species {species!r} is unknown to this model", fix=f"it knows {known}"
            ) from None

    @cached_property
    def written(self) -> tuple[bool, ...]:
        """For each language, whether it has words; words of others may be of DNA or protein alone."""
        held = {block.molecule for block in self.vocabulary.blocks}
        return tuple(language.rsplit("/", 1)[1] in held for language in self.languages)

    def tokenizer(self, species: str, molecule: str) -> Tokenizer:
        """The tokenizer that reads ``molecule`` of ``species``."""
        block = self.block(species, molecule)
        return self.tokenizers[self.vocabulary.blocks.index(block)]

    def block(self, species: str, molecule: str) -> Block:
        """The block of ids in which ``molecule`` of ``species`` is written.

        Raises:
            InputError: if the model has no such tokens.
        """
        try:
            return self.vocabulary.block(species, MOLECULE_ALPHABETS[molecule])
        except KeyError:
            known = ", ".join(block.name for block in self.vocabulary.blocks)
            raise InputError(
                f"no tokens for {molecule} of species {species!r}", fix=f"the vocabulary holds {known}"
            ) from None

    def _kind(self, alphabet: str) -> str:
        return self.dna if alphabet == "dna" else "amino_acid"

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the meaning of any id or language."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "scope": self.scope,
            "dna": self.dna,
            "species": list(self.species),
            "tokenizers": [tokenizer_to_dict(t, self._kind(t.alphabet_name)) for t in self.tokenizers],
            "alphabets": {
                name: get_alphabet(name).fingerprint
                for name in sorted({t.alphabet_name for t in self.tokenizers})
            },
            "vocabulary": self.vocabulary.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, where: object | None = None) -> Lexicon:
        """The inverse of :meth:`to_dict`.

        Raises:
            InputError: if it was written with an alphabet that has changed since, or is none of ours.
        """
        with refusing("is no vocabulary of genomecli", where=where):
            return cls._from_dict(values, where)

    @classmethod
    def _from_dict(cls, values: Mapping[str, Any], where: object) -> Lexicon:
        version = values["format_version"]
        if version != FORMAT_VERSION:
            what = f"has a vocabulary of format version {version}, and this genomecli reads {FORMAT_VERSION}"
            raise InputError(what, where=where, fix="use the genomecli that wrote it")
        for name, fingerprint in values["alphabets"].items():
            here = get_alphabet(name).fingerprint
            if here != fingerprint:
                raise InputError(
                    f"alphabet {name} is {here} here and {fingerprint} there",
                    where=where,
                    fix="tokenize again",
                )
        return cls(
            Vocabulary.from_dict(values["vocabulary"]),
            tuple(tokenizer_from_dict(tokenizer) for tokenizer in values["tokenizers"]),
            tuple(values["species"]),
            values["scope"],
            values["dna"],
        )


def build_lexicon(
    species: Sequence[str],
    *,
    dna: str = "codon",
    k: int = 3,
    stride: int = 3,
    scope: Scope = "shared",
    molecules: Sequence[str] = ("dna", "protein"),
) -> Lexicon:
    """The lexicon for some species.

    Args:
        species: names, in corpus order.
        dna: a registered tokenizer: ``codon`` (k 3, stride 3), ``base`` (k 1), ``kmer`` (any k and stride).
        k: bases a token, for ``kmer``.
        stride: bases from token to token, for ``kmer``.
        scope: whether species share their tokens.
        molecules: alphabets that have tokens.
    """
    owners: Sequence[str | None] = [None] if scope == "shared" else list(species)
    blocks: list[Block] = []
    tokenizers: list[Tokenizer] = []
    start = len(SPECIALS)
    for owner in owners:
        for molecule in molecules:
            kind = dna if molecule == "dna" else "amino_acid"
            tokenizer = build_tokenizer(kind, molecule, start, k, stride)
            name = molecule if owner is None else f"{owner}/{molecule}"
            blocks.append(Block(name, molecule, owner, tokenizer.k, tokenizer.all_words(), start))
            tokenizers.append(tokenizer)
            start += tokenizer.words
    return Lexicon(Vocabulary(tuple(blocks)), tuple(tokenizers), tuple(species), scope, dna)
