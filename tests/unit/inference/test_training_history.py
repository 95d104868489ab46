"""What a checkpoint's settings say it has learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.inference.ancestry import ancestry_of
from genomecli.inference.training_history import TrainingHistory


def config(molecules: list[str], **objectives: object) -> dict[str, object]:
    chosen = {"mlm": {"rate": 0.25}, "tlm": None, "cls": None, "others": {}, **objectives}
    return {"pretrain": {"reading": {"molecules": molecules, "context": 256}, "objectives": chosen}}


def test_a_model_speaks_of_what_it_was_trained_on_alone() -> None:
    history = TrainingHistory.of(config(["protein"]))
    assert history.context == 256
    assert history.check("protein", "run") is None
    for molecule in ("genome", "cds"):
        with pytest.raises(InputError, match="run; was trained on protein alone, not on dna"):
            history.check(molecule, "run")
    assert TrainingHistory.of(config(["cds", "protein"])).check("cds", "run") is None
    assert "not on genome windows" in (TrainingHistory.of(config(["cds"])).check("genome", "run") or "")
    assert TrainingHistory.of(config(["genome"])).check("genome", "run") is None


@pytest.mark.parametrize(
    ("reading", "stops"),
    [
        ({"molecules": ["cds", "protein"], "strip": True, "frame": 0}, False),
        ({"molecules": ["cds"], "strip": False, "frame": 0, "relation": "paired"}, False),
        ({"molecules": ["cds"], "strip": False, "frame": 0, "relation": "none"}, None),
        ({"molecules": ["cds"], "strip": True, "frame": 1}, True),
        ({"molecules": ["cds"], "strip": True, "frame": "all"}, True),
        ({"molecules": ["genome", "cds"], "strip": True, "frame": 0}, True),
        ({}, None),
    ],
)
def test_whether_stop_codons_were_seen_is_known_after_tuning_too(reading, stops, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"pretrain": {"reading": reading}}))
    began = ancestry_of(tmp_path)
    assert began.history.stops is stops
    assert TrainingHistory.of({"finetune": {}, "began_from": began.to_dict()}).stops is stops


def test_a_model_that_never_filled_in_tokens_has_no_probabilities() -> None:
    with pytest.raises(InputError, match="was not trained to fill in"):
        TrainingHistory.of(config(["cds"], mlm=None, cls={"weight": 1})).check("cds", "run")
    assert TrainingHistory.of(config(["cds"], mlm=None, tlm={"rate": 0.2})).check("cds", "run") is None


def test_a_tuned_model_is_told_of_and_silence_is_no_objection() -> None:
    assert "tuned" in (TrainingHistory.of({"finetune": {}}).check("protein", "run") or "")
    assert TrainingHistory.of({}).check("genome", "run") is None
    assert TrainingHistory.of({}).context is None


@pytest.mark.parametrize(
    ("tune", "before", "told"),
    [("full", 0, True), ("last", 0, True), ("lora", 0, True), ("frozen", 0, False), ("frozen", 1, True)],
)
def test_scores_of_a_body_that_a_task_has_moved_name_the_pretrained_run(
    tune: str, before: int, told: bool
) -> None:
    """With a frozen body the tokens have the probabilities of the pretraining."""
    began = {"molecules": ["cds"], "fills_in": True, "tunings": [{}] * before}
    history = TrainingHistory.of({"finetune": {"model": "runs/ecoli", "tune": tune}, "began_from": began})
    note = history.check("cds", "run") or ""
    assert ("scores are of the changed model; give the pretrained run, runs/ecoli, for" in note) == told
    assert bool(note) == told


@pytest.mark.parametrize(("molecule", "fits"), [("genome", True), ("cds", True), ("protein", False)])
def test_a_body_of_dna_reads_any_dna_and_no_protein_also_after_tuning(molecule: str, fits: bool) -> None:
    began = {"molecules": ["genome"], "fills_in": True, "tunings": []}
    for trained in (config(["genome"]), {"finetune": {}, "began_from": began}):
        history = TrainingHistory.of(trained)
        assert history.molecules == ("genome",)
        if fits:
            history.check_alphabet(molecule, "run")
        else:
            with pytest.raises(InputError, match="run; was trained on genome alone, not on protein"):
                history.check_alphabet(molecule, "run")


def test_tuning_gives_no_probabilities_to_a_model_that_never_filled_in() -> None:
    began = {"molecules": ["cds"], "fills_in": False, "tunings": []}
    with pytest.raises(InputError, match="was not trained to fill in"):
        TrainingHistory.of({"finetune": {}, "began_from": began}).check("cds", "run")


@pytest.mark.parametrize("tune", ["embeddings", "full", "lora"])
def test_a_new_body_on_given_embeddings_has_never_filled_in(tune: str) -> None:
    began = {"molecules": ["cds"], "fills_in": True, "tunings": []}
    history = TrainingHistory.of({"finetune": {"model": "run", "tune": tune}, "began_from": began})
    assert history.molecules == ("cds",), "the rows of its embedding are those of the pretraining"
    assert history.fills_in == (tune != "embeddings")
    if tune == "embeddings":
        with pytest.raises(InputError, match="run; was not trained to fill in"):
            history.check("cds", "run")


def test_a_network_that_a_task_alone_has_trained_has_never_filled_in() -> None:
    scratch = {"finetune": {"model": None, "network": {"preset": "cnn"}, "tune": "full"}}
    with pytest.raises(InputError, match="run; was not trained to fill in"):
        TrainingHistory.of(scratch).check("genome", "run")


@pytest.mark.parametrize("section", [{"model": None, "tune": "full"}, {"model": "run", "tune": "embeddings"}])
def test_the_next_tuning_says_that_the_body_never_filled_in(
    section: dict[str, object], tmp_path: Path
) -> None:
    """A run tuned further from such a network is no better."""
    settings: dict[str, object] = {"finetune": {**section, "targets": {"y": {}}}}
    if section["model"] is not None:
        settings["began_from"] = {"molecules": ["cds"], "fills_in": True, "tunings": []}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    began = ancestry_of(tmp_path).to_dict()
    assert began["fills_in"] is False
    later = {"finetune": {"model": "first", "tune": "full", "targets": {"y": {}}}, "began_from": began}
    assert TrainingHistory.of(later).fills_in is False
