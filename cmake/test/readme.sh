#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The programs in a Markdown file compile as they stand:
#
#   readme.sh FILE PREFIX WORK
#
# PREFIX is where sill was installed, CC the compiler.
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
    "$CC" -std=c11 -D_GNU_SOURCE -I"$include" -Wall -Wextra -Werror \
        -fsyntax-only "$block"
done
