"""Figures of the study's further questions, drawn from the tables of :mod:`scripts.study.questions`."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from genomecli.analysis.figures.code_table import CodonCell, code_table_figure
from genomecli.analysis.figures.style import BAND, GREY, OKABE_ITO, house_style, light_grid, new_figure
from scripts.study.drawings import CHANCE, LABELS, NAMES, number, save
from scripts.study.ladder import MIDDLE, Row, read_rows

PROPERTY_LABELS = {
    "gc3": "GC3",
    "third_base": "third\nbase",
    "frequency": "usage",
    "first_two_bases": "first two\nbases",
    "meaning": "amino\nacid",
}
ENDPOINT_LABELS = {
    "synonyms": "synonyms",
    "synonyms_without": "without",
    "between": "between\nblocks",
    "between_without": "without",
    "left_out": "left-out\namino acid",
    "left_out_without": "without",
}
POOLED = {
    "per-species": "one network,\nown tokens",
    "shared": "one network,\nshared tokens",
    "no-language": "shared tokens, no\nlanguage embedding",
}
"""Networks of four species in words."""

POOLED_CODES = {
    "per-species": "pooled, own tokens",
    "shared": "pooled, shared tokens",
    "no-language": "pooled, no language embedding",
    "apart": "pooled, DNA alone beside",
}

RANK_COLOURS = {"phylum": OKABE_ITO[2], "domain": OKABE_ITO[0], "life": OKABE_ITO[1]}
RANK_LABELS = {"phylum": "neighbouring phyla", "domain": "both bacteria", "life": "two domains of life"}


def draw_explained(rows: Sequence[Row], path: Path) -> None:
    """What properties explain of codon-codon similarity, and the endpoints with and without GC3 and usage."""
    lines = _lines(rows)
    if not lines:
        return
    names = list(lines)
    with house_style():
        figure, grid = new_figure(11.5, 1.6 + 0.3 * len(names), columns=2, rows=1, width_ratios=[5, 6])
        _panel(grid[0][0], lines, PROPERTY_LABELS, 100, 50, "Explained alone, % of variance")
        _panel(grid[0][1], lines, ENDPOINT_LABELS, 1, 1, "MRR, and without GC3 and usage")
        grid[0][0].set_yticks(range(len(names)), names, fontsize=8)
        grid[0][1].set_yticks(range(len(names)), [""] * len(names))
        note = "bold: above chance and above what 95 % of codes with amino acids dealt anew reach"
        figure.supxlabel(note, fontsize=8)
    save(figure, path)


def _lines(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of the figure by line, seeds together: word counts of ``disjoint`` texts, middle layers."""
    order = {"pair ratios": 0, "ppmi": 1, "word2vec": 2, "network": 3}
    kept = [row for row in rows if row["vectors"] != "network" or row["layer"] == MIDDLE]
    kept = [row for row in kept if row["vectors"] not in ("ppmi", "word2vec") or row["rung"] == "disjoint"]
    kept.sort(key=lambda row: order[str(row["vectors"])])
    found: dict[str, list[Row]] = {}
    rungs = list(LABELS)
    kept.sort(
        key=lambda row: (
            order[str(row["vectors"])],
            rungs.index(str(row["rung"])) if row["rung"] in rungs else -1,
            str(row["species"]),
        )
    )
    for row in kept:
        what = str(row["vectors"])
        if what == "network":
            what = f"network, {LABELS.get(str(row['rung']), row['rung'])}"
        what = {"ppmi": "PPMI", "word2vec": "word2vec"}.get(what, what)
        found.setdefault(f"{what}: {NAMES.get(str(row['species']), row['species'])}", []).append(row)
    return found


