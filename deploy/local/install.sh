#!/bin/sh
# Installs what local work needs into .venv, with pinned and hash-checked packages. `make` calls it when
# requirements/local.txt is newer than the stamp; the stamp is written last, so a broken-off install is repeated.
# PYTHON=<path> chooses the interpreter; otherwise the first one that is new enough is taken.
set -u
cd "$(dirname "$0")/../.." || exit 1

VENV=.venv
STAMP=$VENV/.installed
LOG=${VAR_DIR:-var}/log/install.log

fail() {
    echo "$1" >&2
    exit 1
}

new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
        return
    fi
    for PYTHON in python3 python3.14 python3.13 python3.12 python3.11; do
        new_enough "$PYTHON" && return
    done
    fail "Python 3.11 or newer was not found: install it, or name it with PYTHON=/path/to/python3 make run."
}

make_venv() {
    # A directory of packages that was moved, or whose interpreter is gone, does not work any more.
    if [ -e "$STAMP" ] && [ "$(cat "$STAMP")" = "$(pwd -P)" ] && new_enough "$VENV/bin/python"; then
        return
    fi
    "$PYTHON" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "$PYTHON has no venv module: install it (Debian and Ubuntu: apt install python3-venv)."
    rm -rf "$VENV" || fail "$VENV cannot be replaced: remove it."
    "$PYTHON" -m venv "$VENV" >>"$LOG" 2>&1 || fail "$VENV cannot be made by $PYTHON -m venv: see $LOG."
}

install_with_uv() {
    "$VENV/bin/python" -m pip install --quiet --require-hashes -r requirements/install.txt >>"$LOG" 2>&1 || return 1
    # Without a home directory to write to there is no cache.
    mkdir -p "${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv}" 2>/dev/null || export UV_NO_CACHE=1
    # A sync removes what is not listed, so uv itself is listed too. Compiling now halves each later start of make run
    # where PYTHONDONTWRITEBYTECODE is set, and the first one everywhere.
    "$VENV/bin/uv" pip sync --python "$VENV/bin/python" --require-hashes --compile-bytecode \
        requirements/install.txt requirements/local.txt >>"$LOG" 2>&1
}

install_with_pip() {
    echo "uv did not do it; pip does, which takes longer." >>"$LOG"
    "$VENV/bin/python" -m pip install --require-hashes -r requirements/local.txt >>"$LOG" 2>&1
}

# Somebody else's packages are theirs to keep up to date.
[ -L "$VENV" ] && exit 0

find_python
mkdir -p "$(dirname "$LOG")" 2>/dev/null && : 2>/dev/null >"$LOG" || fail "$LOG cannot be written."
echo "Installing the Python packages into $VENV (log: $LOG)"
make_venv
rm -f "$STAMP"
install_with_uv || install_with_pip ||
    fail "The Python packages cannot be installed: $(grep -v '^[[:space:]]*$' "$LOG" | tail -n 1) (see $LOG)"
pwd -P >"$STAMP"
