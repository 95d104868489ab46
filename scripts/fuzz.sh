#!/usr/bin/env bash
# Each fuzzer for some seconds; a table of what the parsers did: bash scripts/fuzz.sh 30 [--only VCF] [--seed 1] [--keep DIR]
# Then the advisories known of what is installed, where pip-audit and a network are there.
set -euo pipefail
main() {
  source "$(dirname "$0")/setup.sh"
  cd "$root"
  setup_environment dev
  export OMP_NUM_THREADS=1
  local code=0
  "$venv/bin/python" -m tests.fuzzing "${@:-5}" || code=$?
  audit || code=$?
  return "$code"
}

audit() {
  if ! "$venv/bin/python" -c "import pip_audit" 2>/dev/null; then
    echo "advisories: skipped, pip-audit is not installed ($venv/bin/pip install pip-audit)" >&2
    return
  fi
  local said
  if ! said=$("$venv/bin/python" -m pip_audit --progress-spinner off --skip-editable 2>&1); then
    case $said in
      *onnection* | *resolve* | *timed\ out* | *Proxy*) echo "advisories: skipped, no network" >&2; return ;;
    esac
    echo "$said"
    return 1
  fi
  echo "$said"
}

main "$@"; exit