def _panel(
    axes: Any,
    lines: Mapping[str, Sequence[Row]],
    columns: Mapping[str, str],
    scale: float,
    top: float,
    title: str,
) -> None:
    """A heat map with its numbers; bold where the value lies above 95 % of its null, and above chance."""
    import numpy as np

    table = np.full((len(lines), len(columns)), np.nan)
    for line, rows in enumerate(lines.values()):
        for column, name in enumerate(columns):
            values = [v for row in rows if (v := number(row, name)) is not None]
            if not values:
                continue
            table[line, column] = scale * fmean(values)
            least = CHANCE["left_out" if name.startswith("left_out") else "synonyms"] if scale == 1 else 0
            nulls = [v for row in rows if (v := number(row, f"{name}_null95")) is not None]
            above = bool(nulls) and fmean(values) > max(fmean(nulls), least)
            text = f"{table[line, column]:.1f}" if scale > 1 else f"{table[line, column]:.2f}".lstrip("0")
            colour = "white" if table[line, column] > 0.55 * top else "black"
            weight = "bold" if above else "normal"
            axes.text(column, line, text, ha="center", va="center", fontsize=8, color=colour, weight=weight)
    axes.imshow(table, aspect="auto", cmap="Blues", vmin=0, vmax=top)
    axes.set_xticks(range(len(columns)), columns.values(), fontsize=8)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=10)


def draw_surprise(rows: Sequence[Row], path: Path, rung: str) -> None:
    """What the neighbourhood tells of each codon beside its usage; and where in genes it is common.

    Means over seeds, with the lowest and the highest end of their intervals.
    """
    rows = _over_seeds([row for row in rows if row["rung"] == rung and row["codon"] != "all"])
    species = sorted({str(row["species"]) for row in rows})
    if not species:
        return
    with house_style():
        figure, grid = new_figure(5.6 * len(species), 14, columns=len(species), rows=4, sharey="row")
        for column, name in enumerate(species):
            mine = [row for row in rows if row["species"] == name]
            _gains(grid[0][column], mine)
            _ends(grid[1][column], mine, "first")
            _ends(grid[2][column], mine, "last")
            _islands(grid[3][column], mine)
            grid[0][column].set_title(NAMES.get(name, name))
        grid[0][0].set_ylabel("told by the neighbourhood, bits")
        grid[1][0].set_ylabel("share in the first ten codons\nover that inside, log2")
        grid[2][0].set_ylabel("share in the last ten codons\nover that inside, log2")
        grid[3][0].set_ylabel("told by the neighbourhood, bits")
        figure.supxlabel("grey: the interval holds 0", fontsize=8)
    save(figure, path)


def _over_seeds(rows: Sequence[Row]) -> list[Row]:
    """A row a species and codon: means, lowest low and highest high."""
    groups: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["species"], row["codon"]), []).append(row)
    named = ("species", "rung", "seed", "codon", "amino_acid")
    found: list[Row] = []
    for mine in groups.values():
        made: dict[str, object] = {name: mine[0][name] for name in named}
        for name in mine[0].keys() - made.keys():
            values = [value for row in mine if (value := number(row, name)) is not None]
            over = min if name.endswith("_low") else max if name.endswith("_high") else fmean
            made[name] = over(values) if values else ""
        found.append(made)
    return found


def _gains(axes: Any, rows: Sequence[Row]) -> None:
    marked = sorted(rows, key=lambda row: -_cell(row, "gain"))[:8]
    _dots(axes, rows, "gain", OKABE_ITO[0], marked)
    axes.set_xlabel("usage, % of codons")


def _ends(axes: Any, rows: Sequence[Row], end: str) -> None:
    """Where codons are more or less common than inside genes: at the ``first`` or the ``last``."""
    kept = [row for row in rows if row[end] != ""]
    far = sorted(kept, key=lambda row: -abs(_cell(row, end)))
    sure = [row for row in far if _cell(row, f"{end}_low") > 0 or _cell(row, f"{end}_high") < 0]
    _dots(axes, kept, end, OKABE_ITO[1], sure[:8])
    axes.set_xlabel("usage, % of codons")


def _islands(axes: Any, rows: Sequence[Row]) -> None:
    """What the neighbourhood tells against how much of the codon stands in genes low in GC3."""
    kept = [row for row in rows if row["in_lowest_gc3"] != ""]
    marked = []
    for row in kept:
        x, y = 100 * _cell(row, "in_lowest_gc3"), _cell(row, "gain")
        axes.plot(x, y, "o", ms=4, color=OKABE_ITO[2])
        if x > 15 and y > 0.14:
            marked.append((row, x, y, x / 42))
    marked.sort(key=lambda one: -one[2])
    _names(axes, marked)
    axes.axvline(10, color=GREY, lw=0.8)
    axes.axhline(0, color=GREY, lw=0.8)
    axes.set_xlim(0, 42)
    axes.set_xlabel("% of the codon in the tenth of genes lowest in GC3")
    light_grid(axes)


