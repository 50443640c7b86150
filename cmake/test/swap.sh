#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Proves from the linker's own maps that one program was linked with each
# backend from the very same bytes:
#
#   swap.sh BUILD FOLDER PROGRAM BACKEND...
#
# BUILD/maps/PROGRAM-BACKEND.map says which files went in; of those that we
# built, all but the backend's library must be the same files with the same
# hashes for every backend, the program's object and libsill among them. The
# linker ran in BUILD or, under make, in BUILD/FOLDER.
set -eu

build=$1
folder=$2
program=$3
shift 3

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Prints the hash and the path of each of our files in a map.
hashes() {
    awk '$1 == "LOAD" { print $2 }' "$1" | sort -u | while read -r file; do
        case $file in
        "$build"/*) sha256sum "$file" ;;
        /* | linker) ;;
        *) (cd "$build/$folder" && sha256sum "$file" 2>/dev/null) ||
            (cd "$build" && sha256sum "$file") ;;
        esac
    done | sed 's,  .*/,  ,' | sort -k 2
}

first=
for backend; do
    map=$build/maps/$program-$backend.map
    all=$(hashes "$map")
    own="  libsill-$backend\."
    echo "$all" | grep -q "$own" ||
        fail "$map: no library of the backend"
    same=$(echo "$all" | grep -v "$own")
    for needed in '\.o$' '  libsill\.'; do
        echo "$same" | grep -q "$needed" || fail "$map: no $needed"
    done
    [ "${first:=$same}" = "$same" ] ||
        fail "$same" "-- with $backend, differs from --" "$first"
done
echo "$first"
