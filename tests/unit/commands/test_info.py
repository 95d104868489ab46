"""``info`` of every kind of finished output."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from genomecli.cli import main
from genomecli.commands.info import describe, run_info
from genomecli.commands.simulate import run_simulate
from genomecli.commands.tokenize import run_tokenize
from genomecli.config import load_config
from genomecli.errors import InputError
from genomecli.files import write_json, write_manifest


def test_a_simulation_and_its_settings(tmp_path: Path) -> None:
    few = "simulate.species=[{name: a, genes: 4, gene_length: 30}]"
    run_simulate(load_config(None, [few]), tmp_path / "sim")
    facts = describe(tmp_path / "sim", verify=True)
    assert facts["kind"] == "simulation"
    assert facts["config"]["simulate"]["species"][0]["genes"] == 4
    with pytest.raises(InputError, match="only a corpus has records"):
        run_info(tmp_path / "sim", preview=1, stdout=io.StringIO())


def test_a_corpus_shows_the_code_that_its_genes_were_read_with(tmp_path: Path) -> None:
    """The file's own wins over that of the settings (1 by default); both are shown."""
    gene = "ATG" + "GCTTGACTG" * 12 + "TAA"  # UGA inside: a stop of code 1, tryptophan of 4
    sequence = "".join(f"{gene.lower()}{'at' * 30}" for _ in range(3))
    features = [
        f"     CDS             {at + 1}..{at + len(gene)}\n"
        f'                     /locus_tag="t{at}"\n                     /transl_table=4\n'
        for at in range(0, len(sequence), len(gene) + 60)
    ]
    head = f"LOCUS       c1 {len(sequence)} bp    DNA     linear   BCT 01-JAN-2020\n"
    head += "FEATURES             Location/Qualifiers\n"
    (tmp_path / "x.gbk").write_text(f"{head}{''.join(features)}ORIGIN\n        1 {sequence}\n//\n")
    species = f"tokenize.species=[{{name: x, sources: [{{kind: annotated, path: {tmp_path / 'x.gbk'}}}]}}]"
    split = "tokenize.split={valid: 0, test: 0}"
    run_tokenize(load_config(None, [species, split, "tokenize.figures=false"]), tmp_path / "corpus")
    facts = describe(tmp_path / "corpus", verify=False)
    assert facts["species"]["x"]["code"] == 4
    assert facts["species"]["x"]["code_of_settings"] == 1


@pytest.mark.parametrize("kind", ["run", "runs"])
def test_a_run_shows_its_summary_and_checkpoints(tmp_path: Path, kind: str) -> None:
    (tmp_path / "checkpoints").mkdir()
    write_json(tmp_path / "summary.json", {"steps": 7})
    write_json(tmp_path / "checkpoints" / "best.json", {"checkpoint": "step-0000005"})
    write_manifest(tmp_path, kind, {"seeds": [1, 2]})
    facts = describe(tmp_path)
    assert (facts["kind"], facts["summary"], facts["best"]) == (kind, {"steps": 7}, "step-0000005")


def test_a_tuned_run_shows_verdict_figures_and_split_and_the_rest_if_asked(tmp_path: Path) -> None:
    figure = {"name": "mcc", "value": 0.51234, "low": 0.4, "high": 0.6, "n": 90}
    bare = {"name": "mcc", "value": None, "low": None, "high": None, "n": 90}
    target = {
        "kind": "binary",
        "verdict": "It is better.",
        "further": ["a long story"],
        "primary": {"test": {"pretrained": figure, "majority": bare}, "valid": {"pretrained": figure}},
    }
    split = {"how": "By column.", "rows": {"train": 5, "test": 2}, "warnings": ["copies"], "overlaps": [{}]}
    summary = {"judged": "test", "network": "pretrained", "targets": {"y": target}, "split": split}
    write_json(tmp_path / "summary.json", {**summary, "training": {"run": {"steps": 3}}})
    write_manifest(tmp_path, "run", {"command": "finetune"})
    said = {}
    for name, options in {"brief": {}, "verbose": {"verbose": True}, "json": {"as_json": True}}.items():
        out = io.StringIO()
        run_info(tmp_path, stdout=out, **options)
        said[name] = out.getvalue()
    assert "summary.targets.y.mcc.pretrained\t0.512 (0.400 to 0.600)\n" in said["brief"]
    assert "summary.targets.y.mcc.majority\tnot defined\n" in said["brief"]
    assert "summary.split.rows.test\t2\n" in said["brief"]
    assert "long story" not in said["brief"]
    assert "training" not in said["brief"]
    assert "info -v or --json" in said["brief"]
    assert "summary.training.run.steps\t3\n" in said["verbose"]
    assert "a long story" in said["verbose"]
    assert json.loads(said["json"])["summary"]["targets"]["y"]["further"] == ["a long story"]


