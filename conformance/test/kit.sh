#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the kit reports about cases whose outcomes are known:
#
#   kit.sh WHAT PROGRAM WORK
#   kit.sh rules PROGRAM WORK RULES
#
# PROGRAM is made of outcomes.c, or for "rules" of all cases: each rule of the
# file RULES whose subject exists has one, and each case has a rule. WORK is a
# folder to use, emptied first. What can read JSON and XML is used if it is
# there.
set -eu

what=$1
program=$2
work=$3

rm -rf "$work"
mkdir -p "$work"
cd "$work"

# Runs the program, which must exit with (first argument); sets what it (said).
run() {
    expected=$1
    shift
    status=0
    "$program" --timeout-scale 0.04 "$@" >said 2>errors || status=$?
    [ $status -eq "$expected" ] || {
        cat said errors >&2
        echo "exit status $status, not $expected, of: $*" >&2
        exit 1
    }
}

# Each argument is an expression that a line must match.
says() {
    for line; do
        grep -Eq -- "$line" said || {
            cat said >&2
            echo "does not say: $line" >&2
            exit 1
        }
    done
}

never_says() {
    if grep -Eq -- "$1" said; then
        cat said >&2
        echo "says: $1" >&2
        exit 1
    fi
}

read_json() {
    if command -v python3 >/dev/null; then
        python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1"
    elif command -v node >/dev/null; then
        node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$1"
    else
        awk '{ n += gsub(/[{[]/, "") - gsub(/[]}]/, "") } END { exit n != 0 }' "$1"
    fi
}

read_xml() {
    if command -v python3 >/dev/null; then
        python3 -c 'import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])' "$1"
    elif command -v xmllint >/dev/null; then
        xmllint --noout "$1"
    else
        awk '{ n += gsub(/<testcase /, "") - gsub(/<\/testcase>|"\/>$/, "") }
            END { exit n > 0 }' "$1"
    fi
}

case $what in
outcomes)
    run 0 A W
    says '^pass A-01\.passes$' '^pass A-02\.passes_outside$' \
        '^5 passed, 0 failed on outcomes$'
    run 1 C
    says '^FAIL C-01\.fails_with_a_note: .*test/outcomes\.c:[0-9]+: .1 \+ 1 == 3. .*left 2, right 3, with a <note>' \
        "^FAIL C-02\..*: the child's own words" \
        '^FAIL C-03\..*: 4 descriptors left, 3 before|descriptors left' \
        '^FAIL C-04\..*: sill_run returned ' \
        '^0 passed, 4 failed on outcomes$'
    run 1 D
    says '^FAIL D-01\.crashes: .*outcomes\.c:[0-9]+: ended by Aborted \(signal 6\)' \
        '^FAIL D-02\..*: ended with exit status 0'
    run 1 Q-01
    says '^HANG Q-01\.hangs: .*: took longer than 1 s' \
        'forgotten .*waits for a trigger'
    run 1 Q-02
    says '^HANG Q-02\.'
    run 0 F S
    says '^skip F-01\..*: needs fd$' '^skip S-01\..*: needs virtual$' \
        '^0 passed, 0 failed on outcomes, 2 skipped$'
    run 0 --guest A-01
    says '^skip A-01\.passes: needs guest$'
    ;;
expectations)
    printf '# known\n\nC-01 sums are hard\nA-04\n' >known
    run 1 --xfail known --disable A-02 --disable D A C-01 D
    says '^xfail C-01\..*: sums are hard: .*outcomes\.c:[0-9]+: ' \
        '^XPASS A-04\.passes_as_well: passed, but was expected to fail' \
        '^disabled A-02\.' '^disabled D-01\.' \
        '^2 passed, 1 failed on outcomes, 3 disabled, 1 failed as expected$'
    printf 'C-01 sums are hard\nQ so are waits\nD and the rest\n' >known
    run 0 --xfail known C-01 Q D
    says '^xfail Q-01\.' '^xfail D-01\.'
    printf 'C-99 no such rule\n' >known
    run 2 --xfail known A
    grep -q 'no such case: C-99' errors
    run 2 --xfail missing A
    ;;
order)
    run 0 A W
    cp said plainly
    run 0 --seed 7 A W
    says '^seed 7$'
    sort said | grep -v ^seed >sorted
    sort plainly | cmp - sorted
    cp said seven
    run 0 --seed 7 A W
    cmp said seven
    seed=8
    while grep -v '^seed' said | cmp -s - plainly; do # one may be as it was
        run 0 --seed $seed A W
        seed=$((seed + 1))
        [ $seed -lt 20 ]
    done
    run 0 --shuffle A W
    seed=$(sed -n 's/^seed //p' said)
    cp said first
    run 0 --seed "$seed" A W
    cmp said first
    KIT_COUNTER=$work/counter
    export KIT_COUNTER
    run 1 --repeat 5 --seed 40 X-01
    says '^FAIL X-01\..*, in run 3, with --seed 42$'
    [ "$(wc -c <counter)" -eq 3 ]
    run 0 --repeat 5 A-01
    ;;
