#!/usr/bin/env bash
# Advisories known of the packages that are installed, by pip-audit, where it and a network are there: bash scripts/audit.sh
set -euo pipefail
main() {
  source "$(dirname "$0")/setup.sh"
  if ! "$venv/bin/python" -c "import pip_audit" 2>/dev/null; then
    echo "advisories: skipped, pip-audit is not installed ($venv/bin/pip install pip-audit)" >&2
    return
  fi
  local said
  if ! said=$(timeout 120 "$venv/bin/python" -m pip_audit --progress-spinner off --skip-editable 2>&1); then
    case $said in
      "" | *onnection* | *resolve* | *timed\ out* | *Proxy* | *Max\ retries*) echo "advisories: skipped, no network" >&2; return ;;
    esac
    echo "$said"
    return 1
  fi
  local unknown
  unknown=$(grep -c "could not be audited" <<<"$said" || true)
  if [ "$unknown" = 0 ]; then
    echo "$said"
  else
    echo "advisories: $unknown packages could not be looked up, as where a mirror stands for the index" >&2
  fi
}

main "$@"; exit
