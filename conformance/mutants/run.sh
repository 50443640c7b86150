#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Breaks sill on purpose, one fault at a time, and asks the suite to notice:
#
#   run.sh [--list] [--quick] [--part K/N] BUILD [NAME...]
#
# BUILD is a folder that CMake has built with Ninja and with the suite. A mutant
# is this tree with one deliberate fault, of the kind that somebody who writes a
# scheduler could make; it dies when a case fails. One that lives shows that a
# promise has no case: write that case.
#
# The mutants are in the *.txt beside this script, by subject, a paragraph each:
#
#   mutant  its name
#   fault   what is wrong
#   file    where, from the top of the tree; a header stands for its folder
#   on      the backend that it runs on; with --guest, in somebody's loop
#   run     the cases and rules that should notice, the likeliest first
#   -line to take out
#   +line to put in
#    line that stays (one blank before it)
#
# The lines that stay and those to take out must occur in the file, one after
# the other, exactly once; otherwise the mutant is stale, and has to be written
# anew. A line of three dots begins another place in the same file.
#
# For each mutant one object is compiled and one program linked, in a folder of
# its own; the rules that it names run first, the whole suite only if they
# notice nothing (and not with --quick), and at last the suite in somebody's
# loop. Before that the same rules run without any fault, or a failure would
# mean nothing.
#
# Exits with 0 when every chosen mutant died and, if all were chosen, when they
# are 120 at least and every rule of rules.txt whose subject exists has one that
# it noticed first.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
top=${here%/conformance/mutants}
at_least=120
workers=2
tab=$(printf '\t')

list=false
quick=false
part=1/1
while [ $# -gt 0 ]; do
    case $1 in
    --list) list=true ;;
    --quick) quick=true ;;
    --part)
        part=${2:-}
        shift
        ;;
    *) break ;;
    esac
    shift
done
case $part in
[1-9]*/[1-9]*) ;;
*)
    echo "mutants: --part K/N" >&2
    exit 2
    ;;
