"""Files on the command line, without a YAML: what species they are, and what they hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

from genomecli.errors import InputError, UsageError
from genomecli.sequences.fasta import guess_alphabet, refuse_other_format
from genomecli.sequences.openers import Location, is_zip, open_input

_HEAD = 1 << 16
_STREAM = (
    "name its species and kind, such as "
    "--set 'tokenize.species=[{name: ecoli, sources: [{kind: cds, path: \"-\"}]}]' instead of -"
)
_ENDINGS = re.compile(
    r"(\.(gz|bgz|gbk|gbff|gb|genbank|embl|fasta|fas|fna|ffn|fa|faa|txt|zip|cds|pep|genome|proteins?))+$",
    re.IGNORECASE,
)


def species_settings(inputs: list[str]) -> list[str]:
    """The ``--set`` that makes each file one species, named by the file, its kind guessed by its content.

    An annotated file's own ``/transl_table`` decides its genetic code; of a FASTA it is 1 unless the YAML or
    ``--set tokenize.species.0.code=N`` says otherwise.

    Raises:
        UsageError: if two files give one species name, or standard input is given.
        InputError: if a file holds no sequences that are known here.
    """
    species = []
    for text in inputs:
        if text == "-":
            raise UsageError("standard input has no name", fix=_STREAM)
        path = Path(text)
        species.append({"name": species_name(path), "sources": [{"kind": guess_kind(path), "path": text}]})
    names = [str(one["name"]) for one in species]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two files are named {twice[0]!r}", fix="give the species in a YAML")
    return [f"tokenize.species={json.dumps(species)}"]


def species_name(path: Path) -> str:
    """A species name made of a file's name: endings of formats fall off, other signs become ``_``."""
    stem = _ENDINGS.sub("", path.name) or path.name
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", stem).strip("_.+-")[:100] or "species"


def guess_kind(path: Path) -> str:
    """``annotated``, ``protein``, ``cds`` or ``genome``, by the start of the content.

    DNA whose first records nearly all are a multiple of three long and start with ATG, GTG or TTG is ``cds``.

    Raises:
        InputError: if the content is none of these.
    """
    if path.is_dir() or (path.exists() and is_zip(path)):
        return "annotated"
    with open_input(Location(path)) as stream:
        head = stream.peek(_HEAD)[:_HEAD]
    if re.match(rb"\s*(LOCUS |ID   )", head):
        return "annotated"
    if not head.lstrip().startswith(b">"):
        refuse_other_format(head, path, source=True)
        raise InputError("is no FASTA, GenBank or EMBL", where=path, fix="give its kind in a YAML")
    bodies = [b"".join(record.split(b"\n")[1:]) for record in head.replace(b"\r", b"").split(b">")[1:]]
    if guess_alphabet(b"".join(bodies)) == "protein":
        return "protein"
    whole = bodies[:-1]
    like_genes = [len(body) % 3 == 0 and body[:3].upper() in (b"ATG", b"GTG", b"TTG") for body in whole]
    return "cds" if len(whole) >= 3 and sum(like_genes) >= 0.8 * len(whole) else "genome"
