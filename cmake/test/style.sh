#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How every file of the tree looks:
#
#   style.sh SOURCE CLANG-FORMAT SHELLCHECK
set -u

cd "$1" || exit 1
format=$2
shellcheck=$3
wrong=$(mktemp) # a variable would be lost with the subshell of a pipeline
trap 'rm -f "$wrong"' EXIT

all() {
    find . \( -name build -o -name .git \) -prune -o -type f "$@" -print | sort
}

complain() {
    printf '%s\n' "$*" | tee -a "$wrong" >&2
}

# Standard input, if any, is wrong because of (first argument).
refuse() {
    lines=$(cat)
    [ -z "$lines" ] || complain "$1:
$lines"
}

sources=$(all -name '*.[ch]')
[ -n "$sources" ] || complain "no sources in $1"

# shellcheck disable=SC2086
"$format" --dry-run --Werror $sources || complain "clang-format is not done"

scripts=$(all \( -name '*.sh' -o -path './sill' -o -path './.ci/run' \
    -o -path './bench/run' \))
# shellcheck disable=SC2086
"$shellcheck" $scripts || complain "shellcheck complains"

for file in $sources $(all -name '*.S'); do
    head -n 1 "$file" | grep -qx '/\* SPDX-License-Identifier: MIT \*/' ||
        complain "$file: no licence line"
    sed -n 2p "$file" | grep -q '^/\*' ||
        complain "$file: does not say why it exists"
done

for file in $(all -name CMakeLists.txt) $(all -name '*.cmake') $scripts; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        complain "$file: no licence line"
done

# shellcheck disable=SC2086
grep -nE '(^|[^:])//' $sources | grep -vE '"[^"]*//|^[^:]*:[0-9]+: ?\*|/\*.*//' |
    refuse "comments are /* */"

# shellcheck disable=SC2086
grep -nwE 'TODO|FIXME|XXX' $sources | refuse "unfinished"

all \( -name '*.[chS]' -o -name '*.md' -o -name '*.cmake' -o -name '*.sh' \
    -o -name CMakeLists.txt -o -name '*.json' \) |
    xargs grep -nE "[[:space:]]\$|$(printf '\t')" | refuse "blanks at the end, or tabs"

[ ! -s "$wrong" ]
