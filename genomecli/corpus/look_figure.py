"""A look at the data, as one figure: sizes, lengths, GC, codon usage, frame check, composition, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.look import synonym_shares
from genomecli.corpus.look_layout import lay_out
from genomecli.corpus.manifest import Group
from genomecli.corpus.scan import GroupCounts, Scan
from genomecli.sequences.alphabets import PROTEIN
from genomecli.sequences.codes import CODONS, GeneticCode, genetic_code

Columns = dict[str, NDArray[Any]]
Both = list[tuple[Group, GroupCounts]]

MOST = 10
"""Species beyond these are left out of panels with a line or colour each; the tables have all."""
ROWS = 12
DPI = 110
HEAD = 34
"""Pixels of the title, and of the legend of species."""
POINTS = 4000
COMPRESSION = 3
"""Of the PNG: a third faster than the usual 6, in a file up to 40 % larger."""
_SIDES = (("train", "#9bb7c9"), ("valid", "#e0a458"), ("test", "#b5524a"))
_STYLE = {"genome": ":", "cds": "-", "protein": "--"}
_LENGTHS = {
    "cds": ("codons", "Lengths of genes"),
    "protein": ("residues", "Lengths of proteins"),
    "both": ("codons   (dashed: residues, of species without genes here)", "Lengths of genes and proteins"),
}
"""Label and title of the lengths, by the molecules that are drawn."""
_COLOURS = (
    "#2f6690", "#c8553d", "#588157", "#7b5ea7", "#d9a021",
    "#3a9a9a", "#a83f6f", "#6b705c", "#8c6d46", "#4f5d75",
)  # fmt: skip
_AXIS: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}


def draw_look(path: Path | BinaryIO, groups: Sequence[Group], columns: Columns, scan: Scan) -> None:
    """Draw the figure. Equal data gives equal bytes.

    Args:
        path: of the PNG, or what takes its bytes.
        groups: of the corpus, in order.
        columns: of its records: ``length`` and ``split``.
        scan: their composition.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(group.species for group in groups))
    both: Both = list(zip(groups, scan.groups, strict=True))
    colour = {name: _COLOURS[i] for i, name in enumerate(names[:MOST])}
    shown = [pair for pair in both if pair[0].species in colour]
    with rc_context(_settings()):
        figure = Figure(figsize=(16, 13.5), dpi=DPI)
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(3, 3, height_ratios=(1, _usage_height(shown), 1))
        _sizes(figure.add_subplot(grid[0, 0]), groups, columns)
        _lengths(figure.add_subplot(grid[0, 1]), shown, columns, colour)
        _gc(figure.add_subplot(grid[0, 2]), shown, columns, scan, colour)
        _usage(figure.add_subplot(grid[1, :]), shown, figure)
        _frames(figure.add_subplot(grid[2, 0]), both)
        _residues(figure.add_subplot(grid[2, 1]), shown, colour)
        _tokens(figure.add_subplot(grid[2, 2]), shown, colour)
        _head(figure, names, len(columns["length"]), colour)
        lay_out(figure, grid, above=HEAD, below=HEAD if len(names) > 1 else 0)
        figure.savefig(
            path,
            format="png",
            dpi=DPI,
            metadata={"Software": None},
            pil_kwargs={"compress_level": COMPRESSION},
        )


def _settings() -> Any:
    """Of the figure: its own and, of what a user's matplotlibrc has changed, Matplotlib's. To restore all
    takes 20 ms."""
    from matplotlib import rcParams, rcParamsDefault

    # Asked for by dict, since rcParams["backend"] begins to look for a window system.
    given = {name: dict.__getitem__(rcParams, name) for name in rcParamsDefault if name != "backend"}
    changed = {name: rcParamsDefault[name] for name, value in given.items() if value != rcParamsDefault[name]}
    return {**changed, **_AXIS, "font.size": 10, "axes.titlesize": 11.5, "font.family": "DejaVu Sans"}


