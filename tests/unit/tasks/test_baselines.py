"""Baselines: counts by hand, a planted signal is found, noise is not, missing labels and weights count."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks import baseline_windows, composition
from genomecli.tasks.baselines import BaselineTask, fit_baseline
from genomecli.tasks.composition import Words, word_frequencies, words_of
from genomecli.tasks.examples import MISSING, Examples, Labels, join_sequences
from genomecli.tasks.kinds.registry import task_kind
from genomecli.tasks.metrics import measure
from genomecli.tasks.place_features import by_place
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings
from genomecli.tasks.window_features import HALF, one_hot, window_sums

NO_DRAWS = MetricSettings(bootstrap=0)


def column(texts, alphabet="dna"):
    return join_sequences(alphabet, [get_alphabet(alphabet).encode(text) for text in texts])


def rich_in(letters, n, rng, length=60, base="ACGT"):
    """Texts in which some letters are twice as frequent."""
    weight = np.array([2.0 if letter in letters else 1.0 for letter in base])
    return ["".join(rng.choice(list(base), length, p=weight / weight.sum())) for _ in range(n)]


def task(target, texts, labels, alphabet="dna", molecule="genome", **more):
    """The first half trains, a quarter validates, the rest is the test."""
    n = len(texts)
    examples = Examples(
        [str(i) for i in range(n)],
        column(texts, alphabet),
        {target.name: labels},
        **{key: more.pop(key) for key in ("pair", "covariates", "covariate_names") if key in more},
    )
    rows = np.arange(n)
    valid = more.pop("valid", rows[n // 2 : 3 * n // 4])
    return BaselineTask(target, examples, rows[: n // 2], valid, molecule, **more), rows[3 * n // 4 :]


def judged(made, test, name="composition"):
    """The primary figure of a baseline on the test rows, and the baseline."""
    baseline = fit_baseline(name, made)
    predictions = baseline.predict(made.examples, test)
    labels = made.examples.labels[made.target.name].take(test)
    figures = measure(predictions, labels, NO_DRAWS, np.random.default_rng(0))
    primary = next(f for f in figures if f.name == made.target.primary and not f.of)
    return primary.value, baseline, predictions


def slow_frequencies(text, k, step, frame, letters):
    words = ["".join(word) for word in product(letters, repeat=k)]
    found = [text[at : at + k] for at in range(frame if step > 1 else 0, len(text) - k + 1, step)]
    kept = [word for word in found if set(word) <= set(letters)]
    return [kept.count(word) / len(kept) if kept else 0.0 for word in words]


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (Words("dna", (2,)), ["ACGTNACCA", "A", "", "NNN", "TTTTT"]),
        (Words("dna", (3,), 3, 1), ["CATGAAATGA", "AT", "CATGNAATGAAA"]),
        (Words("protein", (1, 2)), ["MKXLLM", "", "W*W", "ACDEFGHIKLMNPQRSTVWY"]),
    ],
)
def test_frequencies_are_those_of_a_slow_loop(words, texts):
    alphabet = get_alphabet(words.alphabet)
    letters = alphabet.symbols[: alphabet.canonical]
    rows = np.arange(len(texts))[::-1].copy()
    found = word_frequencies(column(texts, words.alphabet), words, rows).toarray()
    for at, row in enumerate(rows):
        expected = [
            x
            for k in words.lengths
            for x in slow_frequencies(texts[row], k, words.step, words.frame, letters)
        ]
        assert found[at] == pytest.approx(expected)


def test_usual_words_of_each_molecule():
    assert words_of("genome", None).lengths == (4,)
    assert words_of("cds", None, 2) == Words("dna", (3,), 3, 2)
    assert words_of("cds", 4).step == 1
    assert words_of("protein", None).lengths == (1, 2)
    with pytest.raises(ValueError, match="words of protein in sequences of dna"):
        word_frequencies(column(["ACGT"]), Words("protein", (1,)), np.array([0]))


def two_kinds(n, rng, second="AC"):
    """Half of the texts rich in two letters, shuffled; and which."""
    texts = rich_in("GT", n // 2, rng) + rich_in(second, n - n // 2, rng)
    kind = np.repeat([0, 1], [n // 2, n - n // 2])
    order = rng.permutation(n)
    return [texts[i] for i in order], kind[order]


BINARY = Target("t", "binary", ("t",), ("no", "yes"))


def test_a_planted_composition_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    texts, kind = two_kinds(200, rng)
    mcc, baseline, predictions = judged(*task(BINARY, texts, Labels(kind)))
    assert mcc > 0.8
    assert predictions.scores.sum(axis=1) == pytest.approx(1.0)
    assert "4-mers" in baseline.about
    assert "chosen on the validation rows" in baseline.about
    noise, _, _ = judged(*task(BINARY, texts, Labels(rng.permutation(kind))))
    # 50 test rows: the standard deviation of chance is 0.14.
    assert abs(noise) < 0.45


def of_places(n, rng, length=60):
    """Texts of one length whose class is the letter at place 30, which frequencies hardly tell."""
    symbols = rng.integers(0, 4, (n, length))
    texts = ["".join("ACGT"[code] for code in row) for row in symbols]
    return texts, (symbols[:, 30] < 2).astype(np.int64)


@pytest.mark.parametrize("valid", [True, False])
def test_letters_are_seen_by_place_where_all_sequences_have_one_length(valid):
    texts, kind = of_places(400, np.random.default_rng(5))
    more = {} if valid else {"valid": np.zeros(0, dtype=np.int64)}
    mcc, baseline, _ = judged(*task(BINARY, texts, Labels(kind), **more))
    assert mcc > 0.8
    assert "the letter at each place" in baseline.about
    assert "chosen likewise, of words, letters by place and both" in baseline.about
    ragged = [text + "A" * (row % 2) for row, text in enumerate(texts)]
    blind, baseline, _ = judged(*task(BINARY, ragged, Labels(kind), **more))
    assert abs(blind) < 0.4
    assert "place" not in baseline.about


def test_values_are_seen_by_place_and_words_where_words_decide():
    rng = np.random.default_rng(6)
    texts, kind = of_places(400, rng)
    values = Target("v", "regression", ("v",), ("v",))
    r, baseline, _ = judged(*task(values, texts, Labels(kind[:, None] + rng.normal(size=(400, 1)) / 5)))
    assert r > 0.7
    assert "the letter at each place" in baseline.about
    texts, kind = two_kinds(400, rng)
    mcc, baseline, _ = judged(*task(BINARY, texts, Labels(kind)))
    assert mcc > 0.8
    assert "4-mers" in baseline.about


def test_places_are_those_of_a_slow_loop():
    texts = ["ACGN", "TTNA"]
    table = by_place(column(texts), np.array([1, 0]), 4).toarray()
    slow = np.zeros((2, 16))
    for row, text in enumerate(reversed(texts)):
        for place, letter in enumerate(text):
            if letter != "N":
                slow[row, 4 * place + "ACGT".index(letter)] = 1
    assert np.array_equal(table, slow)


def test_without_validation_rows_training_is_cross_validated():
    texts, kind = two_kinds(120, np.random.default_rng(1))
    groups = np.arange(120) // 2
    made, test = task(BINARY, texts, Labels(kind), valid=np.zeros(0, dtype=np.int64), groups=groups)
    mcc, baseline, _ = judged(made, test)
    assert mcc > 0.6
    assert "5 folds of the training rows" in baseline.about


def test_several_classes_of_proteins():
    rng = np.random.default_rng(2)
    letters = "ACDEFGHIKLMNPQRSTVWY"
    texts = [text for kind in ("DE", "KR", "LV") for text in rich_in(kind, 60, rng, 80, letters)]
    kind, order = np.repeat([0, 1, 2], 60), rng.permutation(180)
    goal = Target("t", "multiclass", ("t",), ("acid", "base", "fat"))
    accuracy, baseline, _ = judged(
        *task(goal, [texts[i] for i in order], Labels(kind[order]), "protein", "protein")
    )
    assert accuracy > 0.6
    assert "words of 2 residues" in baseline.about


def test_codons_are_seen_in_their_frame_only():
    rng = np.random.default_rng(3)
    codons = [["GCT", "AAA", "CTG", "GAA"], ["GCA", "AAG", "TTA", "GAG"]]
    kind = rng.integers(0, 2, 160)
    texts = ["A" + "".join(rng.choice(codons[one], 20)) for one in kind]
    labels = Labels(kind)
    found, baseline, _ = judged(*task(BINARY, texts, labels, molecule="cds", frame=1))
    assert found > 0.9
    assert "codons" in baseline.about


def test_labels_each_for_itself_with_unknown_cells():
    rng = np.random.default_rng(4)
    texts, kind = two_kinds(240, rng)
    values = np.stack([kind, 1 - kind, np.zeros(240)], axis=1).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    goal = Target("t", "multilabel", ("t",), ("a", "b", "never"))
    made, test = task(goal, texts, Labels(values))
    _, _, predictions = judged(made, test)
    said, truth = predictions.scores >= 0.5, values[test]
    for label in (0, 1):
        known = ~np.isnan(truth[:, label])
        assert (said[known, label] == truth[known, label]).mean() > 0.85
    assert (predictions.scores[:, 2] == 0.0).all()


def test_values_in_their_units_with_unknown_cells():
    rng = np.random.default_rng(5)
    share = rng.uniform(0.1, 0.9, 240)
    texts = ["".join(rng.choice(list("GA"), 80, p=[x, 1 - x])) for x in share]
    values = np.stack([100 * share, np.expm1(5 * share)], axis=1)
    values[rng.random(values.shape) < 0.2] = np.nan
    for log in (False, True):
        goal = Target("t", "regression", ("u", "v"), ("u", "v"), (50.0, 3.0), (20.0, 1.0), log=log)
        made, test = task(goal, texts, Labels(values))
        pearson, baseline, predictions = judged(made, test)
        assert pearson > 0.8
        assert "ridge regression, alpha" in baseline.about
        known = ~np.isnan(values[test, 0])
        assert np.abs(predictions.scores[known, 0] - values[test][known, 0]).mean() < 8
        _, _, mean = judged(made, test, "majority")
        assert mean.scores[0] == pytest.approx(np.nanmean(values[:120], axis=0))


def test_pairs_are_seen_together():
    rng = np.random.default_rng(6)
    first, kind = two_kinds(240, rng)
    second, other = two_kinds(240, rng)
    labels = Labels((kind == other).astype(int))
    made, test = task(BINARY, first, labels, pair=column(second), k=1)
    made = replace(made, pair="genome")
    mcc, baseline, _ = judged(made, test)
    # Whether two sequences are alike follows from the differences alone.
    assert mcc > 0.5
    assert "of both sequences and their differences" in baseline.about


def test_covariates_count_and_unknown_ones_are_means():
    rng = np.random.default_rng(7)
    texts = rich_in("ACGT", 200, rng)
    given = rng.normal(size=(200, 1))
    kind = (given[:, 0] > 0).astype(int)
    given[::10] = np.nan
    made, test = task(BINARY, texts, Labels(kind), covariates=given, covariate_names=("dose",))
    mcc, baseline, _ = judged(made, test)
    assert mcc > 0.6
    assert "covariates" in baseline.about


def test_class_weights_make_a_rare_class_likelier():
    rng = np.random.default_rng(8)
    texts, kind = rich_in("ACGT", 300, rng), (rng.random(300) < 0.15).astype(int)
    # Of two lengths, so that places, hundreds of numbers of noise, are not looked at.
    texts = [text[row % 2 :] for row, text in enumerate(texts)]
    heavy = Target("t", "binary", ("t",), ("no", "yes"), class_weights=(1.0, 8.0))
    means = [judged(*task(goal, texts, Labels(kind), k=1))[2].scores[:, 1].mean() for goal in (BINARY, heavy)]
    # Without a signal the mean is the share of the class, weighted.
    share = kind[:150].mean()
    assert means[0] == pytest.approx(share, abs=0.05)
    assert means[1] == pytest.approx(8 * share / (8 * share + 1 - share), abs=0.12)


def test_loss_and_baseline_mean_the_same_by_the_weights_of_labels():
    rng = np.random.default_rng(18)
    texts, labels = rich_in("ACGT", 400, rng), (rng.random((400, 2)) < [0.1, 0.4]).astype(float)
    target = Target("t", "multilabel", ("t",), ("a", "b"), class_weights=(9.0, 1.5))
    made, test = task(target, texts, Labels(labels), k=1)
    kind, truth = task_kind(target), torch.from_numpy(labels[made.train])
    # Without a signal both say the number that is best for all rows alike.
    bias = torch.zeros(2, requires_grad=True)
    steps = torch.optim.LBFGS([bias], max_iter=100)

    def closure():
        steps.zero_grad()
        loss = kind.loss(bias.expand_as(truth), truth, kind.weights(truth))[0]
        loss.backward()
        return loss

    steps.step(closure)
    best = kind.scores(bias.detach().numpy())
    share = labels[made.train].mean(axis=0)
    weight = np.array(target.class_weights)
    assert best == pytest.approx(weight * share / (weight * share + 1 - share), abs=1e-3)
    assert judged(made, test)[2].scores.mean(axis=0) == pytest.approx(best, abs=0.1)


def test_rows_without_a_label_do_not_count():
    rng = np.random.default_rng(9)
    texts, kind = two_kinds(200, rng)
    holes = kind.copy()
    holes[::3] = MISSING
    made, test = task(BINARY, texts, Labels(holes))
    swapped = Labels(np.where(holes == MISSING, MISSING, kind))
    again, _ = task(BINARY, texts, swapped)
    scores = [fit_baseline("composition", one).predict(one.examples, test).scores for one in (made, again)]
    assert np.array_equal(*scores)
    assert judged(made, test)[0] > 0.7
    none, _ = task(BINARY, texts, Labels(np.full(200, MISSING)))
    with pytest.raises(ValueError, match="no training row has a label"):
        fit_baseline("majority", none)


def test_majority_says_the_shares_of_training():
    texts = ["ACGT"] * 8
    made, _ = task(BINARY, texts, Labels(np.array([0, 1, 1, 1, 0, 0, 0, 0])))
    baseline = fit_baseline("majority", made)
    assert baseline.about == "always yes, the commonest class of the training rows"
    assert baseline.predict(made.examples, np.array([6, 7])).scores.tolist() == [[0.25, 0.75]] * 2


def test_one_class_in_training_gives_its_share():
    made, test = task(BINARY, ["ACGTA"] * 40, Labels(np.zeros(40, dtype=np.int64)))
    baseline = fit_baseline("composition", made)
    assert baseline.predict(made.examples, test).scores[0].tolist() == [1.0, 0.0]
    assert "one class only" in baseline.about


def test_too_many_words_leave_the_rare_ones_out(monkeypatch):
    monkeypatch.setattr(composition, "MOST_WORDS", 20)
    monkeypatch.setattr(composition, "_DENSE", 10)
    texts, kind = two_kinds(200, np.random.default_rng(10))
    mcc, _, _ = judged(*task(BINARY, texts, Labels(kind)))
    assert mcc > 0.3


# Token targets


def planted_rule(n, rng):
    """Bases two after a G that follows a C belong to class 1."""
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(20, 60))) for _ in range(n)]
    labels = [[int(at >= 3 and text[at - 3 : at - 1] == "CG") for at in range(len(text))] for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
    return texts, Labels(np.concatenate(labels).astype(np.int64), offsets)


TOKEN = Target("t", "token", ("t",), ("out", "in"))


def test_a_planted_rule_of_letters_is_found():
    rng = np.random.default_rng(11)
    texts, labels = planted_rule(120, rng)
    labels.values[::17] = MISSING
    made, test = task(TOKEN, texts, labels)
    accuracy, baseline, predictions = judged(made, test)
    common, _, _ = judged(made, test, "majority")
    assert accuracy > common + 0.04
    assert accuracy > 0.985
    assert "window of 25" in baseline.about
    assert np.array_equal(predictions.offsets, labels.take(test).offsets)


def test_many_symbols_are_subsampled_and_it_is_said(monkeypatch):
    monkeypatch.setattr(baseline_windows, "MOST_SYMBOLS", 900)
    texts, labels = planted_rule(80, np.random.default_rng(12))
    made, _ = task(TOKEN, texts, labels)
    first, again = fit_baseline("composition", made), fit_baseline("composition", made)
    assert "fitted to 900 of" in first.about
    rows = np.array([3, 1])
    assert np.array_equal(
        first.predict(made.examples, rows).scores, again.predict(made.examples, rows).scores
    )


@pytest.mark.parametrize("alphabet", ["dna", "protein"])
def test_windows_end_with_their_sequence(alphabet):
    letters = get_alphabet(alphabet).symbols
    sequences = column([letters, letters[:3], letters[::-1]], alphabet)
    places = np.arange(len(sequences.symbols))
    table = one_hot(sequences, places).toarray()
    half, A = HALF[alphabet], get_alphabet(alphabet).canonical + 1
    shaped = table.reshape(len(places), 2 * half + 1, A)
    for at in (0, len(letters), len(letters) + 2, len(places) - 1):
        row = int(np.searchsorted(sequences.offsets, at, side="right") - 1)
        inside = at - sequences.offsets[row]
        for offset in range(-half, half + 1):
            there = 0 <= inside + offset < sequences.lengths[row]
            assert shaped[at, half + offset].sum() == there
            if there:
                code = min(int(sequences[row][inside + offset]), A - 1)
                assert shaped[at, half + offset, code] == 1
    weights = np.random.default_rng(0).normal(size=(3, table.shape[1]))
    assert np.allclose(window_sums(sequences, places, weights), table @ weights.T)
