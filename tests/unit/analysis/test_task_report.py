"""Reports of fine-tuning: the first line is the verdict, tables and figures are there, nothing is fetched."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from genomecli.analysis.pages import PageFigure
from genomecli.analysis.task_drawing import task_drawings
from genomecli.analysis.task_judging import judge_target
from genomecli.analysis.task_report import read_task_results, task_page, task_summary, write_task_report
from genomecli.analysis.task_results import ModelCard
from genomecli.analysis.task_story import standard_limits, three, verdicts
from genomecli.analysis.task_tables import (
    classes_table,
    difference_table,
    figure_cell,
    metric_lines,
    models_table,
    reasons,
    trials_table,
)
from genomecli.files import canonical_json
from genomecli.tasks.figure import Figure
from genomecli.tasks.settings import MetricSettings
from tests.unit.analysis.task_toys import BASELINES, MODELS, judged, results, target, trial

CLASSES = ("helix", "sheet", "other")


def with_difference(low, high, value=0.05, **more):
    found = judged("binary")
    values = {"value": value, "low": low, "high": high, "ours": 0.86, "theirs": 0.81, **more}
    return replace(found, difference=replace(found.difference, **values))


def first_line(target):
    return verdicts(results(target))[0]


def test_the_verdict_follows_from_the_interval():
    named = replace(MODELS[0], title="The pretrained network")
    whole = results(with_difference(0.02, 0.08), models=(named, *MODELS[1:]))
    (found,) = verdicts(whole)
    assert found.first == (
        "The pretrained network beats the best baseline (composition): difference in MCC 0.050, "
        "95 % interval 0.020 to 0.080 (0.860 against 0.810)."
    )
    assert found.good is True
    unsure = first_line(with_difference(-0.02, 0.08))
    assert "is not shown to beat the best baseline" in unsure.first
    assert unsure.first.endswith("the interval holds 0.")
    assert unsure.good is False
    worse = first_line(with_difference(-0.09, -0.02, -0.05))
    assert "is worse than the best baseline (composition)" in worse.first
    assert worse.good is False
    unknown = first_line(with_difference(np.nan, np.nan, note="one class only among the labels"))
    assert "is not known" in unknown.first
    assert "one class only" in unknown.first
    assert unknown.good is None


def test_the_other_baselines_are_named():
    found = with_difference(-0.09, -0.02, -0.05)
    majority = found.others[0]
    open_ = replace(majority, other="cnn", low=-0.1, high=0.1)
    lost = replace(majority, other="random", low=-0.07, high=-0.034)
    assert first_line(found).further == ("It beats majority.",)
    assert first_line(replace(found, others=(majority, open_, lost, replace(lost, other="old")))).further == (
        "It beats majority.",
        "It is worse than random and old.",
        "It is not shown to beat cnn.",
    )


@pytest.mark.parametrize(
    ("best", "others", "ending", "further"),
    [
        ((0.02, 0.08), [(0.1, 0.2)], "(0.860 against 0.810).", ("It beats a.",)),
        ((0.02, 0.08), [(-0.1, 0.2)], "; it is not shown to beat a.", ()),
        ((0.02, 0.08), [(-0.3, -0.2), (-1, 1)], "; it is worse than a; it is not shown to beat b.", ()),
        ((-0.02, 0.08), [(-1, 1)], "; the interval holds 0.", ("It is not shown to beat a.",)),
        ((-0.02, 0.08), [(-0.3, -0.2)], "; the interval holds 0; it is worse than a.", ()),
        ((-0.09, -0.02), [(-0.3, -0.2)], "(0.860 against 0.810).", ("It is worse than a.",)),
    ],
)
def test_one_baseline_does_not_hide_another(best, others, ending, further):
    """What one interval wins or leaves open must not cover a loss to another baseline in the first line."""
    found = with_difference(*best)
    made = [
        replace(found.others[0], other=name, low=low, high=high)
        for name, (low, high) in zip("ab", others, strict=False)
    ]
    said = first_line(replace(found, others=tuple(made)))
    assert said.first.endswith(ending)
    assert said.further == further


def test_without_baselines_or_test_rows_it_is_said():
    found = replace(judged("binary"), difference=None, others=())
    assert "No baseline was run" in first_line(found).first
    no_test = replace(found, rows=tuple(row for row in found.rows if row.figure.part != "test"))
    assert "no test part" in first_line(no_test).first


@pytest.mark.parametrize("trials", ["seeds", "folds"])
def test_several_trainings_are_summed_up(trials):
    target = judged("multiclass", CLASSES, trials=3, folds=trials == "folds")
    whole = results(target, trials=trials)
    said = " ".join(verdicts(whole)[0].further)
    assert f"over 3 {trials}: mean" in said
    assert "standard deviation" in said
    assert [row[0] for row in trials_table(whole, target).rows] == [
        f"{'seed' if trials == 'seeds' else 'fold'} {number}" for number in (1, 2, 3)
    ]
    assert any(trials.rstrip("s") in limit.lower() for limit in standard_limits(whole))


def test_trainings_below_the_baseline_are_named():
    target = judged("binary", trials=2)
    rows = tuple(
        replace(row, figure=replace(row.figure, value=-1.0))
        if (row.model, row.trial, row.figure.name) == ("pretrained", "seed 2", "mcc")
        else row
        for row in target.rows
    )
    said = verdicts(results(replace(target, rows=rows), trials="seeds"))[0].further
    assert "Below composition in 1 of 2: seed 2." in said


def test_tables_say_what_was_measured():
    target = judged("binary")
    whole = results(target)
    table = models_table(whole, target, "test")
    assert table.columns == ("figure", "pretrained", "composition", "majority")
    assert table.rows[0][0] == "Matthews correlation (MCC)"
    best = next(row.figure for row in target.rows if (row.figure.part, row.figure.name) == ("test", "mcc"))
    assert table.rows[0][1] == f"{best.value:.3f}\n{best.low:.3f} to {best.high:.3f}"
    assert [row[0] for row in classes_table(whole, target).rows] == ["no", "yes"]
    assert [row[0] for row in difference_table(whole, target).rows] == ["composition", "majority"]
    measured = judged("regression", ("u", "v"))
    assert [row[0] for row in classes_table(whole, measured).rows] == ["u", "v"]
    (reason,) = reasons(whole, measured, "test")
    assert reason == "majority, Pearson r, Spearman rho: without u, v: all predictions are equal."


def test_figures_as_text():
    nan = float("nan")
    assert figure_cell(Figure("rmse", 1.0, 0.96, 1234.5, 9)) == "1.00\n0.960 to 1.23e+03"
    assert figure_cell(Figure("rmse", 347.2, 177.0, 493.1, 9)) == "347\n177 to 493"
    assert figure_cell(Figure("mcc", 0.5, nan, nan, 9)) == "0.500"
    assert figure_cell(Figure("mcc", nan, nan, nan, 9)) == "–"
    assert (three(-0.0002), three(0.0), three(-0.0), three(nan)) == ("-0.0002", "0.000", "0.000", "–")
    assert figure_cell(Figure("r2", -0.0002, -0.0004, 0.1, 9)) == "0.000\n0.000 to 0.100"


def test_of_two_classes_it_is_said_whose_figures_they_are():
    target = judged("binary", ("bound", "unbound"))
    labels = [row[0] for row in models_table(results(target), target, "test").rows]
    assert {"F1 of unbound", "AUPRC of unbound", "AUROC"} < set(labels)
    drawn = {one.name: one for one in task_drawings(results(target))}
    assert drawn["rates.t"].caption.endswith("Both are of unbound.")
    assert drawn["models.t"].draw().axes[2].get_title("left") == "AUPRC of unbound"


def test_labels_of_symbols_are_not_called_rows():
    target = judged("token", CLASSES)
    whole = results(target, symbols="residues", tabular=False)
    assert re.match(
        r"t, [\d\u202f]+ test residues; 95 % bootstrap", models_table(whole, target, "test").caption
    )
    assert "over 80 groups of test sequences" in models_table(whole, target, "test").caption
    assert classes_table(whole, target).columns[1:3] == ["training residues", "test residues"]
    assert difference_table(whole, target).caption.endswith("the same resampled 80 groups of sequences")
    drawn = {one.name: one for one in task_drawings(whole)}
    assert "rows" not in " ".join(one.caption for one in drawn.values()).replace("Each row is a label", "")
    assert "intervals over 80 groups of test sequences" in drawn["models.t"].caption
    bar = drawn["confusion.t"].draw().axes[-1]
    assert bar.get_ylabel() == "share of the label's residues"
    page = task_page(whole, [])
    assert "sequences with all their residues" in page
    assert "predictions.tsv" not in page
    assert "an item for each of the\nresidues" in page
    rows = results(judged("binary"))
    assert "predictions.tsv" in task_page(rows, [])
    assert "split.tsv" in task_page(rows, [])


@pytest.mark.parametrize(
    ("kinds", "label"),
    [
        (["binary"], "loss (nats)"),
        (["regression"], "loss (squared error, standardised)"),
        (["token", "regression"], "loss (nats and squared errors)"),
    ],
)
def test_losses_have_their_unit(kinds, label):
    found = [judged(kind, ("u", "v"), name=f"t{n}") for n, kind in enumerate(kinds)]
    (drawing,) = [one for one in task_drawings(results(*found)) if one.name == "learning"]
    assert drawing.draw().axes[0].get_ylabel() == label


@pytest.mark.parametrize(
    ("kind", "classes", "names"),
    [
        ("binary", ("no", "yes"), {"models", "confusion", "rates", "calibration"}),
        ("multiclass", CLASSES, {"models", "confusion", "rates", "calibration"}),
        ("multilabel", CLASSES, {"models", "rates", "calibration"}),
        ("regression", ("u", "v"), {"models", "scatter"}),
        ("token", CLASSES, {"models", "confusion", "rates", "calibration"}),
    ],
)
def test_each_kind_has_its_figures(kind, classes, names):
    drawn = task_drawings(results(judged(kind, classes)))
    assert {drawing.name for drawing in drawn} == {f"{name}.t" for name in names} | {"learning"}


def test_few_groups_give_neither_interval_nor_verdict_and_the_caption_counts_them():
    """27 000 bases in three groups are three observations."""
    goal = target("token", CLASSES)
    alone = trial(goal, 30, 3)
    for count in (3, 7):
        group = np.arange(30) % count
        made = replace(alone, groups={"valid": group, "test": group})
        chosen = MetricSettings(bootstrap=100)
        found = judge_target(goal, [made], chosen, np.random.default_rng(1), baselines=BASELINES)
        whole = results(found)
        table = models_table(whole, found, "test").caption
        drawing = task_drawings(whole)[0].caption
        said = verdicts(whole)[0]
        again = type(whole).from_dict(whole.to_dict())
        assert models_table(again, again.targets[0], "test").caption == table
        assert f"same resampled {count} groups of sequences" in difference_table(whole, found).caption
        if count == 3:
            assert "no intervals, over 3 groups of test sequences: fewer than 6 give none" in table
            assert "no intervals: 3 groups of test sequences are too few" in drawing
            assert said.good is None
            assert "there is no interval (only 3 groups, and fewer than 6 give none)" in said.first
            assert not any("It beats" in sentence for sentence in said.further)
        else:
            assert "bootstrap intervals over 7 groups of test sequences" in table
            assert "95 % intervals over 7 groups of test sequences" in drawing
            assert said.good


def test_without_a_baseline_there_is_an_empty_table_of_differences():
    found = replace(judged("binary"), difference=None, others=())
    assert not difference_table(results(found), found).rows


@pytest.mark.parametrize("folds", [True, False])
def test_the_r_of_a_scatter_is_that_of_its_dots(folds):
    """Of folds all together, of seeds the first; a single training's is the figure of the tables."""
    goal = target("regression", ("u",))
    trials = [
        trial(goal, 30, 10 + k, f"{'fold' if folds else 'seed'} {k + 1}", k if folds else 0) for k in range(3)
    ]
    rng, chosen = np.random.default_rng(7), MetricSettings(bootstrap=20)
    found = judge_target(goal, trials, chosen, rng, baselines=BASELINES, folds=folds)
    drawing = next(
        one
        for one in task_drawings(results(found, trials="folds" if folds else "seeds"))
        if one.name == "scatter.t"
    )
    assert "Pearson's correlation (r) of the rows drawn" in drawing.caption
    assert ("All folds together" if folds else "Of the first seed") in drawing.caption
    axes = drawing.draw().axes[0]
    dots = np.asarray(axes.collections[0].get_offsets())
    assert len(dots) == (90 if folds else 30)
    measured, predicted = found.scatter[0].measured, found.scatter[0].predicted
    r = np.corrcoef(measured, predicted)[0, 1]
    assert axes.get_title(loc="left") + axes.get_title() == f"pretrained (r {r:.2f})"
    first = next(
        row.figure
        for row in found.rows
        if (row.model, row.figure.name, row.figure.part) == ("pretrained", "pearson", "test")
    )
    assert (abs(first.value - r) < 1e-4) == (not folds)


