#!/bin/sh
# SPDX-License-Identifier: MIT
#
# repeat.sh PROGRAM ARGUMENT...: says the same each time, in processes of which
# each has its memory elsewhere.
set -eu

first=$("$@")
for _ in 1 2 3; do
    [ "$("$@")" = "$first" ]
done
[ "$(echo "$first" | wc -l)" -gt 1 ]
