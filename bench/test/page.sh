#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The page says what the figures say, and the check would notice otherwise:
#
#   page.sh PYTHON SOURCE FOLDER
set -u

python=$1
source=$2
work=$3
docs=$source/docs

check() {
    "$python" "$source/bench/page.py" check "$work/performance.md" \
        "$work/performance" 2>"$work/said"
}

# Puts a copy of what is kept into the folder.
copy() {
    rm -rf "$work"
    mkdir -p "$work"
    cp -r "$docs/performance.md" "$docs/performance" "$work"
}

# refuse WHAT: the check fails for what was done to the copy.
refuse() {
    if check; then
        echo "not noticed: $1" >&2
        exit 1
    fi
    copy
}

copy
check || {
    cat "$work/said" >&2
    echo "the page and its figures differ: ./sill page" >&2
    exit 1
}

# One digit of the first ratio.
sed -i '0,/0\.\([0-9]\)[0-9][0-9] (/s//9.\100 (/' "$work/performance.md"
refuse "another number in the page"

sed -i '/^| processor |/d' "$work/performance.md"
refuse "a line less in the page"

sed -i 's/"median": [0-9]/"median": 77/' "$work/performance/figures.json"
refuse "other figures"

sed -i 's/figures.json [0-9a-f]*/figures.json 0/' "$work/performance/ratio.svg"
refuse "a picture of other figures"

rm "$work/performance/growth.svg"
refuse "a picture that is missing"

sed -i 's/^<!-- losses -->/<!-- nothing -->/' "$work/performance.md"
refuse "a page that does not say where sill loses"