esac
if [ $# -eq 0 ]; then
    sed -n '5s/^# *//p' "$0" >&2
    exit 2
fi
build=$(cd "$1" && pwd) || exit 2
shift

red='' green='' plain=''
if [ -t 1 ]; then
    red=$(printf '\033[31m') green=$(printf '\033[32m')
    plain=$(printf '\033[0m')
fi

die() {
    printf 'mutants: %s\n' "$*" >&2
    exit 1
}

work=$(mktemp -d) || exit 1
pids=
# shellcheck disable=SC2317
clean_up() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work/hunks" "$work/claims" "$work/results"

# ---- the mutants ----

# Prints a line for each: name, fault, file, backend, rules, with tabs between;
# the lines to change go to (work)/hunks/NAME.
read_mutants() {
    awk -v hunks="$work/hunks" '
    function complain(what) {
        printf "%s:%d: %s\n", FILENAME, FNR, what >"/dev/stderr"
        wrong = 1
    }

    function finish() {
        if (!open)
            return
        open = 0
        if (!(fault && file && on && run && hunk))
            complain(name " is not complete")
        if (name in seen)
            complain(name " is there twice")
        seen[name] = 1
        printf "%s\t%s\t%s\t%s\t%s\n", name, fault, file, on, run
        printf "%s", hunk >(hunks "/" name)
        close(hunks "/" name)
    }

    function rest() {
        sub(/^[a-z]+ +/, "")
        return $0
    }

    /^#/ { next }
    /^$/ { finish(); next }
    /^mutant / {
        finish()
        open = 1
        fault = file = on = run = hunk = ""
        name = rest()
        next
    }
    /^fault / { fault = rest(); next }
    /^file / { file = rest(); next }
    /^on / { on = rest(); next }
    /^run / { run = rest(); next }
    /^[-+ ]/ || /^\.\.\.$/ { hunk = hunk $0 "\n"; next }
    { complain("not a line of a mutant") }
    END { finish(); exit wrong }' "$here"/*.txt
}

# Prints SOURCE with the hunks of NAME applied: apply NAME SOURCE
apply() {
    awk -v name="$1" '
    FNR == NR {
        if ($0 == "...") {
            hunk++
            next
        }
        sign = substr($0, 1, 1)
        text = substr($0, 2)
        if (sign != "+")
            old[hunk + 0, ++olds[hunk + 0]] = text
        if (sign != "-")
            new[hunk + 0, ++news[hunk + 0]] = text
        next
    }

    { line[++count] = $0 }

    function fits(h, at,    i) {
        for (i = 1; i <= olds[h]; i++)
            if (line[at + i - 1] != old[h, i])
                return 0
        return 1
    }

    END {
        for (h = 0; h <= hunk; h++) {
            places = 0
            for (i = 1; i <= count; i++)
                if (olds[h] && fits(h, i)) {
                    places++
                    place[i] = h + 1
                }
            if (places != 1) {
                printf "%s is stale: place %d of it occurs %d times\n", name,
                       h + 1, places >"/dev/stderr"
                exit 1
            }
        }
        for (i = 1; i <= count; i++) {
            if (!(i in place)) {
                print line[i]
                continue
            }
            h = place[i] - 1
            for (j = 1; j <= news[h]; j++)
                print new[h, j]
            i += olds[h] - 1
        }
    }' "$work/hunks/$1" "$2"
}

# Every mutant has to fit, also those that are not run today.
check_stale() {
    stale=0
    while IFS=$tab read -r name fault file on run; do
        apply "$name" "$top/$file" >/dev/null || stale=$((stale + 1))
    done <"$work/all"
    [ $stale -eq 0 ]
}

# choose [NAME...]: those of the part, or those named.
choose() {
    awk -F '\t' -v part="$part" -v names="$*" '
    BEGIN {
        split(part, p, "/")
        count = split(names, list, " ")
        for (i = 1; i <= count; i++)
            wanted[list[i]] = 1
    }
    count ? $1 in wanted : (NR - 1) % p[2] == p[1] % p[2]' "$work/all"
}

# ---- building ----

# commands BACKEND: all that Ninja would run for its program, the link last.
commands() {
    file=$work/commands-$1
    if [ ! -e "$file" ]; then
        ninja -C "$build" -t commands "bin/conformance-$1" >"$file.new" &&
            mv "$file.new" "$file"
    fi
    cat "$file"
}

# The sources that a file stands for: itself, or all beside a header.
sources_of() {
    case $1 in
    *.h) (cd "$top" && ls "${1%/*}"/*.[cS]) ;;
    *) echo "$1" ;;
    esac
}

# compile BACKEND SOURCE COPY OBJECT. What this machine does not compile is
# passed over.
compile() {
    line=$(commands "$1" | grep -F -- " -c $top/$2" | head -n 1)
    [ -n "$line" ] || return 0
    line=$(printf '%s\n' "$line" |
        sed "s, -MD -MT [^ ]* -MF [^ ]*,,; s, -o [^ ]* -c .*, -w -o $4 -c $3,")
    (cd "$build" && eval "$line")
}

# link BACKEND PROGRAM OBJECT...: the objects come before the archives, which
# are then not asked for theirs.
link() {
    backend=$1
    program=$2
    shift 2
    line=$(commands "$backend" | tail -n 1 |
        sed "s, -Wl\,-Map\,[^ ]*,,; s, -o bin/[^ ]*, $* -o $program,")
    (cd "$build" && eval "$line")
}

# make_mutant NAME FILE BACKEND FOLDER: makes FOLDER/program.
make_mutant() {
    mkdir -p "$4/src"
    cp "$top/${2%/*}"/*.h "$4/src/" 2>/dev/null
    apply "$1" "$top/$2" >"$4/mutated" || return 1
    objects=
    for source in $(sources_of "$2"); do
        cp "$top/$source" "$4/src/"
        objects="$objects $4/$(basename "$source").o"
    done
    mv "$4/mutated" "$4/src/${2##*/}"
    for source in $(sources_of "$2"); do
        compile "$3" "$source" "$4/src/${source##*/}" \
            "$4/${source##*/}.o" || return 1
    done
    set -- "$3" "$4/program"
    for object in $objects; do
        [ ! -e "$object" ] || set -- "$@" "$object"
    done
    [ $# -gt 2 ] || return 3
    link "$@"
}

# ---- running ----

# try LIMIT PROGRAM ARGUMENT...: returns 1 and sets (killer) when a case fails.
try() {
    limit=$1
    program=$2
    shift 2
    SILL_CASE_LIMIT=$limit timeout -k 5 900 "$program" "$@" \
        >"$program.out" 2>&1 </dev/null
    case $? in
    0) return 0 ;;
    2) killer="no case: $*" && return 2 ;;
    esac
    killer=$(sed -n 's/^\(FAIL\|HANG\) \([A-Z]-[0-9]*\.[a-z0-9_]*\):.*/\1 \2/p' \
        "$program.out" | head -n 1)
    case $killer in
    'FAIL '*) killer=${killer#* } ;;
    'HANG '*) killer="${killer#* } (hang)" ;;
    *) killer="$1 (the program died)" ;;
    esac
    return 1
}

# judge NAME FILE BACKEND RULES: sets (verdict) and (killer).
judge() {
    killer=
    way=${3#"${3%% *}"}
    make_mutant "$1" "$2" "${3%% *}" "$folder" >"$folder.log" 2>&1
    case $? in
    0) ;;
    3) verdict=skipped && return ;;
    *)
        verdict=broken
        killer=$(head -n 3 "$folder.log" | tr '\n\t' '  ')
        return
        ;;
    esac
    verdict=killed
    for rule in $4; do
        # shellcheck disable=SC2086
        try 8 "$folder/program" $way "$rule"
        case $? in
        1) return ;;
        2) verdict=broken && return ;;
        esac
    done
    if $quick; then
        verdict=SURVIVED
        return
    fi
    try 15 "$folder/program" || return
    if try 15 "$folder/program" --guest; then
        verdict=SURVIVED
    else
        killer="$killer, as a guest"
    fi
}

now() {
    date +%s%N
}

