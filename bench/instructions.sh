#!/bin/sh
# SPDX-License-Identifier: MIT
#
# instructions.sh [--write] TABLE PROGRAM...: how many instructions of its own
# each primitive takes, by Callgrind, against what TABLE says of it.
#
# Each PROGRAM ends in -BACKEND. What libc and the loops of others do is not
# counted. A figure more than 5 % off, up or down, fails: the table is a fact
# about the code, and changes with it. Another compiler counts otherwise, and is
# not compared. --write puts into TABLE what is.
set -eu
export LC_ALL=C

skip() {
    echo "skipped: $*"
    exit 77
}

write=false
if [ "$1" = --write ]; then
    write=true
    shift
fi
table=$1
shift

tab=$(printf '\t')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints "PRIMITIVE INSTRUCTIONS", each a line, of one program.
count() {
    rm -f "$work"/part.*
    valgrind --tool=callgrind --compress-strings=no --compress-pos=no \
        --callgrind-out-file="$work/part" "$1" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2 && exit 1; }
    awk -v program="$(realpath "$1")" '
        FNR == 1 { name = "" }
        /^desc: Trigger: Client Request: / { name = $5; count = $6 }
        /^ob=/ { ours = substr($0, 4) == program }
        /^calls=/ { getline; next } # what it called is counted there
        /^[0-9]/ && ours && name { sum[name, count] += $2 }
        name && (!(name in least) || count < least[name]) { least[name] = count }
        END {
            for (name in least) { # least, and twice as much
                n = least[name]
                printf "%s %.1f\n", name, (sum[name, 2 * n] - sum[name, n]) / n
            }
        }
    ' "$work"/part.*
}

# The primitives in the order in which they ran, with a column for each program.
measure() {
    echo "# instructions of sill for each primitive, $compiler"
    header=primitive
    for program in "$@"; do
        header="$header$tab${program##*-}"
        count "$program" >"$work/${program##*-}"
    done
    echo "$header"
    "$1" --list | while read -r name; do
        line=$name
        for program in "$@"; do
            line="$line$tab$(awk -v name="$name" '$1 == name { print $2 }' \
                "$work/${program##*-}")"
        done
        echo "$line"
    done
}

# Prints where two tables differ, for the backends that the second one has.
differences() {
    awk -F '\t' '
        /^#/ { next }
        $1 == "primitive" {
            for (i = 2; i <= NF; i++)
                backend[i] = $i
            columns = NF
            next
        }
        NR == FNR {
            for (i = 2; i <= NF; i++)
                old[$1, backend[i]] = $i
            known[$1] = 1
            next
        }
        {
            delete known[$1]
            for (i = 2; i <= columns; i++) {
                before = old[$1, backend[i]]
                if (before == "" || $i > 1.05 * before || $i < before / 1.05)
                    printf "%s on %s: %s instructions, %s in the table\n",
                        $1, backend[i], $i, before == "" ? "none" : before
            }
        }
        END { for (name in known) print name ": in the table, but not counted" }
    ' "$1" "$2"
}

command -v valgrind >/dev/null || skip "no valgrind"
compiler=$("$1" --compiler)
if ! $write && ! head -n 1 "$table" | grep -qF ", $compiler"; then
    skip "the table is not for $compiler"
fi
measure "$@" >"$work/table"
if $write; then
    cp "$work/table" "$table"
    cat "$table"
    exit
fi
differences "$table" "$work/table" >"$work/differences"
if [ -s "$work/differences" ]; then
    cat "$work/differences"
    echo "if that is meant: ./sill bench instructions --write"
    exit 1
fi
