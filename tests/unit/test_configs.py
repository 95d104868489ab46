"""The YAML files under configs/ and the templates of ``genomecli config``: all load, mistakes are named."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from genomecli.commands.config import run_config
from genomecli.config import SECTIONS, Config, load_config, section_class
from genomecli.errors import ConfigError
from genomecli.yaml_text import read_yaml

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SHIPPED = sorted(CONFIGS.glob("*.yaml"))
SPECIES = "[{name: a, sources: [{kind: protein, path: a.faa}]}]"
COMPLETED = {
    "tokenize": [f"tokenize.species={SPECIES}"],
    "pretrain": ["pretrain.corpus=c", "pretrain.steps=10", "pretrain.reading.tokens=null"],
    "finetune": ["finetune.data={path: t.tsv}", "finetune.targets={y: {}}"],
    "predict": [],
    "embed": [],
    "score": [],
    "mrr-compare": ["mrr-compare.runs=[{path: run}]"],
    "simulate": ["simulate.species=[{name: a}]"],
    "export": [],
}


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_DATA", "/data of genomes")


def load(name: str) -> Config:
    return load_config(CONFIGS / f"{name}.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_loads_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    config = load_config(path)
    assert text.startswith("# ")
    assert config.sections
    resolved = config.resolved(*config.sections)
    assert "$" not in str(resolved)
    for name in config.sections:
        assert section_class(name).model_validate(resolved[name]) == config.section(name)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_commands_in_a_shipped_file_name_it_and_its_sections(path: Path) -> None:
    config = load_config(path)
    said = set()
    for command, name in re.findall(r"genomecli ([a-z-]+) .*-c configs/([a-z0-9-]+)\.yaml", path.read_text()):
        other = load_config(CONFIGS / f"{name}.yaml")
        needed = command in ("simulate", "pretrain") or (command == "tokenize" and name != "own")
        assert command in other.sections or not needed, f"{name}.yaml has no section {command}"
        said |= {command} if name == path.stem else set()
    assert set(config.sections) <= said


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_override_in_a_shipped_file_is_taken(path: Path) -> None:
    texts = re.findall(r"--set (\S+=(?:\{[^}]*\}|\[[^]]*\]|\S+))", path.read_text())
    if path.stem == "own":
        texts = [text for text in texts if not text.startswith("tokenize")]
    assert load_config(path, texts).sections


def test_models_of_shipped_files_read_the_whole_context() -> None:
    trained = [config for path in SHIPPED if "pretrain" in (config := load_config(path)).sections]
    assert trained
    for config in trained:
        model = config.pretrain.model
        assert (model.architecture, model.width) == ("modern", 64)
        assert config.pretrain.reading.context <= model.context


def test_paired_files_see_the_whole_input_and_train_on_pairs() -> None:
    for name in ("ecoli-paired", "syn3a", "yeast", "pair", "own"):
        settings = load(name).pretrain
        assert settings.reading.relation == "paired", name
        assert settings.model.global_every == 1, name
        assert settings.objectives.tlm is not None, name


def test_the_first_corpus_of_e_coli_is_random_windows() -> None:
    reading = load("ecoli").pretrain.reading
    assert reading.molecules == ("genome", "protein")
    assert (reading.strand, reading.genome_frame, reading.relation) == ("both", "all", "none")
    assert load("ecoli-genes").pretrain.reading.molecules == ("cds", "protein")
    corpora = {load(name).pretrain.corpus for name in ("ecoli", "ecoli-genes", "ecoli-paired")}
    assert corpora == {str(CONFIGS.parent / "out" / "ecoli" / "corpus")}


def test_species_have_their_codes_and_their_files() -> None:
    (yeast,) = load("yeast").tokenize.species
    (rule,) = yeast.sources[0].table_rules
    assert (yeast.code, rule.pattern, rule.table) == (1, ":Mito:", 3)
    assert yeast.sources[0].path == ["/data of genomes/cds/scerevisiae.cds.fa.gz"]
    assert load("syn3a").tokenize.species[0].code == 4
    assert [item.code for item in load("pair").tokenize.species] == [11, 1]


def test_files_that_shipped_configs_name_exist(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_DATA", str(real_data))
    paths = [
        path
        for name in ("ecoli", "yeast", "syn3a", "pair", "tokenize")
        for item in load(name).tokenize.species
        for source in item.sources
        for path in source.path
    ]
    assert len(paths) == 10
    assert all(Path(path).is_file() for path in paths)


def test_templates_cover_every_command() -> None:
    assert set(COMPLETED) == set(SECTIONS)


@pytest.mark.parametrize("command", sorted(SECTIONS))
def test_a_template_completed_where_required_is_the_default(command: str, tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(run_config([command]))
    assert command in read_yaml(file)
    completed = load_config(file, COMPLETED[command], needs=[command])
    plain = load_config(None, COMPLETED[command], needs=[command])
    assert completed.resolved(command) == plain.resolved(command)


def test_the_template_of_all_commands_holds_each_once(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(run_config([]))
    values = read_yaml(file)
    assert set(SECTIONS) <= set(values)


@pytest.mark.parametrize("command", sorted(SECTIONS))
def test_every_key_of_a_template_has_its_meaning_above_it(command: str) -> None:
    lines = run_config([command]).splitlines()
    for above, line in pairwise(lines):
        if re.match(r"\s+(- )?[a-z_]+:", line):
            assert above.lstrip().startswith("#"), line


def test_choices_beside_a_number_are_not_all_choices() -> None:
    text = " ".join(line.strip(" #") for line in run_config(["pretrain"]).splitlines())
    assert "[tokens; a number, or auto] tokens_per_step: auto" in text
    assert "one of 0, 1, 2, all] frame: 0" in text
    assert "1 where absent. [one of genome, cds, protein] molecule_weights" in text


def wrong(path: tuple[str, ...], key: str) -> dict[str, Any]:
    tree: dict[str, Any] = {key: 1}
    for step in reversed(path):
        tree = {step: tree}
    return tree


@pytest.mark.parametrize(
    ("path", "key", "near"),
    [
        ((), "sed", "seed"),
        ((), "pretrian", "pretrain"),
        (("simulate",), "dependance", "dependence"),
        (("tokenize", "policies"), "ambiguty", "ambiguity"),
        (("pretrain",), "token", "tokens"),
        (("pretrain", "model"), "layer", "layers"),
        (("pretrain", "reading"), "relations", "relation"),
        (("pretrain", "objectives", "mlm"), "mask_shares", "mask_share"),
        (("embed",), "poolings", "pooling"),
        (("score",), "methods", "method"),
        (("mrr-compare", "baselines"), "word2vector", "word2vec"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(
    path: tuple[str, ...], key: str, near: str, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(wrong(path, key)))
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    place = ".".join([*path, key])
    assert f"{place}: unknown key; did you mean '{near}'?" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("embed.threads=1", "threads is a key of its own, outside of embed: --set threads=1"),
        ("embed.precision=fp32", "precision is a key of its own, outside of embed: --set precision=fp32"),
        ("pretrain.model.device=cpu", "device is a key of its own, outside of pretrain: --set device=cpu"),
        ("tokenize.policies.seed=[1]", "seed is a key of its own, outside of tokenize: --set seed=VALUE"),
    ],
)
def test_a_key_of_the_top_level_is_shown_its_place(given: str, said: str) -> None:
    place = given.partition("=")[0]
    with pytest.raises(ConfigError) as caught:
        load_config(None, [given])
    assert f"{place}: unknown key; {said}" in str(caught.value)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("simulate: {reach: 9, dependance: 1}\nembed: {molecule: rna}\nseed: -1\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    said = str(caught.value)
    for place in ("simulate.reach", "simulate.dependance", "embed.molecule", "seed"):
        assert place in said


def test_tasks_are_judged_by_what_their_first_line_says() -> None:
    """A line that says what decides and a setting that says something else would mislead."""
    said = {}
    for path in SHIPPED:
        config = load_config(path)
        found = re.search(r"judged by (\w+)", path.read_text().partition("\n#\n")[0])
        if found and "finetune" in config.sections:
            (target,) = config.finetune.targets.values()
            said[path.stem] = (found[1].lower(), target.primary)
    assert len(said) >= 6
    assert all(word == primary for word, primary in said.values()), said


def mistakes(value: dict[str, Any], names: list[str]) -> list[str]:
    """What an editor that knows the schema marks in a file."""
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(json.loads(run_config(names, schema=True)))
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_schema_finds_no_mistake_in_a_shipped_file(path: Path) -> None:
    assert mistakes(read_yaml(path), []) == []


def test_the_schema_takes_a_lone_value_for_a_list_and_a_number_for_a_name() -> None:
    values = {
        "embed": {"inputs": "a.fa", "pooling": "cls", "layers": 0, "species": 12},
        "predict": {"inputs": "a.fa"},
        "score": {"scan": "a.fa"},
        "finetune": {"data": {"path": "t.tsv"}, "targets": {"y": {"columns": "y"}}},
        "tokenize": {"species": [{"name": "a", "sources": [{"kind": "cds", "path": "a.fa"}]}]},
    }
    assert mistakes(values, []) == []
    listed = {"inputs": ["a.fa"], "pooling": ["cls", "max"], "layers": [0, 1]}
    assert mistakes({"embed": listed}, ["embed"]) == []


def test_the_schema_marks_wrong_keys_and_values() -> None:
    assert "'modle' was unexpected" in mistakes({"embed": {"modle": "x"}}, [])[0]
    assert mistakes({"embed": {"pooling": "sum"}}, [])
    assert mistakes({"tokenize": {"species": [{"name": "a b", "sources": []}]}}, [])


def test_classes_of_one_name_in_two_rooms_keep_their_own_keys_in_the_schema() -> None:
    """Baselines of finetune are predictors, those of mrr-compare static embeddings; splits differ as well."""
    needed = {"data": {"path": "t.tsv"}, "targets": {"y": {}}}
    finetune = {**needed, "baselines": {"run": ["majority"]}, "split": {"by": "cluster"}}
    compare = {"baselines": {"iterations": 5}, "runs": [{"path": "run"}]}
    source = {"kind": "cds", "path": "a.fa"}
    tokenize = {"species": [{"name": "a", "sources": [source]}], "split": {"by": "family"}}
    assert mistakes({"finetune": finetune, "mrr-compare": compare, "tokenize": tokenize}, []) == []
    assert mistakes({"mrr-compare": {**compare, "baselines": {"run": ["majority"]}}}, [])


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    monkeypatch.setenv("SUCH", str(tmp_path))
    path = tmp_path / "c.yaml"
    text = "tokenize: {{species: [{{name: a, sources: [{{kind: genome, path: '{}'}}]}}]}}"

    def read(source: str) -> list[str]:
        path.write_text(text.format(source))
        return list(load_config(path).tokenize.species[0].sources[0].path)

    for source in ("$NO_SUCH/x.fa", "folder/${NO_SUCH}x.fa"):
        with pytest.raises(ConfigError, match="the environment variable NO_SUCH is not set"):
            read(source)
    assert read("$SUCH/x.fa") == [str(tmp_path / "x.fa")]
    (tmp_path / "x$NO_SUCH.fa").touch()
    assert read("x$NO_SUCH.fa") == [str(tmp_path / "x$NO_SUCH.fa")]
