#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests ./dev itself, with stand-ins for dpkg-query, apt-get, sudo and id: nothing is installed.
# Prints one line per case; exit status 1 when one failed.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
count=0

expect() { # description, expected status, pattern in the output (or "")
    local description=$1 status=$2 pattern=$3 real=0
    shift 3
    "$@" >"$work/out" 2>&1 </dev/null || real=$?
    count=$((count + 1))
    if [ "$real" -eq "$status" ] && { [ -z "$pattern" ] || grep -Eq -- "$pattern" "$work/out"; }; then
        printf 'ok %d - %s\n' "$count" "$description"
    else
        printf 'not ok %d - %s: status %d, output:\n' "$count" "$description" "$real"
        sed 's/^/    /' "$work/out"
        failures=$((failures + 1))
    fi
}

# A PATH with only what a minimal Debian has, and the stand-ins.
make_tools() {
    local tool
    mkdir -p "$work/bin" "$work/tree/tools"
    for tool in bash sh env dirname cat grep sed sort head tail mktemp rm cp cmp tr mkdir touch; do
        ln -s "$(command -v "$tool")" "$work/bin/$tool"
    done
    cp "$root/dev" "$work/tree/dev"
    cat >"$work/tree/tools/packages.txt" <<'TXT'
# comment
build: gcc cmake?cmake
build: libfoo-dev
test: libfoo-dev libbar-dev
TXT
    stub dpkg-query 'grep -qx "${!#}" "$STATE/installed" && echo installed'
    stub apt-get 'echo "apt-get $*" >>"$STATE/calls"
case "$*" in *" install "*) for p in "$@"; do case $p in -*|*=*|install) ;; *) echo "$p" >>"$STATE/installed" ;; esac; done ;; esac
exit "${APT_STATUS:-0}"'
    stub id 'echo "${FAKE_UID:-0}"'
}

stub() {
    printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

fresh() { # installed packages...
    mkdir -p "$work/state"
    : >"$work/state/calls"
    printf '%s\n' "$@" >"$work/state/installed"
}

dev() { env -i PATH="$work/bin" STATE="$work/state" TMPDIR="$work" "${extra[@]}" bash "$work/tree/dev" "$@"; }
calls() { cat "$work/state/calls"; }
no_calls() { [ ! -s "$work/state/calls" ]; }

make_tools
extra=(LANG=C)

expect "help explains each command" 0 './dev interop' "$root/dev" help
expect "no argument is help" 0 './dev demo' "$root/dev"
expect "unknown command" 2 'no command "frobnicate"' "$root/dev" frobnicate
expect "unknown preset" 2 'no preset "nix"' "$root/dev" build nix
expect "two presets" 2 'one preset' "$root/dev" build dev asan
expect "demo: bad number" 2 'number of seconds' "$root/dev" demo --for soon
expect "demo: unknown option" 2 'does not know "--nix"' "$root/dev" demo --nix
expect "test: unknown option" 2 'does not know "--nix"' "$root/dev" test --nix
expect "fuzz: bad number" 2 'number of seconds' "$root/dev" fuzz --for -1
expect "format: unknown option" 2 'does not know' "$root/dev" format --nix

fresh
expect "unknown group" 2 'no package group "nix"' dev setup nix
expect "unknown group installs nothing" 0 '' no_calls

fresh gcc libfoo-dev cmake
expect "all there" 0 'all that is needed' dev setup build
expect "all there: apt-get is not called" 0 '' no_calls

fresh gcc
expect "some missing" 0 'installing cmake libbar-dev libfoo-dev' dev setup build test
expect "the missing are installed, once" 0 'install --no-install-recommends cmake libbar-dev libfoo-dev$' calls
fresh gcc cmake libfoo-dev libbar-dev
expect "second run does nothing" 0 '' dev setup build test
expect "second run: apt-get is not called" 0 '' no_calls

stub cmake 'echo "cmake version 3.31.2"'
fresh gcc libfoo-dev
expect "recent tool of another vendor" 0 'all that is needed' dev setup build
expect "recent tool: not installed again" 0 '' no_calls
stub cmake 'echo "cmake version 3.9.0"'
expect "old tool of another vendor" 0 'installing cmake' dev setup build
rm "$work/bin/cmake"

fresh
extra=(LANG=C FAKE_UID=1000)
expect "neither root nor sudo" 1 'not root and there is no sudo' dev setup build
expect "neither root nor sudo: nothing called" 0 '' no_calls
stub sudo 'echo "sudo $*" >>"$STATE/calls"; exec "$@"'
fresh
expect "with sudo" 0 'all that is needed' dev setup build
expect "with sudo: used" 0 '^sudo .*apt-get .*install' calls
extra=(LANG=C APT_STATUS=100)
fresh
expect "apt-get fails" 1 'apt-get update failed' dev setup build
rm "$work/bin/dpkg-query"
expect "not a Debian" 1 "only Debian's packages" dev setup build

printf '%d passed, %d failed\n' "$((count - failures))" "$failures"
[ "$failures" -eq 0 ]
