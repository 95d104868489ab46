#!/usr/bin/env bash
# Builds sdist and wheel, installs the wheel into a fresh environment, and uses it outside of the checkout.
#
#   bash scripts/packaging/check.sh newest [FOLDER]    the versions of scripts/constraints.txt
#   bash scripts/packaging/check.sh oldest [FOLDER]    the lower bounds of pyproject.toml, also of the extras;
#                                                      then the fast unit tests
#
# FOLDER keeps everything (default: a temporary folder that goes at the end). torch is the pinned one in both, as
# the CPU build where pip's index has it. PYTHON and TORCH_INDEX are those of scripts/setup.sh.
set -euo pipefail

# name==lower bound of every dependency and of those extras that users install.
lower_bounds() {
  "$1" - "$root/pyproject.toml" <<'PY'
import re, sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
extras = project["optional-dependencies"]
wanted = project["dependencies"] + [one for name in sorted(extras) if name not in ("dev", "fuzz") for one in extras[name]]
for text in wanted:
    name, bound = re.fullmatch(r"([\w-]+)>=([\w.]+)(?:,.*)?", text).groups()
    if name != "torch":
        print(f"{name}=={bound}")
PY
}

# A chain of commands on made data, in the folder where it is called.
use_it() {
  local genomecli=$1
  "$genomecli" --version
  "$genomecli" doctor
  for name in $("$genomecli" man | sed -n 's/^\.SS //p' | tr -d '\\'); do "$genomecli" "$name" --help > /dev/null; done
  "$genomecli" simulate -q -o sim --set "simulate.species=[{name: toy, genes: 60, gene_length: 60}]"
  "$genomecli" tokenize -q -o corpus --set tokenize.figures=false \
    --set "tokenize.species=[{name: toy, sources: [{kind: annotated, path: sim/toy.genome.fa, annotation: sim/toy.gff3}]}]"
  "$genomecli" pretrain -q --corpus corpus -o run --set pretrain.steps=5 --set pretrain.model.preset=tiny \
    --set pretrain.reading.context=64 --set pretrain.reading.tokens_per_batch=512 --set threads=1
  "$genomecli" embed -q --model run sim/toy.proteins.faa -o vectors.parquet
  "$genomecli" mrr-compare -q run --corpus corpus -o comparison --set mrr-compare.permutations=19 \
    --set mrr-compare.draws=20 --set mrr-compare.bootstrap=50 --set mrr-compare.baselines.iterations=5
  "$genomecli" info run --verify > info.txt
}

# What the extras are for, as far as made data allow; after use_it, in the same folder.
use_extras() {
  local genomecli=$1
  "$genomecli" doctor | grep '^optional'
  gzip -c sim/toy.proteins.faa > proteins.faa.gz
  "$genomecli" embed -q --model run proteins.faa.gz -o vectors.h5ad
  seq 40 | awk 'BEGIN { srand(1) } { s = ""; for (i = 0; i < 30; i++) s = s substr("ACGT", int(4 * rand()) + 1, 1)
    print (NR > 1 ? "" : "sequence\tlabel\n") s "\t" (NR % 2) }' > labelled.tsv
  "$genomecli" finetune -q --model run --data labelled.tsv --target label -o tuned --set finetune.tune=lora \
    --set finetune.epochs=1 --set finetune.seeds=1 --set threads=1
}

main() {
  source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"
  local level=${1:-} folder=${2:-} python
  case $level in newest | oldest) ;; *) sed -n '2,9s/^# \?//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;; esac
  if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    # Quoted now: at the end of the script the name is gone.
    trap "rm -rf '$folder'" EXIT
  fi
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  python=$(find_python)

  # Sources are copied first: a build leaves folders beside them.
  rm -rf "$folder/source" "$folder/dist" "$folder/use"
  mkdir -p "$folder/source" "$folder/use"
  cp -r "$root/genomecli" "$root/pyproject.toml" "$root/README.md" "$folder/source/"
  find "$folder/source" -name __pycache__ -prune -exec rm -rf {} +
  [ -x "$folder/build/bin/pip" ] || "$python" -m venv "$folder/build"
  "$folder/build/bin/pip" install -q -c "$root/scripts/constraints.txt" build setuptools
  "$folder/build/bin/python" -m build -q --no-isolation -o "$folder/dist" "$folder/source"
  ls -l "$folder/dist"

  venv="$folder/$level"
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  install_torch cpu
  local wheel=("$folder"/dist/*.whl)
  if [ "$level" = newest ]; then
    "$venv/bin/pip" install -q -c "$root/scripts/constraints.txt" "${wheel[0]}"
    (cd "$folder/use" && use_it "$venv/bin/genomecli")
    "$venv/bin/pip" install -q -c "$root/scripts/constraints.txt" "${wheel[0]}[anndata,fast,lora,onnx,tensorboard,variants,wandb]"
  else
    lower_bounds "$python" > "$folder/oldest.txt"
    cat "$folder/oldest.txt"
    # uv, since pip searches without end for what the lower bounds of all extras have in common.
    "$folder/build/bin/pip" install -q uv
    "$folder/build/bin/uv" pip install -q --python "$venv/bin/python" --reinstall-package genomecli \
      -r "$folder/oldest.txt" "${wheel[0]}"
    (cd "$folder/use" && use_it "$venv/bin/genomecli")
  fi
  "$venv/bin/pip" check
  (cd "$folder/use" && use_extras "$venv/bin/genomecli")

  if [ "$level" = oldest ]; then
    "$venv/bin/pip" install -q pytest hypothesis
    # Commands are left out: their tests train. So are the house, which reads sources and needs no dependency, and
    # the comparison with transformers, which the extra dev pins.
    (cd "$root" && OMP_NUM_THREADS=1 "$venv/bin/python" -m pytest -q -p no:cacheprovider -m "not slow" \
      tests/unit --ignore=tests/unit/commands --ignore=tests/unit/house --ignore=tests/unit/models/test_hugging_face_parity.py)
  fi
  echo "$level: done"
}

main "$@"; exit
