"""Coding sequences and proteins on their way into a part: through the policies, and counted."""

from __future__ import annotations

import numpy as np

from genomecli.corpus.digests import digest_of
from genomecli.corpus.manifest import Molecule
from genomecli.corpus.parts import MoleculeWriter, PartWriter
from genomecli.corpus.policies import ALIASED, Cleaned, DroppedError, clean_cds, clean_protein, keep_lengths
from genomecli.corpus.said import Said
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import STOP, UNKNOWN_RESIDUE, Codes
from genomecli.sequences.codes import genetic_code

Pieces = list[tuple[int, int]]


class GeneRows:
    """Writes genes and proteins.

    Args:
        part: where rows go.
        policies: what becomes of sequences that are not plain.
        file: name of the source, for errors.
        pseudogenes: keep records that are marked as pseudogenes.
        translated: add the protein of each whole gene, by its genetic code.
    """

    def __init__(
        self,
        part: PartWriter,
        policies: PolicySettings,
        file: str,
        *,
        pseudogenes: bool,
        translated: bool = False,
    ) -> None:
        self._part = part
        self._policies = policies
        self._file = file
        self._pseudogenes = pseudogenes
        self._translated = translated

    def add(
        self, molecule: Molecule, said: Said, symbols: Codes, soft: Codes | None, *, aliased: int = 0
    ) -> None:
        """Take one record.

        Args:
            molecule: ``cds`` or ``protein``.
            said: what is known of it.
            symbols: uint8[n].
            soft: uint8[n], or None.
            aliased: letters of it that are read as another.

        Raises:
            InputError: if a policy calls it an error.
        """
        writer = self._part.molecule(molecule)
        writer.begin_record()
        writer.tally.read.add(1, len(symbols))
        skip = said.skip if molecule == "cds" else 0
        try:
            if said.pseudo and not self._pseudogenes:
                raise DroppedError("pseudogene")
            cleaned = self._clean(molecule, said, symbols[skip:], None if soft is None else soft[skip:])
            kept = keep_lengths(cleaned.pieces, *self._limits(molecule))
        except DroppedError as reason:
            self._part.drop(molecule, said.id, str(reason), len(symbols))
            return
        if skip:
            cleaned.cut["bases before the first whole codon"] = min(skip, len(symbols))
        cleaned.changed[ALIASED] = aliased
        self._count(writer, cleaned, kept)
        mask = soft if self._policies.lower_case == "keep" else None
        self._write(writer, said, cleaned, kept, None if mask is None else mask[skip:])
        if molecule == "cds" and self._translated:
            self._translate(writer, said, cleaned, kept)

    def _translate(self, writer: MoleculeWriter, said: Said, cleaned: Cleaned, kept: Pieces) -> None:
        """Add the protein of a gene that was kept whole, without the stop at its end."""
        if len(kept) != 1 or "ambiguity letters" in cleaned.cut:
            writer.tally.seen["not translated: cut at ambiguity letters"] += 1
            return
        (a, b) = kept[0]
        residues = _residues(cleaned.symbols[a:b], said)
        if said.partial5 and len(residues) and residues[-1] == STOP:
            residues = residues[:-1]
        if said.exceptions:  # which residue a recoded codon is, a header may say in many ways
            residues = np.where(residues == STOP, UNKNOWN_RESIDUE, residues).astype(np.uint8)
        self.add("protein", said, residues, None)

    def _clean(self, molecule: Molecule, said: Said, symbols: Codes, soft: Codes | None) -> Cleaned:
        where = f"{self._file}, record {said.id!r}"
        if molecule == "protein":
            return clean_protein(symbols, soft, self._policies, where=where)
        return clean_cds(
            symbols,
            soft,
            genetic_code(said.table),
            self._policies,
            where=where,
            partial3=said.partial3,
            recoded=said.recoded(len(symbols) // 3),
        )

    def _limits(self, molecule: Molecule) -> tuple[int, int | None]:
        shortest, longest = self._policies.min_length, self._policies.max_length
        if molecule == "cds":
            return shortest.cds, longest.cds
        return shortest.protein, longest.protein

    def _count(self, writer: MoleculeWriter, cleaned: Cleaned, kept: Pieces) -> None:
        size = sum(b - a for a, b in kept)
        left_out = sum(b - a for a, b in cleaned.pieces) - size
        cut = cleaned.cut | ({"too short or too long piece": left_out} if left_out else {})
        writer.tally.keep(cut, cleaned.changed, size, len(kept))
        writer.tally.seen.update(cleaned.seen)

    def _write(
        self, writer: MoleculeWriter, said: Said, cleaned: Cleaned, kept: Pieces, mask: Codes | None
    ) -> None:
        whole = "ambiguity letters" not in cleaned.cut
        for a, b in kept:
            symbols = cleaned.symbols[a:b]
            writer.write(symbols, None if mask is None else mask[a:b])
            at_start, at_end = a == 0, (a, b) == cleaned.pieces[-1]
            row = said.row()
            if not whole:
                row |= {"partial5": said.partial5 or not at_start, "partial3": said.partial3 or not at_end}
            writer.end_row(
                id=said.id if whole else f"{said.id}:{a + 1}-{b}",
                frame_ok="internal stop kept" not in cleaned.seen,
                has_start=cleaned.has_start and at_start,
                has_stop=cleaned.has_stop and at_end,
                translation=_translation(writer.molecule, symbols, said) if whole else "",
                whole=whole,
                **row,
            )


def _translation(molecule: Molecule, symbols: Codes, said: Said) -> str:
    """Digest of a cds' protein; of a protein, nothing."""
    if molecule != "cds":
        return ""
    return digest_of(_residues(symbols, said))


def _residues(symbols: Codes, said: Said) -> Codes:
    return genetic_code(said.table).translate(symbols, cds=not said.partial5)