def test_a_report_is_whole_and_can_be_made_again(tmp_path):
    whole = results(judged("binary", name="promoter"))
    summary = write_task_report(whole, tmp_path, dpi=50)
    made = {path.name for path in (tmp_path / "figures").iterdir()}
    names = ("models.promoter", "rates.promoter", "confusion.promoter", "calibration.promoter", "learning")
    assert made == {f"{name}.png" for name in names}
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert html.count("data:image/svg+xml;base64,") == len(made)
    with (tmp_path / "metrics.tsv").open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle, delimiter="\t"))
    assert len(lines) == len(metric_lines(whole))
    row = next(
        line
        for line in lines
        if (line["target"], line["model"], line["metric"]) == ("promoter", "pretrained", "mcc")
    )
    assert float(row["low"]) < float(row["value"]) < float(row["high"])
    assert summary["targets"]["promoter"]["beats_best_baseline"] is True
    assert canonical_json(summary) == canonical_json(task_summary(read_task_results(tmp_path)))
    figures = [PageFigure("models.promoter", "t", "c", "a", b"<svg/>")]
    assert task_page(read_task_results(tmp_path), figures) == task_page(whole, figures)


def test_the_page_stands_alone_and_escapes_what_comes_from_data():
    evil = "<script>alert(1)</script>"
    target = judged("multiclass", (evil, "b&c", "d"))
    cards = (replace(MODELS[0], about=evil), ModelCard("composition", "<img src=x>"), MODELS[2])
    whole = results(
        target, title=evil, models=cards, notes=(evil,), dropped=((evil, 1, evil),), settings=((evil, evil),)
    )
    html = task_page(whole, [PageFigure("models.t", "t", evil, evil, b"<svg/>")])
    assert html.count("<script") == 1
    assert "<img src=x" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert not re.search(r"url\(|@import|<link|http:|https:", html)
    assert "default-src 'none'" in html


