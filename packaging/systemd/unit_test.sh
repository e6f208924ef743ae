#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks that systemd takes the unit without a complaint and finds it well confined.
# Usage: unit_test.sh SYSTEMD_ANALYZE UNIT
set -euo pipefail
analyze=$1
unit=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Not installed yet: neither the program nor its manual page is where the unit says.
sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e '/^Documentation=/d' "$unit" >"$work/dunlind.service"
complaints=$("$analyze" verify "$work/dunlind.service" 2>&1 | grep -F dunlind.service || true)
if [ -n "$complaints" ]; then
    printf '%s\n' "$complaints"
    exit 1
fi
# Exposure from 0 (none) to 100; a service without any confinement has more than 90.
"$analyze" security --offline=yes --threshold=20 --no-pager "$work/dunlind.service" >"$work/report" || {
    tail -n 3 "$work/report"
    exit 1
}
tail -n 1 "$work/report"
