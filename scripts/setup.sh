# Sourced by the other scripts: makes .venv in the checkout and installs genomecli into it, once.
#
#   setup_environment core|dev [--cuda]
#
# PYTHON names the interpreter; without it python3.11 is tried first, then 3.12 and 3.13.
# The second call finds its stamp and installs nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "genomecli needs Python 3.11, 3.12 or 3.13: set PYTHON to one of them" >&2
  return 2
}

install_torch() {
  local version index=()
  version=$(sed -n 's/^torch==//p' "$root/scripts/constraints.txt")
  [ -z "${TORCH_INDEX:-}" ] || index=(--index-url "$TORCH_INDEX")
  if [ "$1" = cuda ]; then
    "$venv/bin/pip" install -q "${index[@]}" "torch==$version"
  elif ! "$venv/bin/pip" install -q "${index[@]}" "torch==$version+cpu" 2>/dev/null; then
    echo "no CPU build of torch $version in pip's index (TORCH_INDEX can name another): taking the default build" >&2
    "$venv/bin/pip" install -q "${index[@]}" "torch==$version"
  fi
}

setup_environment() {
  local level=$1 build=cpu python stamp extras=""
  [ "${2:-}" != --cuda ] || build=cuda
  python=$(find_python) || return
  stamp=$( { cat "$root/pyproject.toml" "$root/scripts/constraints.txt"; "$python" --version; echo "$build"; } | sha256sum | cut -c1-16)
  if [ -e "$venv/.$level-$stamp" ]; then
    return
  fi
  echo "setting up $venv ($level, $build)" >&2
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  [ "$level" != dev ] || extras="[dev]"
  "$venv/bin/pip" install -q -c "$root/scripts/constraints.txt" "setuptools>=77"
  install_torch "$build"
  "$venv/bin/pip" install -q -c "$root/scripts/constraints.txt" --no-build-isolation -e "$root$extras"
  touch "$venv/.core-$stamp" "$venv/.$level-$stamp"
}