def test_a_checkpoint_shows_its_state_and_tokens(tmp_path: Path) -> None:
    write_json(tmp_path / "state.json", {"step": 5})
    write_json(tmp_path / "lexicon.json", {"species": ["a"], "scope": "shared", "blocks": []})
    write_manifest(tmp_path, "checkpoint", {})
    facts = describe(tmp_path)
    assert (facts["kind"], facts["step"], facts["species"]) == ("checkpoint", 5, ["a"])


def test_a_comparison_shows_what_it_was_made_of(tmp_path: Path) -> None:
    write_json(tmp_path / "summary.json", {"x": 1})
    write_manifest(tmp_path, "comparison", {"inputs": [{"run": "r"}]})
    assert describe(tmp_path)["inputs"] == [{"run": "r"}]
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(InputError, match="bytes where"):
        describe(tmp_path)


def test_a_table_names_its_kind_first_and_an_unfinished_run_how_to_go_on(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("id\n")
    entry = {"t.tsv": {"bytes": 3, "sha256": ""}}
    write_json(tmp_path / "t.tsv.manifest.json", {"counts": {"rows": 0}, "files": entry, "kind": "embedding"})
    out = io.StringIO()
    run_info(table, stdout=out)
    assert out.getvalue().splitlines()[0] == "kind\tembedding"
    assert "counts.rows\t0" in out.getvalue()
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    write_json(run / "run.json", {"command": "pretrain"})
    write_json(run / "checkpoints" / "last.json", {"checkpoint": "step-0000003"})
    out = io.StringIO()
    run_info(run, as_json=True, stdout=out)
    facts = json.loads(out.getvalue())
    assert (facts["kind"], facts["last_checkpoint"]) == ("unfinished run", "step-0000003")
    assert "--resume" in facts["hint"]


def test_files_that_the_manifest_does_not_name_are_named_and_those_that_look_used_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, harmless, feigned in (
        ("corpus", "notes.txt", "yeast.cds.00001.safetensors"),
        ("checkpoint", "notes.txt", "model-2.safetensors"),
        ("run", "vectors.safetensors", "checkpoints/step-0000009/model.safetensors"),
        ("comparison", "more.parquet", ""),
    ):
        folder = tmp_path / kind
        (folder / "checkpoints" / "step-0000009").mkdir(parents=True)
        (folder / "a.txt").write_text("a")
        write_manifest(folder, kind, {})
        (folder / harmless).write_text("mine")
        arguments = ["info", str(folder), "--json"]
        if kind != "corpus":  # whose summary wants more of a manifest
            assert main([*arguments, "--verify"]) == 0
            captured = capsys.readouterr()
            assert json.loads(captured.out)["not_in_manifest"] == [harmless]
            assert f"1 file ({harmless})" in captured.err
            assert main(arguments) == 0
            assert "not_in_manifest" not in json.loads(capsys.readouterr().out)
        if feigned:
            (folder / feigned).write_text("theirs")
            assert main([*arguments, "--verify"]) == 3
            error = json.loads(capsys.readouterr().err.splitlines()[-1])
            assert error["where"] == str(folder / feigned)
