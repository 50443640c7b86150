#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each public header compiles on its own, without a feature macro:
#
#   headers.sh c|c++ PREFIX
#
# PREFIX is where sill was installed; CC or CXX the compiler.
set -eu

language=$1
include=$2/include
case $language in
c) compiler="$CC -std=c11 -Wstrict-prototypes -Wshadow" ;;
c++) compiler="$CXX -std=c++17" ;;
esac

cd "$include"
count=0
for header in sill/*.h sill_*.h sill-spi/*.h; do
    # Twice: the guard holds.
    printf '#include "%s"\n#include "%s"\nint some;\n' "$header" "$header" |
        $compiler -x "$language" -fsyntax-only -I. -Wall -Wextra -Wpedantic \
            -Wconversion -Werror -
    count=$((count + 1))
done
[ $count -gt 15 ]
echo "$count headers"
