"""What the tests of ``score`` share."""

from __future__ import annotations

import csv
import io

from genomecli.cli import main
from tests.integration.planted import planted_genome

COMMON = ["--set", "device=cpu", "--set", "threads=1"]
GENOME = planted_genome(600)
HEADER = (
    "##fileformat=VCFv4.3\n##contig=<ID=c1,length=600>\n"
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
)


def line(place: int, ref: str, alts: str, rest: str = "50\tPASS\tDP=7\tGT\t0/1") -> str:
    return f"c1\t{place + 1}\trs{place}\t{ref}\t{alts}\t{rest}\n"


def others(place: int) -> str:
    return ",".join(base for base in "ACGT" if base != GENOME[place])


def score(*arguments: object) -> int:
    return main(["score", *map(str, arguments), *COMMON])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))
