#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The same figures make the same pictures, of text, and none is large:
#
#   draw.sh PYTHON SOURCE FOLDER
set -eu

command -v gnuplot >/dev/null || {
    echo "skipped: no gnuplot (Debian: gnuplot-nox)"
    exit 77
}
python=$1
source=$2
work=$3

rm -rf "$work"
for time in first second; do
    mkdir -p "$work/$time"
    "$python" "$source/bench/page.py" draw "$source/docs/performance" \
        "$work/$time"
done
diff -r "$work/first" "$work/second"
for picture in "$work"/first/*.svg; do
    grep -q '<text' "$picture" || {
        echo "no text: $picture" >&2
        exit 1
    }
    [ "$(wc -c <"$picture")" -lt 30000 ] || {
        echo "large: $picture" >&2
        exit 1
    }
done
