"""What a FASTA header says: id, description, and what NCBI, Ensembl and UniProt write into them.

| written by | example |
|---|---|
| NCBI, CDS | ``lcl|NC_000913.3_cds_NP_414542.1_1 [gene=thrL] [locus_tag=b0001] [protein_id=NP_414542.1] [location=190..255]`` |
| NCBI, old | ``gi|84626162|gb|AAC71217.2| DNA polymerase III`` |
| Ensembl | ``AAC76904 cds chromosome:ASM584v2:Chromosome:4112967:4113266:1 gene:b3922 gene_symbol:yiiS`` |
| UniProt | ``sp|P0A6F5|CH60_ECOLI 60 kDa chaperonin OS=Escherichia coli GN=groEL`` |
| any | ``... transl_table=4 ...``, ``... topology=circular ...`` |

The id is always the header up to the first white space, also where it holds bars.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from genomecli.sequences.annotation import parse_translation_exceptions
from genomecli.sequences.settings import TableRule


class Header(NamedTuple):
    """One FASTA header, read. Texts are empty and numbers None where the header does not say.

    Args:
        id: up to the first white space; ``record_7`` for the seventh record if it has none.
        description: the rest.
        named: False where the id had to be made up.
        accession: the database accession inside an id with bars.
        gene: gene name.
        locus_tag: systematic name.
        protein_id: accession of the protein.
        transcript: accession of the transcript.
        key: what pairs a coding sequence with its protein: the key pattern's group; else protein_id,
            transcript, accession, or id, the first that is there.
        contig, start, end, strand: where it lies; 0-based half-open, strand +1 or -1.
        table: genetic code that the header itself states.
        codon_start: 1, 2 or 3.
        exceptions: codons not read by the code, as (index from the first whole codon, letter).
        partial5, partial3: an end is missing.
        pseudo: marked as a pseudogene.
        circular: stated topology.
    """

    id: str
    description: str = ""
    named: bool = True
    accession: str = ""
    gene: str = ""
    locus_tag: str = ""
    protein_id: str = ""
    transcript: str = ""
    key: str = ""
    contig: str = ""
    start: int | None = None
    end: int | None = None
    strand: int | None = None
    table: int | None = None
    codon_start: int = 1
    exceptions: tuple[tuple[int, str], ...] = ()
    partial5: bool = False
    partial3: bool = False
    pseudo: bool = False
    circular: bool | None = None


_NCBI_FIELD = re.compile(r"\[([A-Za-z_]+)=((?:[^\[\]]|\[[^\]]*\])*)\]")
_ENSEMBL_PLACE = re.compile(r"\s[a-z_]+:[^\s:]+:([^\s:]+):([0-9]{1,18}):([0-9]{1,18}):(-?1)(?:\s|$)")
_ENSEMBL_FIELD = re.compile(r"\s(gene|transcript|gene_symbol):(\S+)")
_TABLE = re.compile(r"\btransl_table[= ]([0-9]{1,18})(?![0-9])")
_CIRCULAR = re.compile(r"\b(?:topology|circular)=(circular|linear|true|false)\b", re.IGNORECASE)
_UNIPROT_GENE = re.compile(r"\bGN=(\S+)")
_NUMBERS = re.compile(r"(?<![0-9])[0-9]{1,18}(?![0-9])")


def decode_header(raw: bytes) -> str:
    """The header as text: UTF-8, or Latin-1 where it is not."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def split_header(raw: bytes, ordinal: int) -> tuple[str, str]:
    """(id, description) of a header; ``record_N`` (N from 1) stands in for an absent id.

    Args:
        raw: the line without ``>``. A blank before the first word means that there is no id.
        ordinal: the record's place in its file, from 0.
    """
    text = decode_header(raw)
    if not text or text[0].isspace():
        return f"record_{ordinal + 1}", text.strip()
    words = text.split(None, 1)
    return words[0], words[1].strip() if len(words) > 1 else ""


