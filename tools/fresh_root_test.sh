#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Proves that the two commands of the README work on a fresh, minimal Debian: makes a new root with
# debootstrap, clones the committed tree into it and runs ./dev test and ./dev demo there.
# Needs root and debootstrap. Takes 10 to 20 minutes on two cores.
#
# Usage: tools/fresh_root_test.sh [ROOT]
#   ROOT  the folder of the new system (default: a temporary one, removed at the end). One that
#         exists is used as it is, so that a second run is quick; make a new one for the full proof.
# Environment
#   SUITE=bookworm        Debian release
#   MIRROR=URL            Debian mirror (default: the first one that this machine's apt uses)
#   http_proxy, https_proxy, no_proxy   used by debootstrap and handed to the commands inside
#   NPM_CONFIG_REGISTRY   handed to the commands inside
#   CA_BUNDLE=FILE        a PEM file of certificate authorities for npm inside, where the way to the
#                         registries needs one
#   STEPS="test demo"     what to run inside: any of test, demo, build, interop, ci
set -euo pipefail

suite=${SUITE:-bookworm}
mirror=${MIRROR:-$(apt-get indextargets --format '$(SITE)' 2>/dev/null | head -n 1)}
steps=${STEPS:-test demo}
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${1:-}
ours=no

[ -n "$mirror" ] || { echo "fresh_root_test: no Debian mirror is known; set MIRROR" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "fresh_root_test: must be root (debootstrap, chroot)" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "fresh_root_test: install debootstrap first" >&2; exit 2; }
if [ -z "$target" ]; then
    target=$(mktemp -d "${TMPDIR:-/var/tmp}/dunlin-root.XXXXXX")
    ours=yes
fi

mounted=()
cleanup() {
    local index
    for ((index = ${#mounted[@]} - 1; index >= 0; index--)); do umount "${mounted[$index]}" || true; done
    # Never remove a tree with something still mounted in it.
    if [ "$ours" = yes ] && ! grep -q " $target" /proc/mounts; then rm -rf "$target"; fi
}
trap cleanup EXIT

say() { printf '==> [%4ds] %s\n' "$SECONDS" "$*"; }

if [ ! -x "$target/bin/bash" ]; then
    say "debootstrap $suite into $target"
    mkdir -p "$target"
    debootstrap --variant=minbase "$suite" "$target" "$mirror" >"$target.log" 2>&1 || {
        tail -n 20 "$target.log" >&2
        exit 1
    }
    rm -f "$target.log"
fi

mount_once() { # type, source, folder
    grep -q " $target$3 " /proc/mounts && return 0
    if [ "$1" = bind ]; then mount --bind "$2" "$target$3"; else mount -t "$1" "$2" "$target$3"; fi
    mounted+=("$target$3")
}
mount_once proc proc /proc
mount_once bind /dev /dev
mkdir -p "$target/dev/shm"
cp /etc/resolv.conf "$target/etc/resolv.conf"
[ -s "$target/etc/hosts" ] || echo "127.0.0.1 localhost" >"$target/etc/hosts"

inside=(env -i "PATH=/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8)
for name in http_proxy https_proxy no_proxy NPM_CONFIG_REGISTRY; do
    [ -n "${!name:-}" ] && inside+=("$name=${!name}")
done
if [ -n "${CA_BUNDLE:-}" ]; then
    mkdir -p "$target/usr/local/share/ca-certificates"
    cp "$CA_BUNDLE" "$target/usr/local/share/ca-bundle.pem"
    inside+=(NODE_EXTRA_CA_CERTS=/usr/local/share/ca-bundle.pem SSL_CERT_FILE=/usr/local/share/ca-bundle.pem)
fi

say "cloning the committed tree"
rm -rf "$target/root/dunlin"
git clone -q --no-hardlinks "$source_dir" "$target/root/dunlin"

run() {
    say "inside: $*"
    chroot "$target" "${inside[@]}" /bin/bash -c 'cd /root/dunlin && exec "$@"' bash "$@"
}
for step in $steps; do
    case $step in
    test) run ./dev test ;;
    demo) run ./dev demo --for 10 ;;
    build) run ./dev build ;;
    interop) run ./dev interop ;;
    ci) run .ci/run ;;
    *) echo "fresh_root_test: no step \"$step\"" >&2; exit 2 ;;
    esac
done
say "PASSED in a fresh $suite: $steps"