shuffle)
    KIT_ORDER=$work/order
    export KIT_ORDER

    # Runs with (arguments), and keeps the orders that were told in (name).
    orders() {
        name=$1
        shift
        rm -f order
        run 0 "$@"
        mv order "$name"
    }

    orders plain R-03 R-04
    [ "$(sort -u plain)" = abcde ]
    run 0 R-01 R-02
    # The same seed, the same order, in any company; others, others.
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        for rule in R-03 R-04 R-05; do
            orders "one-$rule-$seed" --shuffle --seed $seed $rule
            orders again --shuffle --seed $seed A $rule W
            cmp again "one-$rule-$seed"
        done
    done
    [ "$(sort -u one-R-03-* | wc -l)" -gt 5 ]
    [ "$(sort -u one-R-04-* | wc -l)" -gt 5 ]
    [ "$(sort -u one-R-05-* | wc -l)" -eq 1 ]
    [ "$(cat one-R-03-*)" != "$(cat one-R-04-*)" ]
    # A seed alone orders the cases, not the tasks.
    orders again --seed 3 R-03
    [ "$(cat again)" = abcde ]
    # What depends on an order by chance is caught, and caught again; what says
    # so is left out.
    run 1 --shuffle --seed 1 --repeat 50 R-01
    says '^FAIL R-01\..*, with --seed [0-9]+$'
    seed=$(sed -n 's/^FAIL .*, with --seed //p' said)
    for _ in 1 2 3; do
        run 1 --shuffle --seed "$seed" R-01
        says "^seed $seed\$" '^FAIL R-01\.'
    done
    run 0 --shuffle R-02
    says '^skip R-02\..*: needs tasks in order$'
    # A seed that was drawn is told.
    orders first --shuffle R-03
    seed=$(sed -n 's/^seed //p' said)
    orders again --shuffle --seed "$seed" R-03
    cmp first again
    ;;
options)
    run 0 --list
    says '^A-01\.passes$' '^X-01\.fails_in_its_third_run$'
    run 0 --help
    says '--xfail FILE'
    run 0 --rule A-01 --group W
    says '^2 passed, 0 failed'
    run 0 A-01.passes
    says '^1 passed, 0 failed'
    run 0 --no-fork A-01
    says '^1 passed, 0 failed'
    for wrong in 'B-99' 'A-01.nothing' '--seed x' '--repeat 0' '--nonsense' \
        '--timeout-scale much' '--disable B' '--guest A-02'; do
        # shellcheck disable=SC2086
        run 2 $wrong
        never_says passed
    done
    ;;
reports)
    printf 'C-01 sums are hard\nA-04\n' >known
    export KIT_COUNTER="$work/counter"
    run 1 --xfail known --disable A-02 --report r.tsv --report r.json \
        --report r.xml --report r.tap --report r.html --report txt:matrix
    read_json r.json
    read_xml r.xml
    for outcome in pass fail crash hang skip disabled xfail xpass; do
        grep -q "\"outcome\": \"$outcome\"" r.json
        cut -f 3 r.tsv | grep -qx $outcome
    done
    cases=$("$program" --list | wc -l)
    [ "$(wc -l <r.tsv)" -eq "$cases" ]
    [ "$(grep -c '^\(not \)\{0,1\}ok ' r.tap)" -eq "$cases" ]
    grep -q "^1\.\.$cases\$" r.tap
    grep -q '^not ok .* # TODO sums are hard$' r.tap
    grep -q '^ok .* # SKIP needs fd$' r.tap
    [ "$(grep -vcE '^((not )?ok |1\.\.|#|TAP version 13$)' r.tap)" -eq 0 ]
    grep -q '<skipped type="skip" message="needs fd"/>' r.xml
    grep -q "tests=\"$cases\"" r.xml
    grep -q 'forgotten' r.xml
    grep -q '^C-01  *xfail 1' matrix
    # The page has all of it, in one file that asks for nothing else.
    awk 'sub(/.*id="report">/, "") { on = 1 } on { print } /^\]}/ { on = 0 }' \
        r.html >page.json
    cmp page.json r.json
    if grep -nE '(src|href)="?https?:' r.html; then
        exit 1
    fi
    # What was merged is what it was.
    mkdir parts
    "$program" --merge --report parts/a.tsv r.tsv
    cmp r.tsv parts/a.tsv
    "$program" --merge --report merged.json --report merged.xml parts
    cmp r.json merged.json
    cmp r.xml merged.xml
    echo nonsense >nonsense.tsv
    if "$program" --merge --report x.json nonsense.tsv 2>errors; then
        exit 1
    fi
    grep -q 'not a .tsv report' errors
    ;;
rules)
    "$program" --list | cut -d . -f 1 | sort -u >have
    grep -E '^[A-Z]-[0-9]+' "$4" | cut -f 1 | sort >known
    grep -E '^[A-Z]-[0-9]+' "$4" | awk '$2 != "later" { print $1 }' |
        sort >needed
    [ -s needed ]
    comm -13 have needed >without_a_case
    comm -23 have known >without_a_rule
    for list in without_a_case without_a_rule; do
        [ ! -s $list ] || {
            echo "$list:" >&2
            cat $list >&2
            exit 1
        }
    done
    ;;
esac
