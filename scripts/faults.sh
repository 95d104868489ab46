#!/usr/bin/env bash
# Kills, full disks, closed pipes, damaged files, on small runs of each command; a table of what was survived:
#
#   bash scripts/faults.sh [--times 20] [--command tokenize,pretrain,finetune,embed] [--seed 0]
#
# Full disks and read-only folders need the right to mount; without it they are shown as skipped.
set -euo pipefail
main() {
  source "$(dirname "$0")/setup.sh"
  cd "$root"
  setup_environment dev
  export OMP_NUM_THREADS=1
  "$venv/bin/python" -m tests.faults "$@"
}

main "$@"; exit
