"""Tables and figures of the study, from whatever jobs are finished.

    python -m scripts.study.collect [--keep] OUT RESULTS

OUT is the folder of the jobs (out/study), RESULTS where the tables and figures go (scripts/study/results).
With --keep, rows of RESULTS stay whose jobs OUT does not hold, so that a machine that ran some of the jobs
adds to what another one found. All seeds of a network are taken together, in every table: from OUT where it
holds at least as many of them, from RESULTS otherwise, and what was left out is said.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomecli.analysis.decipherment.decipher import REDRAWN, SHUFFLED
from scripts.study.drawings import draw_founding, draw_ladder, draw_similarities, draw_training
from scripts.study.ladder import (
    RUNGS,
    THERE,
    Groups,
    Row,
    chosen_layer,
    grouped,
    ladder_rows,
    layer_rows,
    networks,
    read_rows,
    static_rows,
    training_rows,
    write_rows,
)
from scripts.study.question_drawings import (
    draw_code,
    draw_codes,
    draw_explained,
    draw_pooled,
    draw_species,
    draw_surprise,
)
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
            "resampled": found.get("resampled", "records"),
            "margin_sd": "" if found["margin"] is None else f"{found['margin']:.1f}",
            "evidence": f"{found['evidence_per_1000_pairs']:.4f}",
            "ranked_first": ",".join(map(str, found["ranked_codes"][0])),
            **_found_in_genome(found.get("genome")),
        }


def _found_in_genome(genome: Mapping[str, Any] | None) -> Row:
    """How much of a bare genome was called coding, and how well; empty where genes were given."""
    if genome is None:
        return dict.fromkeys(("coding", "sensitivity", "precision"), "")
    return {
        "coding": f"{genome['coding_bases'] / genome['bases_read']:.3f}",
        **{name: f"{genome[name]:.3f}" for name in ("sensitivity", "precision")},
    }


def _share(value: float, found: Mapping[str, Any]) -> str:
    """Evidence of a control as a share of the text's own; empty where the text has none."""
    own = found["evidence_per_1000_pairs"]
    return f"{value / own:.2f}" if own > 0 else ""


@dataclass(frozen=True)
class Results:
    """The folder of tables.

    Args:
        folder: where they are.
        keep: rows of jobs that are not at hand stay.
    """

    folder: Path
    keep: bool

    def rows(self, name: str) -> list[Row]:
        """A table as it stands."""
        return list(read_rows(self.folder / f"{name}.tsv"))

    def write(
        self, name: str, rows: Iterable[Row], *job: str, each: str = "", fill: bool = False
    ) -> list[Row]:
        """Write a table, or leave it where it would be empty.

        Args:
            name: of the table.
            rows: of the jobs at hand.
            job: columns that name a job. Its rows are replaced together.
            each: column of its repeats, such as seeds. A job with fewer of them than are written stays.
            fill: jobs have one row each, whose cells come from several sources; an empty one stays as it was.

        Returns:
            All rows of the table.
        """
        found = list(rows)
        if self.keep:
            before = self.rows(name)
            if fill:
                known = {_key(row, job): row for row in before}
                found = [filled(row, known.get(_key(row, job), {})) for row in found]
            found = merged(before, found, job, each)
        write_rows(self.folder / f"{name}.tsv", found)
        return found


def filled(row: Row, before: Row) -> Row:
    """A row whose empty cells are those of before."""
    return {name: before.get(name, "") if value == "" else value for name, value in row.items()}


def merged(before: Sequence[Row], rows: Sequence[Row], job: Sequence[str], each: str = "") -> list[Row]:
    """Rows of two tables, as :meth:`Results.write` says, in the order of jobs."""
    refused = fewer(before, rows, job, each) if each else set()
    rows = [row for row in rows if _key(row, job) not in refused]
    mine = {_key(row, job) for row in rows}
    kept = [row for row in before if _key(row, job) not in mine]
    if not (kept and rows):
        return list(kept or rows)  # in the order that they have
    # A column that one side does not know is empty there.
    columns = dict.fromkeys(name for row in (rows[0], kept[0]) for name in row)
    both = [{name: row.get(name, "") for name in columns} for row in (*kept, *rows)]
    return sorted(both, key=lambda row: tuple(map(_place, _key(row, (*job, each)))))


