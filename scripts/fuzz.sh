#!/usr/bin/env bash
# Each fuzzer for some seconds; a table of what the parsers did: bash scripts/fuzz.sh 30 [--only VCF] [--seed 1] [--keep DIR]
# With --guided atheris makes the inputs, led by the code that they reach; without it that is skipped.
# It is the extra fuzz: .venv/bin/pip install -c scripts/constraints.txt -e '.[fuzz]'
set -euo pipefail
main() {
  source "$(dirname "$0")/setup.sh"
  cd "$root"
  setup_environment dev
  export OMP_NUM_THREADS=1
  "$venv/bin/python" -m tests.fuzzing "${@:-5}"
}

main "$@"; exit
