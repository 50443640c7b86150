#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The project in a Markdown file builds and passes its own tests, or is one of
# the examples, which a test of its own builds:
#
#   guide.sh FILE PREFIX WORK EXAMPLES
#
# Its files are the blocks whose fence names one, such as "```c folder/file.c".
# PREFIX is where sill was installed, CC the compiler. With EXAMPLES/folder the
# blocks must be what is there, all of it. A block such as "```c from FILE" must
# be lines of FILE, below the folder of EXAMPLES, as they are.
set -eu

file=$1
prefix=$2
work=$3
examples=$4

rm -rf "$work"
mkdir -p "$work"
awk '/^```[a-z]+ [a-z_-]+\// { print $2 }' "$file" | while read -r name; do
    mkdir -p "$work/$(dirname "$name")"
done
awk -v work="$work" '
    /^```[a-z]+ [a-z_-]+\// { out = work "/" $2; next }
    /^```/ { out = "" }
    out { print > out }' "$file"

awk -v root="$examples/.." '
    function is_quoted(whole, line, name) {
        name = root "/" file
        while ((getline line < name) > 0)
            whole = whole "\n" line
        close(name)
        return index(whole "\n", "\n" text)
    }
    /^```[a-z]+ from / { file = $3; text = ""; next }
    /^```/ && file != "" {
        if (text == "" || !is_quoted()) {
            printf "%d: not in %s:\n%s", NR, file, text
            wrong = 1
        }
        file = ""
    }
    file != "" { text = text $0 "\n" }
    END { exit wrong }' "$file" >&2

for project in "$work"/*/CMakeLists.txt; do
    source=$(dirname "$project")
    build=$source/build
    example=$examples/$(basename "$source")
    if [ -d "$example" ]; then
        diff -r "$example" "$source"
        continue
    fi
    {
        cmake -S "$source" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" &&
            cmake --build "$build" &&
            ctest --test-dir "$build" --output-on-failure --no-tests=error
    } >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
done
