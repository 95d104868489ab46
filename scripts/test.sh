#!/usr/bin/env bash
# Set-up, lint, types, tests with coverage. Arguments go to pytest: bash scripts/test.sh -k masking
set -euo pipefail
# A function is read whole before it runs, so that this file may be edited meanwhile.
main() {
  source "$(dirname "$0")/setup.sh"
  cd "$root"
  setup_environment dev

  "$venv/bin/ruff" format --check genomecli tests scripts
  "$venv/bin/ruff" check genomecli tests scripts
  "$venv/bin/mypy"
  # One torch thread a worker: two workers on two cores are faster than one worker with two threads.
  export OMP_NUM_THREADS=1
  "$venv/bin/pytest" -n "${TEST_WORKERS:-2}" --cov --cov-report=term:skip-covered "$@"
  bash "$root/scripts/audit.sh"
}

main "$@"; exit