def parse_header(raw: bytes, ordinal: int = 0, key_pattern: re.Pattern[str] | None = None) -> Header:
    """Read all that a header says; what is not recognised stays in ``description``."""
    record_id, description = split_header(raw, ordinal)
    said: dict[str, Any] = {}
    if "|" in record_id:
        said |= _bars(record_id, description)
    if "[" in description:
        said |= _ncbi(description, record_id)
    if ":" in description:
        said |= _ensembl(f" {description}", record_id)
    if "=" in description:
        said |= _anywhere(description)
    key = "" if key_pattern is None else _key(f"{record_id} {description}", key_pattern)
    key = key or (_own_key(said) if said else "") or record_id
    named = bool(raw) and not raw[:1].isspace()
    return Header(record_id, description, named, key=key, **said)


def _key(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(text)
    if found is None:
        return ""
    return found.group(1) if found.re.groups else found.group(0)


def _own_key(said: dict[str, Any]) -> str:
    return next((said[name] for name in ("protein_id", "transcript", "accession") if said.get(name)), "")


def _bars(record_id: str, description: str) -> dict[str, Any]:
    """``sp|P0A6F5|NAME``, ``tr|...``, ``gi|1|gb|AAC71217.2|``, ``ref|NP_1.1|``; ``lcl|`` says nothing."""
    fields = record_id.split("|")
    if fields[0] == "gi" and len(fields) > 3:
        fields = fields[2:]
    if fields[0] not in ("sp", "tr", "gb", "emb", "dbj", "ref", "pdb", "tpg") or len(fields) < 2:
        return {}
    said: dict[str, Any] = {"accession": fields[1]}
    gene = _UNIPROT_GENE.search(description)
    return said | ({"gene": gene.group(1)} if gene else {})


def _ncbi(description: str, record_id: str) -> dict[str, Any]:
    fields = dict(_NCBI_FIELD.findall(description))
    said: dict[str, Any] = {
        name: fields[name] for name in ("gene", "locus_tag", "protein_id") if name in fields
    }
    if "location" in fields:
        said |= _ncbi_place(fields["location"], record_id)
    partial = fields.get("partial", "")
    said |= {
        "partial5": "5'" in partial,
        "partial3": "3'" in partial,
        "pseudo": fields.get("pseudo") == "true",
    }
    if fields.get("frame") in ("1", "2", "3"):
        said["codon_start"] = int(fields["frame"])
    if "transl_except" in fields:
        said["exceptions"] = _exceptions(fields["transl_except"], said.get("codon_start", 1))
    return said


def _exceptions(text: str, codon_start: int) -> tuple[tuple[int, str], ...]:
    """NCBI counts these places in the coding sequence itself, not on the genome."""
    found = parse_translation_exceptions([text])
    return tuple(((item.spans[0][0] - codon_start + 1) // 3, item.amino) for item in found)


def _ncbi_place(location: str, record_id: str) -> dict[str, Any]:
    numbers = [int(number) for number in _NUMBERS.findall(location)]
    if not numbers:
        return {}
    contig = record_id.removeprefix("lcl|").partition("_cds_")[0]
    strand = -1 if location.startswith("complement(") else 1
    return {"contig": contig, "start": min(numbers) - 1, "end": max(numbers), "strand": strand}


def _ensembl(description: str, record_id: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    place = _ENSEMBL_PLACE.search(description)
    if place is not None:
        contig, start, end, strand = place.groups()
        said = {"contig": contig, "start": int(start) - 1, "end": int(end), "strand": int(strand)}
    fields = dict(_ENSEMBL_FIELD.findall(description))
    if "gene" in fields:
        said["locus_tag"] = fields["gene"]
        said["gene"] = fields.get("gene_symbol", fields["gene"])
    if "transcript" in fields:
        said["transcript"] = fields["transcript"]
    elif description.startswith((" cds ", " cdna ")):
        said["transcript"] = record_id
    return said


def _anywhere(description: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "transl_table" in description and (table := _TABLE.search(description)) is not None:
        said["table"] = int(table.group(1))
    if ("ircular" in description or "opology" in description) and (ring := _CIRCULAR.search(description)):
        said["circular"] = ring.group(1).lower() in ("circular", "true")
    return said


class TableRules:
    """Genetic codes by header, the first match wins.

    Args:
        rules: patterns searched in the whole header, each with its table.
    """

    def __init__(self, rules: Sequence[TableRule]) -> None:
        self._rules = [(re.compile(rule.pattern), rule.table) for rule in rules]

    def table(self, text: str) -> int | None:
        """The table of the first rule whose pattern is found in ``text``, None if there is none."""
        return next((table for pattern, table in self._rules if pattern.search(text)), None)