def test_the_first_line_of_the_page_is_the_verdict():
    whole = results(with_difference(-0.02, 0.03))
    html = task_page(whole, [])
    body = re.sub(r"<[^>]+>", " ", html[html.index("<h1>") :])
    assert body.index("is not shown to beat the best baseline") < body.index("Results")
    assert 'class="no"' in html
    assert "empty sequence" in html
    assert "by similarity cluster" in html
    assert "No row was left out" in task_page(replace(whole, dropped=()), [])


def test_notes_of_validation_rows_stand_with_them_and_those_of_all_models_are_one_line():
    target = judged("binary")
    rows = tuple(
        replace(row, figure=replace(row.figure, note="one class only"))
        if row.figure.part == "valid" and row.figure.name in ("auroc", "auprc")
        else row
        for row in target.rows
    )
    target = replace(target, rows=rows)
    assert reasons(results(target), target, "test") == []
    said = "all models, AUROC, AUPRC: one class only."
    assert reasons(results(target), target, "valid") == [said]
    page = task_page(results(target), [])
    assert said not in page.partition("<details>")[0]
    assert page.count(said) == 1
    few = tuple(replace(row, model="other") if row.model == "majority" else row for row in rows)
    some = replace(target, rows=few)
    found = reasons(results(some), some, "valid")
    assert found == ["pretrained, composition and other, AUROC, AUPRC: one class only."]


def test_rows_of_folds_are_counted_alike_in_all_tables():
    target = judged("multiclass", CLASSES, trials=3, folds=True)
    whole = results(target, trials="folds")
    assert models_table(whole, target, "test").caption.startswith("t, 240 test rows in 3 folds (80 each); ")
    assert models_table(whole, target, "valid").caption.startswith("t, 80 validation rows in each of 3 folds")
    table = classes_table(whole, target)
    assert table.columns[1:3] == ["training rows, first fold", "test rows, all folds"]
    assert sum(int(row[2]) for row in table.rows) == 240
    rows = tuple(
        replace(row, figure=replace(row.figure, n=81)) if row.trial == "fold 2" else row
        for row in target.rows
    )
    caption = models_table(whole, replace(target, rows=rows), "test").caption
    assert "241 test rows in 3 folds (80 or 81 each)" in caption