def _name(axes: Any, row: Row, x: float, y: float) -> None:
    text = f"{str(row['codon']).replace('T', 'U')} {row['amino_acid']}"
    axes.annotate(text, (x, y), xytext=(4, 3), textcoords="offset points", fontsize=8)


def _cell(row: Row, name: str) -> float:
    return float(str(row[name]))


def _dots(axes: Any, rows: Sequence[Row], name: str, colour: str, marked: Sequence[Row]) -> None:
    """A dot a codon with its interval, grey where that holds 0; the marked ones by name."""
    from matplotlib.ticker import FixedLocator, NullLocator

    for row in rows:
        x, y, low, high = (
            100 * _cell(row, "usage"),
            *(_cell(row, f"{name}{end}") for end in ("", "_low", "_high")),
        )
        shade = colour if low > 0 or high < 0 else GREY
        axes.errorbar(x, y, yerr=[[y - low], [high - y]], fmt="o", ms=4, lw=0.8, color=shade)
    axes.axhline(0, color=GREY, lw=0.8)
    axes.set_xscale("log")
    ticks = (0.1, 0.2, 0.5, 1, 2, 5)
    axes.set_xlim(0.08, 7)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{tick:g}" for tick in ticks])
    light_grid(axes)
    width = math.log10(7 / 0.08)
    places = [(row, 100 * _cell(row, "usage"), _cell(row, name)) for row in marked]
    _names(axes, [(row, x, y, math.log10(x / 0.08) / width) for row, x, y in places])


def _names(axes: Any, marked: Sequence[tuple[Row, float, float, float]]) -> None:
    """Names beside dots (row, x, y, share of the width); one that would lie over another is left out."""
    placed: list[tuple[float, float]] = []
    low, high = axes.get_ylim()
    for row, x, y, across in marked:
        here = (across, (y - low) / (high - low))
        if any(abs(here[0] - a) < 0.12 and abs(here[1] - b) < 0.06 for a, b in placed):
            continue
        placed.append(here)
        _name(axes, row, x, y)


def draw_species(rows: Sequence[Row], path: Path) -> None:
    """Likeness of grammars as a heat map, and against the difference in GC3."""
    names = list(dict.fromkeys(str(row[side]) for row in rows for side in ("a", "b")))
    if len(names) < 3:
        return
    with house_style():
        figure, grid = new_figure(14.5, 4.6, columns=3, rows=1, width_ratios=[1.25, 1, 1])
        _matrix(grid[0][0], rows, names)
        _against(grid[0][1], rows, ("without_noise", "beyond_without_noise"))
        grid[0][1].set_ylabel("correlation, noise taken into account")
        grid[0][1].set_title("Likeness of grammars", fontsize=10)
        _against(grid[0][2], rows, ("lookup_amino_acid", "network_amino_acid"))
        grid[0][2].set_ylabel("MRR, amino acid left out, mean of both ways")
        grid[0][2].set_title("Codon to codons of the same amino acid", fontsize=10)
        chance = CHANCE["synonyms"]
        grid[0][2].axhline(chance, color=GREY, lw=0.8, ls=":")
        grid[0][2].annotate("chance", (0.02, chance + 0.01), xycoords=("axes fraction", "data"), fontsize=8)
        handles = _handles()
        figure.legend(handles=handles, loc="outside lower center", ncol=5, fontsize=8)
    save(figure, path)


