"""Tables and figures of the study, from whatever jobs are finished.

Usage: python -m scripts.study.collect [--keep] OUT RESULTS

OUT is the folder of the jobs (out/study), RESULTS where the tables and figures go (scripts/study/results).
With --keep, rows of RESULTS stay whose jobs OUT does not hold, so that a machine that ran some of the jobs
adds to what another one found. Means are over the seeds of a rung, so a rung is taken whole: from OUT where
it holds at least as many seeds, from RESULTS otherwise, and what was left out is said.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis.decipherment.decipher import REDRAWN, SHUFFLED
from scripts.study.drawings import draw_founding, draw_ladder, draw_similarities, draw_training
from scripts.study.ladder import (
    RUNGS,
    Groups,
    Row,
    chosen_layer,
    grouped,
    ladder_rows,
    layer_rows,
    networks,
    static_rows,
    training_rows,
)
from scripts.study.question_drawings import draw_codes, draw_explained, draw_species, draw_surprise
from scripts.study.questions import (
    code_rows,
    explained_rows,
    pooled_rows,
    read_rows,
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
            "resampled": found.get("resampled", "records"),
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


def with_kept(path: Path, rows: Sequence[Row], job: Sequence[str]) -> list[Row]:
    """Rows with those of the table at ``path`` whose job is none of theirs, in the order of jobs.

    Args:
        job: columns that name one. A table of means over seeds has no seed among them: all seeds of a rung
            are replaced together.
    """

    def key(row: Row) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in job)

    mine = {key(row) for row in rows}
    before: list[Row] = list(read_rows(path))
    # A column that one side does not know is empty there.
    columns = dict.fromkeys(name for row in (*rows[:1], *before[:1]) for name in row)
    kept: list[Row] = [{n: row.get(n, "") for n in columns} for row in before if key(row) not in mine]
    rows = [{name: row.get(name, "") for name in columns} for row in rows]
    if not (kept and rows):
        return kept or rows  # in the order that they have
    return sorted([*kept, *rows], key=lambda row: tuple(map(_place, key(row))))


def _place(name: str) -> tuple[int, int, str]:
    """Rungs in their own order, seeds as numbers, everything else by name."""
    if name in RUNGS:
        return RUNGS.index(name), 0, ""
    return len(RUNGS), int(name) if name.isdigit() else 0, name


def whole_rungs(groups: Groups, kept: Sequence[Row]) -> Groups:
    """The rungs of which ``kept`` (rows of the ladder) does not hold more seeds; the others are named."""
    found = {}
    for (species, rung), mine in groups.items():
        before = sum((row["species"], row["rung"]) == (species, rung) for row in kept)
        if len(mine) < before:
            print(f"{species}, {rung}: {len(mine)} of {before} seeds are here; the rows of before are kept")
        else:
            found[species, rung] = mine
    return found


THERE = ("left_out_mrr_there", "untold_mrr_there", "shuffled_95_there", "untold_shuffled_95_there")
"""Columns of the ladder at the layer that other species choose."""


def same_layer(row: Row, layers: Sequence[Row]) -> Row:
    """A row of the ladder, without its figures at a layer that the others do not choose any more."""
    chosen = chosen_layer(layers, str(row["species"]), str(row["rung"]))
    layer = "" if chosen is None else str(chosen)
    if str(row["layer_of_others"]) == layer:
        return row
    print(
        f"{row['species']}, {row['rung']}, seed {row['seed']}: layer {layer} is chosen now; compare it anew"
    )
    return {**row, "layer_of_others": layer, **dict.fromkeys(THERE, "")}


def main(out: Path, results: Path, *, keep: bool = False) -> None:
    """Write what there is.

    Args:
        keep: leave rows of ``results`` whose jobs ``out`` does not hold.
    """
    results.mkdir(parents=True, exist_ok=True)

    def table(name: str, rows: Iterable[Row], *job: str) -> list[Row]:
        found = list(rows)
        path = results / f"{name}.tsv"
        found = with_kept(path, found, job) if keep else found
        write_table(path, found)
        return found

    found = table("decipher", decipherments(out / "decipher"), "job")
    groups = grouped(list(networks(out / "ladder")))
    if keep:
        groups = whole_rungs(groups, read_rows(results / "ladder.tsv"))
    layers = table("layers", layer_rows(groups), "species", "rung")
    ladder = table("ladder", ladder_rows(groups, layers), "species", "rung")
    if keep:
        ladder = [same_layer(row, layers) for row in ladder]
        write_table(results / "ladder.tsv", ladder)
    training = table("training", training_rows(groups), "species", "rung")
    static = table("static", static_rows(groups), "species", "rung")
    if ladder:
        draw_ladder(ladder, results / "ladder.png")
        draw_training(training, results / "training.png", layer=0)
        draw_founding(static, layers, results / "founding.png", "disjoint")
        draw_similarities(layers, results / "similarities.png", SHOWN)
    _questions(out, results, table)
    picture = out / "decipher" / TALK / "figures" / "code-table.png"
    if picture.is_file():
        shutil.copyfile(picture, results / "code-table.png")
    print(f"{len(found)} decipherments and {len(ladder)} networks: {results}")


def _questions(out: Path, results: Path, table: Callable[..., list[Row]]) -> None:
    """What GC3 explains, what surprises, who is near, which codes hold: of whatever is finished."""
    explained = table("explained", explained_rows(out), "species", "rung", "vectors", "seed")
    surprise = table("surprise", surprise_rows(out), "species", "rung", "seed")
    species = table("species", species_rows(out), "a", "b")
    table("pooled", pooled_rows(out), "network", "seed")
    table("species-trends", trend_rows(species))
    codes = table("codes", code_rows(out), "text", "seed")
    draw_explained(explained, results / "explained.png")
    draw_surprise(surprise, results / "surprise.png", "disjoint")
    draw_species(species, results / "species.png")
    draw_codes(codes, results / "codes.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--keep", action="store_true", help="keep rows of RESULTS whose jobs OUT does not hold"
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("results", type=Path)
    arguments = parser.parse_args()
    main(arguments.out, arguments.results, keep=arguments.keep)
