#!/bin/sh
# SPDX-License-Identifier: MIT
#
# planted.sh PROGRAM: each planted bug is found, and the line that says so does
# it again.
set -eu

program=$1
out=$(mktemp)
again=$(mktemp)
trap 'rm -f "$out" "$again"' EXIT

die() {
    echo "$*" >&2
    cat "$out" "$again" >&2
    exit 1
}

# status COMMAND...: its status, whatever that is.
status() {
    if "$@" >"$again" 2>&1; then echo 0; else echo $?; fi
}

"$program" --seeds 100 holds scarce >"$out" 2>&1 || die "a good one failed"
grep -q '^holds  *100 seeds, 0 bad, .*: [0-9]* answered, [1-9][0-9]* failed, 0 wrong$' \
    "$out" || die "no summary"
grep -q 'with [1-9][0-9]* allocation$' "$out" || die "no faults"

# Who ignores the end of children hears of it all the same.
env --ignore-signal=CHLD "$program" --seeds 100 --limit 5 holds >"$out" 2>&1 ||
    die "bad under an ignored signal"

# find_it SCENARIO PATTERN [SEEDS [LIMIT]]: some seeds, each with one line.
find_it() {
    if "$program" --seeds "${3:-40}" --limit "${4:-60}" "$1" >"$out" 2>&1; then
        die "$1 was not found"
    elif [ $? -ne 1 ]; then
        die "$1: not the status for that"
    fi
    bad=$(sed -n "s/^$1  *[0-9]* seeds, \([0-9]*\) bad, .*/\1/p" "$out")
    lines=$(grep -c "^$program --trace --seed [0-9]* $1 # .*$2" "$out" || :)
    if [ "$bad" = 0 ] || [ "$bad" != "$lines" ]; then
        die "$1: $lines lines, $bad bad"
    fi
    line=$(grep "^$program --trace --seed " "$out" | head -n 1)
}

# These end by themselves, and with the hash that was told.
for bug in 'lies two and two is 5' 'miscounts 1 asked, 0 answered' \
    'fails it returned' 'waits it returned' 'leaks 1 blocks' \
    'leaves-open left open' 'leaks-descriptor a descriptor leaked'; do
    find_it "${bug%% *}" "${bug#* }"
    [ "$(status sh -c "$line")" = 1 ] || die "not the same: $line"
    hash=${line#*# }
    grep -q "^${bug%% *} [0-9]*: $hash\$" "$again" || die "not the hash: $line"
done

# And these do not.
find_it dies 'it died of signal 6'
[ "$(status sh -c "$line")" -gt 128 ] || die "not the same: $line"
find_it leaves 'it exited with 3'
[ "$(status sh -c "$line")" = 3 ] || die "not the same: $line"
find_it quits 'it exited with 0'
find_it skips 'it exited with 77'
find_it spins 'it took more than 5 s' 8 5
[ "$(status sh -c "$program --limit 5 ${line#* }")" -gt 128 ] ||
    die "not the same: $line"

for nonsense in --seeds '--seeds x' '--seeds 0' \
    '--seeds 99999999999999999999' '--jobs 0' --nothing nothing; do
    # shellcheck disable=SC2086
    [ "$(status "$program" $nonsense)" = 2 ] || die "no refusal of $nonsense"
done
[ "$("$program" --list | head -n 1)" = holds ] || die "no list"