def _matrix(axes: Any, rows: Sequence[Row], names: Sequence[str]) -> None:
    import numpy as np

    table = np.full((len(names), len(names)), np.nan)
    for row in rows:
        a, b = names.index(str(row["a"])), names.index(str(row["b"]))
        table[min(a, b), max(a, b)] = float(str(row["without_noise"]))
        table[max(a, b), min(a, b)] = float(str(row["beyond_without_noise"]))
    axes.imshow(table, cmap="Blues", vmin=0, vmax=0.8)
    for i in range(len(names)):
        for j in range(len(names)):
            if i != j:
                colour = "white" if table[i, j] > 0.45 else "black"
                axes.text(
                    j,
                    i,
                    f"{table[i, j] + 0.0:.2f}".replace("-0.00", "0.00"),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=colour,
                )
    labels = [NAMES.get(name, name) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), labels, fontsize=8)
    axes.tick_params(length=0)
    axes.set_title("Above the diagonal: all;\nbelow it: beyond amino acids", fontsize=10)


def _against(axes: Any, rows: Sequence[Row], measures: tuple[str, str]) -> None:
    for measure, marker, filled in zip(measures, ("o", "s"), (True, False), strict=True):
        for row in rows:
            y = number(row, measure)
            if y is not None:
                colour = RANK_COLOURS[str(row["shared_rank"])]
                face = colour if filled else "white"
                axes.plot(float(str(row["gc3_apart"])), y, marker, color=colour, mfc=face, ms=7)
    axes.axhline(0, color=BAND, lw=0.8)
    axes.set_xlabel("difference in GC3")
    light_grid(axes)


def _handles() -> list[Any]:
    from matplotlib.lines import Line2D

    found = [
        Line2D([], [], marker="o", ls="", color=colour, label=RANK_LABELS[rank])
        for rank, colour in RANK_COLOURS.items()
    ]
    found.append(Line2D([], [], marker="o", ls="", color=GREY, label="pair ratios"))
    found.append(
        Line2D(
            [],
            [],
            marker="s",
            ls="",
            color=GREY,
            mfc="white",
            label="middle: beyond amino acids; right: one network of all four",
        )
    )
    return found


def draw_pooled(pooled: Sequence[Row], ladder: Sequence[Row], path: Path) -> None:
    """Left-out amino acids at the embedding: networks of one species, and of four; a dot a seed."""
    groups = {
        name: [
            (str(row["species"]), number(row, "left_out_embedding"))
            for row in pooled
            if row["network"] == name
        ]
        for name in POOLED
    }
    if not any(groups.values()):
        return
    alone = [
        (str(row["species"]), number(row, "left_out_mrr_there"))
        for row in ladder
        if row["rung"] == "paired" and str(row["layer_of_others"]) == "0"
    ]
    species = list(dict.fromkeys(name for mine in groups.values() for name, _ in mine))
    labels = ["a network\neach", *POOLED.values()]
    with house_style():
        figure, grid = new_figure(8.4, 4.4, columns=1, rows=1)
        axes = grid[0][0]
        for place, name in enumerate(species):
            points = [
                (column + 0.14 * (place - 1.5), value)
                for column, mine in enumerate((alone, *groups.values()))
                for which, value in mine
                if which == name and value is not None
            ]
            label = NAMES.get(name, name)
            axes.plot(*zip(*points, strict=True), "o", color=OKABE_ITO[place], ms=6, label=label)
        nulls = [v for row in pooled if (v := number(row, "left_out_embedding_shuffled_95")) is not None]
        axes.axhspan(0, max(nulls, default=0), color=BAND, alpha=0.6, lw=0, label="95 % of shuffled codes")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("MRR, amino acid left out, at the embedding")
        axes.set_title("Genes beside their proteins, of one species or of four")
        light_grid(axes)
        figure.legend(loc="outside lower center", ncol=5, fontsize=8)
    save(figure, path)


def draw_code(job: Path, path: Path) -> None:
    """The code table of a decipherment, with the names of its species and what it has right."""
    rows = read_rows(job / "codons.tsv")
    if not rows:
        return
    found = json.loads((job / "summary.json").read_text(encoding="utf-8"))
    genes, proteins = (NAMES.get(found[name], found[name]) for name in ("codons", "proteins"))
    code = f"code {found['stated_code']}"
    title = f"The code of {genes}, read from its genes and proteins of {proteins}"
    subtitle = (
        f"{found['right']} of {found['asked']} codons read as in {code}; decided are "
        f"{100 * found['decided_tokens']:.0f} % of all codons in genes, "
        f"{100 * found['wrong_tokens']:.1f} % of them wrongly.\n"
        "No gene was shown beside its protein. %: share of resamples that agree."
    )
    figure = code_table_figure(
        {row["codon"]: _cell_of(row) for row in rows}, title=title, stated=code, subtitle=subtitle
    )
    save(figure, path)


