#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every source of the tree at (first argument) is on the list of those that are
# compiled (second argument), but for other machines and for other projects.
set -eu

cd "$1"
orphans=$(find api backends protocols conformance examples bench cmake \
    -name '*.[cS]' | sort | grep -vxFf "$2" |
    grep -vE '/common/context_|^cmake/test/(consumer|matrix)/|^examples/backend-' || :)
if [ -n "$orphans" ]; then
    printf 'not compiled:\n%s\n' "$orphans" >&2
    exit 1
fi
