#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kv-python.sh KV [PART]: runs kv.py, or kv-PART.py, by the Python for which
# Debian has modules.
set -u

python=/usr/bin/python3
[ -x $python ] || {
    echo "skipped: no $python (Debian: python3-redis)"
    exit 77
}
exec $python "${0%-python.sh}${2:+-$2}.py" "$1"