def _cell_of(row: Mapping[str, str]) -> CodonCell:
    stop = row["answer"] == "*"
    support = float(row["support"]) if row["support"] and not stop else float("nan")
    return CodonCell(row["answer"], support, row["stated"], "" if stop else row["best"])


def draw_codes(rows: Sequence[Row], path: Path) -> None:
    """How many classes of codes remain for each network's DNA, and whether the given one is among them.

    Seeds of one outcome share a dot. Where UGA has a meaning: the amino acids that it lies nearest to by
    rotation, its own left out, seed by seed.
    """
    nearest = {
        (row["text"], row["seed"], row["species"]): str(row["UGA_nearest"])
        for row in rows
        if row["evidence"] != "DNA" and row["UGA_nearest"] != ""
    }
    rows = [row for row in rows if row["evidence"] == "DNA" and row["given_possible"] != ""]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        rung = str(row["text"]).partition("-")[2]
        name = POOLED_CODES[rung] if str(row["text"]).startswith("pooled") else LABELS.get(rung, rung)
        groups.setdefault((str(row["species"]), name), []).append(row)
    if not groups:
        return
    known = [*LABELS.values()]
    groups = dict(
        sorted(
            groups.items(), key=lambda item: known.index(item[0][1]) if item[0][1] in known else len(known)
        )
    )
    groups = dict(sorted(groups.items(), key=lambda item: (item[0][1].startswith("pooled"), item[0][0])))
    labels = [f"{NAMES.get(species, species)}: {name}" for species, name in groups]
    with house_style():
        figure, grid = new_figure(8.4, 1.4 + 0.22 * len(labels), columns=1, rows=1)
        axes = grid[0][0]
        kinds = (
            ("decided, as given", OKABE_ITO[2], "o"),
            ("decided otherwise", OKABE_ITO[1], "X"),
            ("undecided, given one possible", GREY, "o"),
            ("undecided, given one excluded", OKABE_ITO[4], "X"),
        )
        seen: set[str] = set()
        for line, mine in enumerate(groups.values()):
            alike = Counter((float(str(row["classes_possible"])), _outcome(row)) for row in mine)
            for (classes, outcome), seeds in alike.items():
                label, colour, marker = kinds[outcome]
                shown = label if label not in seen else None
                seen.add(label)
                axes.plot(classes, line, marker, color=colour, ms=9, label=shown)
                inside = {"ha": "center", "va": "center", "color": "white", "fontsize": 7}
                axes.annotate(str(seeds), (classes, line), **inside)
            near = [nearest.get((row["text"], row["seed"], row["species"])) for row in mine]
            letters = [" ".join(p.partition(":")[0] for p in one.split()) for one in near if one is not None]
            if letters:
                spot = (max(classes for classes, _ in alike) + 0.7, line)
                axes.annotate(f"UGA near {'; '.join(letters)}", spot, va="center", fontsize=8)
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
        axes.set_ylim(len(labels) - 0.3, -0.7)
        axes.set_xlim(0, 1.5 * max(float(str(row["classes_possible"])) for row in rows))
        axes.set_xlabel("classes of genetic codes that remain possible, from DNA alone; in a dot: seeds")
        light_grid(axes, "x")
        figure.legend(loc="outside upper center", ncol=2, fontsize=8)
    save(figure, path)


def _outcome(row: Row) -> int:
    """0 decided as given, 1 otherwise, 2 undecided with the given one possible, 3 with it excluded."""
    decided, agrees, possible = (str(row[name]) == "1" for name in ("decided", "agrees", "given_possible"))
    if decided:
        return 0 if agrees else 1
    return 2 if possible else 3
