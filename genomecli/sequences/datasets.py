"""Find the files of one kind in what NCBI ``datasets`` writes, a folder or its zip, or in a plain list.

``ncbi_dataset/data/<accession>/`` holds ``*_genomic.fna``, ``genomic.gff``, ``genomic.gtf``,
``genomic.gbff``, ``cds_from_genomic.fna`` and ``protein.faa``, each only if it was asked for.
``ncbi_dataset/data/`` holds ``dataset_catalog.json`` (what should be there).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genomecli.errors import InputError
from genomecli.sequences.formats import guess_format
from genomecli.sequences.openers import Location, is_zip, open_input, zip_members
from genomecli.sequences.settings import Kind

_GENOME = r"(?!cds_from_|rna_from_)(.*_)?genomic\.fna|chr[^/]*\.fna|un(placed|localized)[^/]*\.fna"
_NAMES = {
    "genome": _GENOME,
    "cds": r"(.*_)?cds(_from_genomic)?\.fna",
    "protein": r"(.*_)?protein\.faa",
    "genbank": r"(.*_)?genomic\.gbff",
    "gff": r"(.*_)?genomic\.gff",
    "gtf": r"(.*_)?genomic\.gtf",
}
_CATALOG = "dataset_catalog.json"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files that are read together.

    Args:
        sequences: FASTA, GenBank, EMBL, or GFF3 with a FASTA section.
        annotation: GFF3 or GTF that belongs to a FASTA.
    """

    sequences: Location
    annotation: Location | None = None


def find_inputs(paths: Sequence[Path], kind: Kind, annotation: Path | None = None) -> list[Inputs]:
    """The files to read, in order.

    Args:
        paths: files, ``-``, or folders and zips of NCBI ``datasets``.
        kind: what is wanted of them.
        annotation: GFF3 or GTF of the one FASTA in ``paths``; where it is left out, two paths of kind
            annotated, one of them GFF3 or GTF and one FASTA, are taken as a pair.

    Raises:
        InputError: nothing of that kind there, or an annotation without its one FASTA.
    """
    if annotation is not None:
        if kind != "annotated" or len(paths) != 1:
            raise InputError("belongs to one FASTA of kind annotated", where=annotation, fix="name one path")
        return [Inputs(Location(paths[0]), Location(annotation))]
    if kind == "annotated" and len(paths) == 2 and (pair := _pair(paths)) is not None:
        return [pair]
    return [inputs for path in paths for inputs in _inputs_of(path, kind)]


def _pair(paths: Sequence[Path]) -> Inputs | None:
    formats = {}
    for path in paths:
        if str(path) == "-" or path.is_dir() or is_zip(path):
            return None
        with open_input(path) as stream:
            formats[guess_format(stream.peek(1 << 16))] = Location(path)
    return Inputs(formats["fasta"], formats["gff"]) if formats.keys() == {"fasta", "gff"} else None


def _inputs_of(path: Path, kind: Kind) -> list[Inputs]:
    if str(path) != "-" and not path.exists():
        raise InputError("no such file or folder", where=path)
    if str(path) == "-" or not (path.is_dir() or is_zip(path)):
        return [Inputs(Location(path))]
    if (path / "lexicon.json").is_file():
        raise InputError("is a corpus already", where=path, fix="name the files that it was made from")
    package = Package(path)
    if not package.is_dataset and not path.is_dir():
        return [Inputs(Location(path))]  # a plain zip: its only member
    return package.inputs(kind)


class Package:
    """A folder or zip of NCBI ``datasets``.

    Args:
        path: the folder (the outer one, ``ncbi_dataset``, or one accession's) or the zip.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zipped = not path.is_dir()
        self.names = zip_members(path) if self._zipped else _files_below(path)

    @property
    def is_dataset(self) -> bool:
        """Whether anything in it has a name that ``datasets`` gives."""
        return any(self._named(kind) for kind in _NAMES) or any(
            name.endswith(_CATALOG) for name in self.names
        )

    def inputs(self, kind: Kind) -> list[Inputs]:
        """Files of a kind, accession by accession. Raises InputError where there is none."""
        self._check_catalog(kind)
        found = self._annotated() if kind == "annotated" else [Inputs(file) for file in self._files(kind)]
        if not found:
            wanted = {
                "annotated": "genomic.gbff, or *_genomic.fna with genomic.gff",
                "genome": "*_genomic.fna",
            }
            names = {"cds": "cds_from_genomic.fna", "protein": "protein.faa"} | wanted
            raise InputError(
                f"holds nothing of kind {kind} ({names[kind]})",
                where=self.path,
                fix="ask datasets for it with --include, or name the file",
            )
        return found

    def _annotated(self) -> list[Inputs]:
        if records := self._files("genbank"):
            return [Inputs(file) for file in records]
        fastas, gffs = self._by_folder("genome"), self._by_folder("gff") or self._by_folder("gtf")
        found = []
        for folder, names in fastas.items():
            if folder in gffs:
                if len(names) > 1:
                    raise InputError(
                        f"holds {len(names)} genome files for one annotation", where=f"{self.path}/{folder}"
                    )
                found.append(Inputs(self._location(names[0]), self._location(gffs[folder][0])))
        return found

    def _by_folder(self, kind: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._named(kind):
            found.setdefault(str(PurePosixPath(name).parent), []).append(name)
        return found

    def _files(self, kind: str) -> list[Location]:
        return [self._location(name) for name in self._named(kind)]

    def _named(self, kind: str) -> list[str]:
        pattern = re.compile(rf"(?:{_NAMES[kind]})(\.gz)?$")
        return [name for name in self.names if pattern.match(PurePosixPath(name).name)]

    def _location(self, name: str) -> Location:
        return Location(self.path, name) if self._zipped else Location(self.path / name)

    def _text(self, name: str) -> str:
        inside = next((known for known in self.names if PurePosixPath(known).name == name), None)
        if inside is None:
            return ""
        with open_input(self._location(inside)) as stream:
            return stream.text().read()

    def _check_catalog(self, kind: Kind) -> None:
        """A dehydrated package lists files that were never fetched."""
        text = self._text(_CATALOG)
        if not text:
            return
        try:
            groups = [group for group in json.loads(text).values() if isinstance(group, list)]
            listed = [file["filePath"] for group in groups for entry in group for file in entry["files"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"has a broken {_CATALOG} ({error})", where=self.path) from error
        absent = [name for name in listed if not any(known.endswith(name) for known in self.names)]
        wanted = [name for name in absent if _is_of(name, kind)]
        if wanted:
            raise InputError(
                f"lists {wanted[0]}, which is not there",
                where=self.path,
                fix="fetch it with datasets rehydrate",
            )


def _is_of(name: str, kind: Kind) -> bool:
    kinds: Iterable[str] = ("genome", "gff", "gtf", "genbank") if kind == "annotated" else (kind,)
    return any(re.match(rf"(?:{_NAMES[k]})(\.gz)?$", PurePosixPath(name).name) for k in kinds)


def _files_below(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith("."))
