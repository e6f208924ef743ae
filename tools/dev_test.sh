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
    for tool in bash sh env dirname cat grep sed sort head tail mktemp rm cp cmp tr mkdir touch sleep mkfifo mv \
        wc; do
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
expect "build: no such target" 1 "unknown target 'nix'" "$root/dev" build dev nix
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

# The demo, with stand-ins for the build and for both programs.
stub dpkg-query 'echo installed'
stub cmake 'echo "cmake version 3.31.2"'
mkdir -p "$work/tree/build/bin"
printf 'build: gcc\nconsole: gcc\n' >"$work/tree/tools/packages.txt"
program() {
    printf '#!/bin/bash\n%s\n' "$2" >"$work/tree/build/bin/$1"
    chmod +x "$work/tree/build/bin/$1"
}
server='trap "echo dunlind stopped >>$STATE/calls; exit 0" TERM
while [ $# -gt 0 ]; do [ "$1" = --ready-file ] && ready=$2; shift; done
printf "{\"coap\":\"127.0.0.1:7\",\"http\":\"127.0.0.1:9\"}" >"$ready.new" && mv "$ready.new" "$ready"
while :; do sleep 0.1; done'
device='case $1 in
client) trap "echo device stopped >>$STATE/calls; exit 0" TERM; echo "$*" >>$STATE/calls
    while read -r -t 0.1 line || [ $? -gt 128 ]; do :; done; echo "end of input"; exit 1 ;;
*) echo "[{\"endpoint\":\"a\"},{\"endpoint\":\"b\"},{\"endpoint\":\"c\"}]" ;; esac'
program dunlind "$server"
program dunlin "$device"
extra=(LANG=C)
fresh
expect "demo: ends by itself" 0 'http://127.0.0.1:9/' dev demo --for 1
expect "demo: devices get what their factory gave" 0 'client -e .* --factory .*/factory/.*json ' calls
expect "demo: the server is stopped" 0 'dunlind stopped' calls
expect "demo: the devices are stopped" 0 'device stopped' calls
no_leftovers() { ! compgen -G "$work/dunlin-demo.*"; }
expect "demo: its folder is removed" 0 '' no_leftovers

interrupted() {
    # Not through dev(): the signal must reach the script, not a subshell around it.
    env -i PATH="$work/bin" STATE="$work/state" TMPDIR="$work" bash "$work/tree/dev" demo >"$work/demo.out" 2>&1 &
    local pid=$! tries=100
    until grep -q 'Ctrl-C' "$work/demo.out" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
    kill -TERM $pid
    wait $pid
    local status=$?
    cat "$work/demo.out" "$work/state/calls"
    return $status
}
fresh
expect "demo: a signal stops it" 0 'dunlind stopped' interrupted

program dunlind 'echo "address already in use" >&2; exit 1'
expect "demo: the server fails" 1 'address already in use' dev demo --for 1
expect "demo: the server fails, said plainly" 1 'dunlind ended by itself' dev demo --for 1
program dunlind "$server"
program dunlin 'case $1 in client) echo "no such host" >&2; exit 3 ;; *) echo "[]" ;; esac'
expect "demo: a device fails" 1 'ended by itself' dev demo --for 1
rm "$work/tree/build/bin/dunlin"
expect "demo: a program is missing" 1 'made no build/bin/dunlind or' dev demo --for 1

printf '%d passed, %d failed\n' "$((count - failures))" "$failures"
[ "$failures" -eq 0 ]
