"""Tables and figures of the study, from whatever jobs are finished.

Usage: python -m scripts.study.collect OUT RESULTS

OUT is the folder of the jobs (out/study), RESULTS where the tables and figures go (scripts/study/results).
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis.decipherment.decipher import REDRAWN, SHUFFLED
from scripts.study.drawings import draw_founding, draw_ladder, draw_similarities, draw_training
from scripts.study.ladder import Row, grouped, ladder_rows, layer_rows, networks, static_rows, training_rows
from scripts.study.question_drawings import draw_codes, draw_explained, draw_species, draw_surprise
from scripts.study.questions import (
    code_rows,
    explained_rows,
    pooled_rows,
    species_rows,
    surprise_rows,
    trend_rows,
)

SHOWN = {
    "left_out": "rotation, amino acid left out",
    "cosine": "cosine",
    "centred": "centred cosine",
    "csls_centred": "centred CSLS",
    "synonyms": "codons among synonyms",
    "between_blocks": "the same, between blocks",
}
"""Measures of the figure of similarities."""

TALK = "spyogenes-x-bsubtilis"
"""The decipherment whose code table is kept as a picture."""


def decipherments(folder: Path) -> Iterator[Row]:
    """One row a finished decipherment."""
    for path in sorted(folder.glob("*/summary.json")):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        controls = found["controls"]
        readings = [value for name, value in controls.items() if name not in (SHUFFLED, REDRAWN)]
        yield {
            "job": path.parent.name,
            "genes_of": found["codons"],
            "proteins_of": found["proteins"],
            "relation": found["relation"],
            "codons": found["codons_read"],
            "residues": found["residues_read"],
            "mrr": f"{found['mrr']:.3f}",
            "right": f"{found['right']}/{found['asked']}",
            "right_tokens": f"{found['right_tokens']:.3f}",
            "decided_tokens": f"{found['decided_tokens']:.3f}",
            "wrong_of_decided": f"{found['wrong_tokens']:.4f}",
            "wrong": " ".join(found["wrong"]),
            "stops": " ".join(found["stops"]),
            "best_code": ",".join(map(str, found["best_codes"])),
            "possible_codes": len(found["possible_codes"]),
            "UGA": found["answers"][56],
            "best_other_reading": _share(max(readings), found) if readings else "",
            "shuffled": _share(controls[SHUFFLED], found) if controls else "",
            "margin_sd": "" if found["margin"] is None else f"{found['margin']:.1f}",
        }


def _share(value: float, found: Mapping[str, Any]) -> str:
    """Evidence of a control as a share of the text's own."""
    return f"{value / found['evidence_per_1000_pairs']:.2f}"


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """A TSV table; nothing where there are no rows."""
    if rows:
        lines = ["\t".join(rows[0]), *("\t".join(str(value) for value in row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(out: Path, results: Path) -> None:
    """Write what there is."""
    results.mkdir(parents=True, exist_ok=True)
    found = list(decipherments(out / "decipher"))
    write_table(results / "decipher.tsv", found)
    groups = grouped(list(networks(out / "ladder")))
    tables = {
        name: list(rows(groups))
        for name, rows in (
            ("ladder", ladder_rows),
            ("layers", layer_rows),
            ("training", training_rows),
            ("static", static_rows),
        )
    }
    for name, rows in tables.items():
        write_table(results / f"{name}.tsv", rows)
    if groups:
        draw_ladder(tables["ladder"], results / "ladder.png")
        draw_training(tables["training"], results / "training.png", layer=0)
        draw_founding(tables["static"], tables["layers"], results / "founding.png", "disjoint")
        draw_similarities(tables["layers"], results / "similarities.png", SHOWN)
    _questions(out, results)
    picture = out / "decipher" / TALK / "figures" / "code-table.png"
    if picture.is_file():
        shutil.copyfile(picture, results / "code-table.png")
    count = sum(map(len, groups.values()))
    print(f"{len(found)} decipherments and {count} networks: {results}")


def _questions(out: Path, results: Path) -> None:
    """What GC3 explains, what surprises, who is near, which codes hold: of whatever is finished."""
    explained, surprise = list(explained_rows(out)), list(surprise_rows(out))
    species, codes = list(species_rows(out)), list(code_rows(out))
    write_table(results / "explained.tsv", explained)
    write_table(results / "surprise.tsv", surprise)
    write_table(results / "species.tsv", species)
    write_table(results / "pooled.tsv", list(pooled_rows(out)))
    write_table(results / "species-trends.tsv", list(trend_rows(species)))
    write_table(results / "codes.tsv", codes)
    draw_explained(explained, results / "explained.png")
    draw_surprise(surprise, results / "surprise.png", "disjoint")
    draw_species(species, results / "species.png")
    draw_codes(codes, results / "codes.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
