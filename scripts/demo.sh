#!/usr/bin/env bash
# From nothing to a table, figures and a page: set-up, then tokenize, pretrain, embed, mrr-compare.
#
#   bash scripts/demo.sh                       two made-up species whose truth is known (minutes on two cores)
#   bash scripts/demo.sh GENOME.gbk[.gz] ...   the same with your own annotated genomes, one species a file
#   bash scripts/demo.sh --cuda [...]          with the CUDA build of torch
#
# DEMO_OUT names the folder of the results (default out/demo, or out/own for your own genomes).
set -euo pipefail
# A function is read whole before it runs, so that this file may be edited meanwhile.
main() {
  source "$(dirname "$0")/setup.sh"

  build=""
  if [ "${1:-}" = --cuda ]; then
    build=--cuda
    shift
  fi
  genomes=()
  for file in "$@"; do
    [ -r "$file" ] || { echo "$file: no such file" >&2; exit 3; }
    genomes+=("$(cd "$(dirname "$file")" && pwd)/$(basename "$file")")
  done
  cd "$root"
  setup_environment core $build
  genomecli="$venv/bin/genomecli"
  begin=$SECONDS

  if [ ${#genomes[@]} -eq 0 ]; then
    config=configs/demo.yaml
    out=${DEMO_OUT:-out/demo}
    mkdir -p "$out"
    "$genomecli" simulate -c $config -o "$out/sim" --force
    corpus=(-c "$config")
    for number in 0 1; do
      name=$([ $number = 0 ] && echo standard_yeast || echo ctg_yeast)
      corpus+=(--set "tokenize.species.$number.sources.0.path=$out/sim/$name.genome.fa"
        --set "tokenize.species.$number.sources.0.annotation=$out/sim/$name.gff3")
    done
  else
    config=configs/own.yaml
    out=${DEMO_OUT:-out/own}
    mkdir -p "$out"
    corpus=("${genomes[@]}" -c "$config")
  fi

  "$genomecli" tokenize "${corpus[@]}" -o "$out/corpus" --force

  # One network a reading frame. Small networks train best on one core each, as many at a time as there are cores;
  # a GPU takes one after another.
  cores=1
  [ -n "$build" ] || cores=$(nproc 2>/dev/null || echo 2)
  for frame in 0 1 2; do
    while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do wait -n; done
    echo "training on reading frame $frame: $out/frame$frame" >&2
    "$genomecli" pretrain -c $config --corpus "$out/corpus" -o "$out/frame$frame" --force -q \
      --set pretrain.reading.frame=$frame $([ "$cores" = 1 ] || echo "--set threads=1") &
  done
  while [ -n "$(jobs -rp)" ]; do wait -n; done

  "$genomecli" embed -c $config --model "$out/frame0" -o "$out/proteins.parquet" --force \
    --set embed.corpus="$out/corpus" --set embed.molecule=protein
  "$genomecli" mrr-compare "$out/frame0" "$out/frame1" "$out/frame2" -c $config --corpus "$out/corpus" \
    -o "$out/comparison" --force

  echo
  echo "Done in $((SECONDS - begin)) seconds."
  echo "  page      $out/comparison/index.html"
  echo "  measures  $out/comparison/measures.tsv"
  echo "  vectors   $out/proteins.parquet"
  for figure in "$out"/comparison/figures/*.png "$out"/corpus/figures/*.png "$out"/frame0/*.png; do
    [ ! -e "$figure" ] || echo "  figure    $figure"
  done
}

main "$@"; exit
