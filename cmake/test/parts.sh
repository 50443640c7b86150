#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program gets of our archives only what it uses:
#
#   parts.sh WORK LIST ARCHIVE...
#
# A line of LIST is a function, and a pattern for the members that it may bring
# when all the archives are offered: http/date is date.c in libsill-http.a. CC is
# the compiler, WORK a folder to use.
set -eu

work=$1
list=$2
shift 2
mkdir -p "$work"

# Links what the function (first argument) needs, and prints the members.
members() {
    function=$1
    shift
    "$CC" -r -nostdlib "-Wl,-u,$function" -Wl,-t,-t "$@" \
        -o "$work/$function.o" |
        sed -nE 's,.*lib(sill-)?([a-z]+)\.a\)([a-z_0-9]+)\.[cS]\.o$,\2/\3,p'
}

grep -v '^#' "$list" | while read -r function pattern; do
    came=$(members "$function" "$@")
    echo "$function:" "$came"
    [ -n "$came" ]
    if echo "$came" | grep -vE "^($pattern)\$" >"$work/surplus"; then
        echo "$function brings too much:" >&2
        cat "$work/surplus" >&2
        exit 1
    fi
done