def _head(figure: Any, names: list[str], records: int, colour: dict[str, str]) -> None:
    """The title, and one legend of species for all panels."""
    from matplotlib.lines import Line2D

    species = names[0] if len(names) == 1 else f"{len(names)} species"
    more = f"; lines and points of the first {MOST}, the tables have all" if len(names) > MOST else ""
    figure.suptitle(
        f"A look at the corpus: {species}, {records:,} records{more}",
        x=0.01,
        y=0.995,
        ha="left",
        va="top",
        fontsize=14,
    )
    if len(names) > 1:
        handles = [Line2D([], [], color=c, marker="o", lw=2, label=name) for name, c in colour.items()]
        figure.legend(handles=handles, loc="lower left", ncols=min(len(handles), MOST), frameon=False)


def _usage_height(shown: Both) -> float:
    rows = sum(len(counts.codons) for _, counts in shown)
    return 0.75 if rows < 2 else min(0.45 + 0.09 * rows, 1.3)


def _empty(axis: Any, title: str, why: str) -> None:
    axis.set_title(title)
    axis.text(0.5, 0.5, why, ha="center", va="center", color="0.5", transform=axis.transAxes)
    axis.set_xticks([])
    axis.set_yticks([])


def short_number(value: float, unit: str = "") -> str:
    """``4.64 M``, ``12.3 k``, ``815``, with a unit behind."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}{unit}"
    return f"{value:.0f} {unit}".rstrip()


def _sizes(axis: Any, groups: Sequence[Group], columns: Columns) -> None:
    hidden = max(len(groups) - ROWS, 0)
    groups = sorted(groups, key=lambda group: -group.symbols)[:ROWS]
    left = np.zeros(len(groups))
    for side, colour in _SIDES:
        share = np.array([_share(group, columns, side) for group in groups])
        axis.barh(range(len(groups)), 100 * share, left=100 * left, color=colour, label=side, height=0.7)
        left += share
    axis.set_yticks(range(len(groups)), [f"{group.species} {group.molecule}" for group in groups])
    for place, group in enumerate(groups):
        unit = " aa" if group.molecule == "protein" else "b"
        text = f"{short_number(group.symbols, unit)} in {group.records:,} record{'s' * (group.records != 1)}"
        axis.text(2, place, text, va="center", fontsize=9)
    axis.invert_yaxis()
    axis.set_xlabel("% of symbols" + (f"   ({hidden} smaller groups not shown)" if hidden else ""))
    axis.set_xlim(0, 100)
    axis.set_title("How much there is, and what is held out")
    axis.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=9)


def _share(group: Group, columns: Columns, side: str) -> float:
    part = slice(group.first_row, group.first_row + group.records)
    mine = columns["split"][part] == side
    return float(columns["length"][part][mine].sum()) / group.symbols


def _lengths(axis: Any, shown: Both, columns: Columns, colour: dict[str, str]) -> None:
    drawn = [group for group, _ in shown if group.molecule != "genome" and group.records > 1]
    with_cds = {group.species for group in drawn if group.molecule == "cds"}
    drawn = [group for group in drawn if group.molecule == "cds" or group.species not in with_cds]
    if not drawn:
        _empty(axis, "Lengths", "no genes or proteins")
        return
    edges = np.linspace(0.9, 4.1, 65)
    middle = 10 ** ((edges[1:] + edges[:-1]) / 2)
    for group in drawn:
        part = slice(group.first_row, group.first_row + group.records)
        codons = columns["length"][part] / (3 if group.molecule == "cds" else 1)
        share, _ = np.histogram(np.log10(np.maximum(codons, 1)), bins=edges)
        smooth = np.convolve(100 * share / group.records, _kernel(group.records), mode="same")
        axis.plot(middle, smooth, _STYLE[group.molecule], color=colour[group.species])
    axis.set_xscale("log")
    _plain_scale(axis.xaxis)
    molecules = {group.molecule for group in drawn}
    label, title = _LENGTHS["both" if len(molecules) > 1 else molecules.pop()]
    axis.set_xlabel(label)
    axis.set_ylabel("% of records, smoothed")
    axis.set_ylim(bottom=0)
    axis.set_title(title)


def _plain_scale(axis: Any) -> None:
    """Powers of ten as plain numbers and no small ticks: formulas and ticks take most of the drawing."""
    from matplotlib.ticker import NullLocator

    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def _kernel(records: int) -> NDArray[np.float64]:
    """Weights of a Gaussian, wider for few records (Silverman's rule, in bins of 0.05 decades)."""
    width = max(0.9 * 0.35 * records**-0.2 / 0.05, 0.5)
    weights = np.exp(-0.5 * (np.arange(-12, 13) / width) ** 2)
    return np.asarray(weights / weights.sum())


def _gc(axis: Any, shown: Both, columns: Columns, scan: Scan, colour: dict[str, str]) -> None:
    drawn = [group for group, _ in shown if group.molecule == "cds"]
    if not drawn:
        _empty(axis, "GC of genes", "no coding sequences")
        return
    for group in drawn:
        step = max(1, -(-group.records // POINTS))
        part = slice(group.first_row, group.first_row + group.records, step)
        size = 22 if group.records < 100 else 6
        axis.scatter(
            100 * scan.gc[part], 100 * scan.gc3[part], s=size, alpha=0.45, lw=0,
            color=colour[group.species], rasterized=True,
        )  # fmt: skip
    for group in (group for group, _ in shown if group.molecule == "genome"):
        part = slice(group.first_row, group.first_row + group.records)
        mean = 100 * float(np.average(scan.gc[part], weights=columns["length"][part]))
        axis.axvline(mean, color=colour[group.species], lw=1, ls=":")
    axis.plot([0, 100], [0, 100], color="0.8", lw=1, zorder=0)
    axis.set_xlim(*_padded(100 * scan.gc, drawn))
    axis.set_ylim(*_padded(100 * scan.gc3, drawn))
    axis.set_xlabel("GC of the gene, %   (dotted: genome)")
    axis.set_ylabel("GC at third codon positions, %")
    axis.set_title("GC and GC3, one point a gene")


def _padded(values: NDArray[Any], groups: Sequence[Group]) -> tuple[float, float]:
    parts = [values[g.first_row : g.first_row + g.records] for g in groups]
    low, high = (float(np.percentile(np.concatenate(parts), q)) for q in (0, 100))
    return max(low - 4, 0), min(high + 4, 100)


def _usage(axis: Any, shown: Both, figure: Any) -> None:
    rows = [
        (group.species, table, codons) for group, counts in shown for table, codons in counts.codons.items()
    ]
    if not rows:
        _empty(axis, "Codon usage", "no coding sequences")
        return
    first = genetic_code(rows[0][1])
    order = sorted(range(64), key=lambda i: (first.amino[i] == "*", first.amino[i], CODONS[i]))
    shares = np.array([_usage_row(codons, genetic_code(table))[order] for _, table, codons in rows])
    order, shares = _used(order, shares)
    letters = [first.amino[i] for i in order]
    if len(rows) == 1:
        _usage_bars(axis, shares[0], letters)
    else:
        image = axis.imshow(100 * shares, aspect="auto", cmap="YlGnBu", vmin=0, vmax=100)
        axis.set_yticks(range(len(rows)), [f"{species} (code {table})" for species, table, _ in rows])
        figure.colorbar(image, ax=axis, pad=0.01, fraction=0.02, label="% of synonyms")
        axis.spines[:].set_visible(False)
    axis.set_xticks([])
    below = axis.get_xaxis_transform()
    for place, i in enumerate(order):  # as texts: ticks of 61 codons take a quarter of the drawing
        axis.text(
            place, -0.02, CODONS[i], ha="center", va="top", rotation=90, family="monospace", fontsize=8,
            transform=below,
        )  # fmt: skip
    edges = [i for i in range(1, len(order)) if letters[i] != letters[i - 1]]
    for edge in edges:
        axis.axvline(edge - 0.5, color="white" if len(rows) > 1 else "0.85", lw=2 if len(rows) > 1 else 0.8)
    for begin, end in zip([0, *edges], [*edges, len(order)], strict=True):
        label = "stop" if letters[begin] == "*" else letters[begin]
        axis.text(
            (begin + end - 1) / 2, 1.01, label, ha="center", va="bottom", weight="bold",
            transform=axis.get_xaxis_transform(),
        )  # fmt: skip
    axis.set_title(f"Codon usage: share among synonyms (amino acids of code {first.table})\n", pad=8)


def _usage_row(codons: NDArray[np.int64], code: GeneticCode) -> NDArray[np.float64]:
    """Shares among synonyms; NaN for stops that are rare exceptions inside genes."""
    shares = synonym_shares(codons, code)
    stops = [i for i in range(64) if code.amino[i] == "*"]
    if codons[stops].sum() < 1e-3 * codons.sum():
        shares[stops] = np.nan
    return shares


def _used(order: list[int], shares: NDArray[np.float64]) -> tuple[list[int], NDArray[np.float64]]:
    """Without the codons that no row uses."""
    kept = np.flatnonzero(~np.isnan(shares).all(axis=0))
    return [order[i] for i in kept.tolist()], shares[:, kept]


def _usage_bars(axis: Any, shares: NDArray[np.float64], letters: list[str]) -> None:
    groups = list(dict.fromkeys(letters))
    colours = ["#2f6690" if groups.index(letter) % 2 == 0 else "#81a4bd" for letter in letters]
    axis.bar(range(len(letters)), 100 * shares, color=colours, width=0.8)
    axis.set_xlim(-0.6, len(letters) - 0.4)
    axis.set_ylabel("% of synonyms")


def _frames(axis: Any, both: Both) -> None:
    rows = [
        (group.species, table, frames)
        for group, counts in both
        for table, frames in sorted(counts.open_frames.items())
    ][:ROWS]
    if not rows:
        _empty(axis, "Frame check", "no coding sequences")
        return
    axis.hlines(range(len(rows)), 0, 100, color="0.9", lw=1, zorder=0)
    for frame, colour, marker in ((2, "#e0a458", "v"), (1, "#b5524a", "^"), (0, "#2f6690", "o")):
        values = [100 * frames[frame] / max(frames[3], 1) for _, _, frames in rows]
        label = f"frame +{frame}" if frame else "frame 0"
        axis.plot(
            values, range(len(rows)), marker, ms=8, color=colour, label=label, alpha=0.85, clip_on=False
        )
    for place, (_, _, frames) in enumerate(rows):
        text = " / ".join(f"{100 * frames[frame] / max(frames[3], 1):.3g}" for frame in range(3))
        axis.text(50, place, text, va="bottom", ha="center", fontsize=8, color="0.4")
    axis.set_yticks(range(len(rows)), [f"{species} (code {table})" for species, table, _ in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(-3, 103)
    axis.set_xlabel("% of coding sequences that no stop interrupts   (0 / +1 / +2)")
    axis.set_title("Frame check")
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], frameon=False, ncols=3, loc="upper center",
                bbox_to_anchor=(0.5, -0.14), fontsize=9)  # fmt: skip


def _residues(axis: Any, shown: Both, colour: dict[str, str]) -> None:
    drawn = [
        (group, counts.symbols[: PROTEIN.canonical]) for group, counts in shown if group.molecule == "protein"
    ]
    if not drawn:
        _empty(axis, "Amino acids", "no proteins")
        return
    total = np.sum([counts for _, counts in drawn], axis=0)
    order = np.argsort(-total, kind="stable")
    for group, counts in drawn:
        share = 100 * counts[order] / max(int(counts.sum()), 1)
        axis.plot(range(20), share, "o-", ms=4, lw=1, color=colour[group.species])
    axis.set_xticks(range(20), [PROTEIN.symbols[i] for i in order])
    axis.set_ylabel("% of residues")
    axis.set_ylim(bottom=0)
    axis.set_title("Amino acids in the proteins")


def _tokens(axis: Any, shown: Both, colour: dict[str, str]) -> None:
    for group, counts in shown:
        found = np.sort(counts.tokens[:-1])[::-1]
        found = found[found > 0]
        if len(found) < 2:
            continue
        share = 100 * found / found.sum()
        axis.plot(np.arange(1, len(found) + 1), share, _STYLE[group.molecule], color=colour[group.species])
    axis.set_yscale("log")
    _plain_scale(axis.yaxis)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel("rank of the token   (dashed: protein, dotted: genome)")
    axis.set_ylabel("% of tokens")
    axis.set_title("Token frequencies (frame 0)")
