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

Row = Mapping[str, object]

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


def rungs(folder: Path) -> Iterator[Row]:
    """One row a network of the ladder."""
    for path in sorted(folder.glob("*/compared/summary.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        species, _, rung = path.parent.parent.name.partition("-")
        for head in found["headlines"]:
            own, synonyms, fresh = head["left_out_amino_acids"], head["synonymous_codons"], head["untrained"]
            yield {
                "species": species,
                "rung": rung,
                "run": head["run"],
                "layer": head["layer"],
                "left_out_mrr": _figure(own),
                "low": _figure(own, "low"),
                "high": _figure(own, "high"),
                "shuffled_95": ""
                if head["left_out_shuffled_95"] is None
                else f"{head['left_out_shuffled_95']:.3f}",
                "untrained": _figure(fresh),
                "synonyms_mrr": _figure(synonyms),
                "between_blocks_mrr": _figure(head["synonymous_codons_between_blocks"]),
                "cosine_mrr": _figure(head["cosine"]),
            }


def _figure(measure: Mapping[str, float] | None, key: str = "value") -> str:
    return "" if measure is None or measure[key] is None else f"{measure[key]:.3f}"


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """A TSV table; nothing where there are no rows."""
    if rows:
        lines = ["\t".join(rows[0]), *("\t".join(str(value) for value in row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def ladder_figure(rows: Sequence[Row], path: Path) -> None:
    """The primary endpoint, rung by rung: a dot a network, its interval, and what shuffled codes reach."""
    from genomecli.analysis.figures.style import BAND, OKABE_ITO, house_style, light_grid, new_figure

    names = (
        "frame1",
        "frame2",
        "windows",
        "disjoint",
        "comparable",
        "anchored5",
        "anchored10",
        "deciphered",
        "shared",
        "paired",
    )
    species = sorted({str(row["species"]) for row in rows})
    with house_style():
        figure, grid = new_figure(8.4, 4.2, columns=len(species), sharey=True)
        for axes, name in zip(grid[0], species, strict=True):
            mine = [row for row in rows if row["species"] == name and row["rung"] in names]
            band = [float(str(row["shuffled_95"])) for row in mine if row["shuffled_95"]]
            axes.axhspan(
                0, max(band, default=0.0), color=BAND, alpha=0.6, lw=0, label="95 % of shuffled codes"
            )
            fresh = [
                (names.index(str(row["rung"])), float(str(row["untrained"])))
                for row in mine
                if row["untrained"]
            ]
            axes.plot(*zip(*fresh, strict=True), "_", color="#555555", ms=12, label="untrained")
            for row in mine:
                place, value = names.index(str(row["rung"])), float(str(row["left_out_mrr"]))
                axes.plot(
                    [place] * 2, [float(str(row["low"])), float(str(row["high"]))], color=OKABE_ITO[0], lw=1.2
                )
                axes.plot(place, value, "o", color=OKABE_ITO[0], ms=6)
            axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=9)
            axes.set_xlim(-0.5, len(names) - 0.5)
            axes.set_ylim(0, 1.02)
            axes.set_title(name)
            light_grid(axes)
        grid[0][0].set_ylabel("MRR, amino acid left out")
        grid[0][0].legend(loc="upper left")
    figure.savefig(path, dpi=130, metadata={"Software": None})


def main(out: Path, results: Path) -> None:
    """Write what there is."""
    results.mkdir(parents=True, exist_ok=True)
    found, networks = list(decipherments(out / "decipher")), list(rungs(out / "ladder"))
    write_table(results / "decipher.tsv", found)
    write_table(results / "ladder.tsv", networks)
    if networks:
        ladder_figure(networks, results / "ladder.png")
    picture = out / "decipher" / TALK / "figures" / "code-table.png"
    if picture.is_file():
        shutil.copyfile(picture, results / "code-table.png")
    print(f"{len(found)} decipherments and {len(networks)} networks: {results}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