report_progress() {
    [ -t 2 ] || return 0
    set -- "$1" "$work"/claims/*
    printf '\r\033[K%s of %s: %s' $(($# - 1)) "$count" "$1" >&2
}

# Takes one mutant after the other that nobody else has taken.
work_off() {
    while IFS=$tab read -r name fault file on run; do
        mkdir "$work/claims/$name" 2>/dev/null || continue
        report_progress "$name"
        folder=$work/$name
        mkdir "$folder"
        began=$(now)
        judge "$name" "$file" "$on" "$run"
        took=$((($(now) - began) / 100000000))
        printf '%s\t%s\t%s\t%s\t%s\t%d.%d\n' "$name" "$fault" "$on" \
            "$verdict" "$killer" $((took / 10)) $((took % 10)) \
            >"$work/$name.result"
        mv "$work/$name.result" "$work/results/$name"
        rm -rf "$folder"
    done <"$work/chosen"
}

# The backends that are needed, and how their programs are made.
prepare() {
    cut -f 4 "$work/chosen" | cut -d ' ' -f 1 | sort -u >"$work/backends"
    while read -r backend; do
        [ -x "$build/bin/conformance-$backend" ] ||
            die "$build has no program conformance-$backend"
        commands "$backend" | grep -q " -o bin/conformance-$backend " ||
            die "Ninja does not say how bin/conformance-$backend is linked"
    done <"$work/backends"
}

# Without a fault everything passes.
check_control() {
    control=
    while read -r backend; do
        rules=$(awk -F '\t' -v on="$backend" 'index($4, on) == 1 { print $5 }' \
            "$work/chosen" | tr ' ' '\n' | sort -u)
        cp "$build/bin/conformance-$backend" "$work/control-$backend"
        # shellcheck disable=SC2086
        (try 15 "$work/control-$backend" $rules || {
            printf '%s without a fault: %s\n' "$backend" "$killer"
            grep '^FAIL\|^HANG' "$work/control-$backend.out"
        } >"$work/wrong-$backend") &
        control="$control $!"
    done <"$work/backends"
    pids=$control
    for pid in $control; do
        wait "$pid"
    done
    pids=
    cat "$work"/wrong-* 2>/dev/null >"$work/wrong"
    if [ -s "$work/wrong" ]; then
        cat "$work/wrong" >&2
        die "the suite fails as it is"
    fi
}

draw_table() {
    cut -f 1 "$work/chosen" | while read -r name; do
        cat "$work/results/$name"
    done | awk -F '\t' -v red="$red" -v plain="$plain" '
    { row[NR] = $0 }
    length($1) > wide { wide = length($1) }
    length($5) > killers { killers = length($5) }
    END {
        form = "%-" wide "s  %-8s  %-" killers "s  %6s  %s\n"
        printf form, "mutant", "backend", "killed by", "s", "fault"
        for (i = 1; i <= NR; i++) {
            split(row[i], f, "\t")
            if (f[4] != "killed")
                f[5] = red f[4] plain " " f[5]
            printf form, f[1], f[3], f[5], f[6], f[2]
        }
    }'
}

# Prints each rule with a subject that no mutant died of first.
missing_rules() {
    cat "$work"/results/* | awk -F '\t' '
    FNR == NR {
        if ($4 == "killed")
            dead[substr($5, 1, 4)] = 1
        next
    }
    /^#/ { next }
    $2 != "later" && !($1 in dead) { list = list " " $1 }
    END { if (list) print "no mutant died of" list }
    ' - "$top/conformance/rules.txt"
}

cd "$work" || exit 1 # for what a crash leaves
read_mutants >"$work/all" || exit 1
choose "$@" >"$work/chosen"
count=$(wc -l <"$work/chosen")
[ "$count" -gt 0 ] || die "no such mutant"
if $list; then
    awk -F '\t' '{ printf "%s\t%s\t%s\n", $1, $4, $2 }' "$work/chosen"
    exit 0
fi

check_stale || exit 1
prepare
check_control
i=0
while [ $i -lt $workers ]; do
    work_off &
    pids="$pids $!"
    i=$((i + 1))
done
for pid in $pids; do
    wait "$pid"
done
pids=
[ ! -t 2 ] || printf '\r\033[K' >&2

draw_table
cat "$work"/results/* | awk -F '\t' '
    $4 == "skipped" { skipped++; next }
    $4 == "killed" { killed++ }
    { ran++ }
    END {
        printf "%d mutants: %d killed, %d survived", ran, killed, ran - killed
        if (skipped)
            printf ", %d of files not compiled here", skipped
        print ""
        exit ran == 0 || ran != killed
    }'
status=$?
if [ $# -eq 0 ] && [ "$part" = 1/1 ]; then
    [ "$count" -ge $at_least ] || {
        echo "${red}$at_least mutants at least$plain"
        status=1
    }
    missing_rules >"$work/missing"
    if [ -s "$work/missing" ]; then
        cat "$work/missing"
        status=1
    fi
fi
[ $status -ne 0 ] || echo "${green}every mutant died$plain"
[ $status -eq 0 ]
