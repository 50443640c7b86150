#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The programs in a Markdown file compile as they stand:
#
#   readme.sh FILE PREFIX WORK
#
# PREFIX is where sill was installed, CC the compiler. What needs a backend that
# was not installed is left out.
set -eu

file=$1
include=$2/include
work=$3

rm -rf "$work"
mkdir -p "$work"
awk -v work="$work" '
    /^```c$/ { out = sprintf("%s/%d.c", work, ++n); next }
    /^```/ { out = "" }
    out { print > out }' "$file"

for block in "$work"/*.c; do
    sed -n 's/^#include <\(sill\/[a-z]*\.h\)>$/\1/p' "$block" |
        while read -r header; do
            [ -e "$include/$header" ] || exit 1
        done || {
        echo "left out: $block"
        continue
    }
    "$CC" -std=c11 -D_GNU_SOURCE -I"$include" -Wall -Wextra -Werror \
        -fsyntax-only "$block"
done
