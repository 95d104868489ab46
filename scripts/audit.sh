#!/usr/bin/env bash
# Advisories known of the packages that are installed, by pip-audit, where a network is there: bash scripts/audit.sh
set -euo pipefail
install_audit() {
  "$venv/bin/python" -m venv "$1" && timeout 120 "$1/bin/pip" install -q --retries 0 --timeout 15 pip-audit
}

main() {
  source "$(dirname "$0")/setup.sh"
  # In an environment of its own: what it needs must not change the packages that are tested.
  local own="$root/.cache/audit" installed said
  if [ ! -x "$own/bin/pip-audit" ] && ! install_audit "$own" >/dev/null 2>&1; then
    echo "advisories: skipped, pip-audit cannot be installed (no network?)" >&2
    return
  fi
  installed=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  if ! said=$(timeout 120 "$own/bin/pip-audit" --progress-spinner off --skip-editable --path "$installed" 2>&1); then
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
