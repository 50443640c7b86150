#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh PROGRAM [ARGUMENT...]: the host's own timer ticked, each fetch was
# answered and told of, and after the drain the host's loop ended.
set -eu

out=$("$@")
expected='drained
fetched: hello
fetched: hello
fetched: hello
tick 1
tick 2
tick 3'
if [ "$(echo "$out" | LC_ALL=C sort)" != "$expected" ] ||
    [ "$(echo "$out" | tail -n 1)" != drained ]; then
    printf 'not what was expected:\n%s\n' "$out" >&2
    exit 1
fi