def fewer(before: Sequence[Row], rows: Sequence[Row], job: Sequence[str], each: str) -> set[tuple[str, ...]]:
    """Jobs of which ``rows`` hold fewer repeats than ``before``; they are named."""
    repeats: tuple[dict[tuple[str, ...], set[str]], ...] = (defaultdict(set), defaultdict(set))
    for counted, some in zip(repeats, (before, rows), strict=True):
        for row in some:
            counted[_key(row, job)].add(str(row.get(each, "")))
    then, now = repeats
    found = {one for one in now if len(now[one]) < len(then.get(one, ()))}
    for one in sorted(found):
        print(
            f"{', '.join(one)}: {len(now[one])} of {len(then[one])} seeds are here; the rows of before stay"
        )
    return found


def _key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in names)


def _place(name: str) -> tuple[int, int, str]:
    """Rungs in their own order, seeds as numbers, everything else by name."""
    if name in RUNGS:
        return RUNGS.index(name), 0, ""
    return len(RUNGS), int(name) if name.isdigit() else 0, name


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


def main(out: Path, folder: Path, *, keep: bool = False) -> None:
    """Write tables and figures of what there is.

    Args:
        out: folder of the jobs.
        folder: where tables and figures go.
        keep: leave rows whose jobs ``out`` does not hold.
    """
    if not out.is_dir():
        raise SystemExit(f"{out}: no such folder; make -f scripts/study/Makefile writes it")
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(folder, keep)
    read = results.write("decipher", decipherments(out / "decipher"), "job")
    trained = _networks(out, results)
    _questions(out, results)
    draw_code(out / "decipher" / TALK, folder / "code-table.png")
    print(f"{len(read)} decipherments and {trained} networks: {folder}")


def _networks(out: Path, results: Results) -> int:
    """Tables and figures of the ladder; how many networks it has."""
    groups: Groups = grouped(list(networks(out / "ladder")))
    rung = ("species", "rung")
    before = results.rows("ladder")
    if results.keep:
        here = [{"species": n.species, "rung": n.rung, "seed": n.seed} for g in groups.values() for n in g]
        refused = fewer(before, here, rung, "seed")
        groups = {key: mine for key, mine in groups.items() if key not in refused}
    layers = results.write("layers", layer_rows(groups), *rung)
    ladder = list(ladder_rows(groups, layers))
    if results.keep:
        ladder = [same_layer(row, layers) for row in merged(before, ladder, rung)]
    ladder = results.write("ladder", ladder, *rung)
    training = results.write("training", training_rows(groups), *rung)
    static = results.write("static", static_rows(groups), *rung)
    if ladder:
        draw_ladder(ladder, results.folder / "ladder.png")
        draw_training(training, results.folder / "training.png", layer=0)
        draw_founding(static, layers, results.folder / "founding.png")
        draw_similarities(layers, results.folder / "similarities.png", SHOWN)
    return len(ladder)


def _questions(out: Path, results: Results) -> None:
    """What GC3 explains, what surprises, who is near, which codes hold: of whatever is finished."""
    folder = results.folder
    explained = results.write("explained", explained_rows(out), "species", "rung", "vectors", each="seed")
    surprise = results.write("surprise", surprise_rows(out), "species", "rung", each="seed")
    species = results.write("species", species_rows(out), "a", "b", fill=True)
    pooled = results.write("pooled", pooled_rows(out), "network", each="seed")
    results.write("species-trends", trend_rows(species))
    codes = results.write("codes", code_rows(out), "text", each="seed")
    draw_explained(explained, folder / "explained.png")
    draw_surprise(surprise, folder / "surprise.png", "disjoint")
    draw_species(species, folder / "species.png")
    draw_pooled(pooled, results.rows("ladder"), folder / "pooled.png")
    draw_codes(codes, folder / "codes.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep rows of RESULTS whose jobs OUT does not hold"
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("results", type=Path)
    arguments = parser.parse_args()
    main(arguments.out, arguments.results, keep=arguments.keep)
