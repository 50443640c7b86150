#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Draws the matrix rule x backend from the reports of conformance programs:
#
#   matrix.sh FOLDER BACKEND...
#
# FOLDER/conformance-BACKEND.tsv is what --report wrote; FOLDER/conformance.json
# and FOLDER/conformance.xml (JUnit) receive the same in their forms. Exits with
# 1 when a case failed, or when a rule whose subject exists has no case.
set -eu

rules=$(dirname "$0")/rules.txt
folder=$1
shift
backends=$*
tab=$(printf "\t")

reports() {
    for backend in $backends; do
        sed "s/^/$backend$tab/" "$folder/conformance-$backend.tsv"
    done
}

red='' plain=''
if [ -t 1 ]; then
    red=$(printf '\033[31m') plain=$(printf '\033[0m')
fi

reports | awk -F '\t' -v rules="$rules" -v backends="$backends" \
    -v red="$red" -v plain="$plain" -v json="$folder/conformance.json" \
    -v xml="$folder/conformance.xml" '
function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/"/, "\\&quot;", text)
    return text
}

{
    backend[NR] = $1
    rule[NR] = $2
    name[NR] = $3
    word[NR] = $4
    ms[NR] = $5
    cases[$1, $2]++
    all[$1]++
    if ($2 ~ /^H-/)
        hosted[$1] = 1
    if ($4 == "pass") {
        good[$1, $2]++
        fine[$1]++
    }
}

END {
    count = split(backends, column, " ")
    wrong = 0

    printf "rule"
    for (b = 1; b <= count; b++)
        printf "  %-8s", column[b]
    print ""
    printf "{\n\"rules\": [" > json
    comma = ""
    while ((getline line < rules) > 0) {
        if (line !~ /^[A-Z]-[0-9]+\t/)
            continue
        split(line, field, "\t")
        id = field[1]
        printf "%s", id
        printf "%s\n{\"rule\": %s, \"says\": %s, \"when\": %s", comma,
            quoted(id), quoted(field[3]), quoted(field[2]) > json
        comma = ","
        for (b = 1; b <= count; b++) {
            n = cases[column[b], id] + 0
            p = good[column[b], id] + 0
            printf ", %s: {\"cases\": %d, \"passed\": %d}",
                quoted(column[b]), n, p > json
            if (n == 0 && field[2] == "later")
                printf "  %-8s", "later"
            else if (field[2] == "guest" && !(column[b] in hosted))
                printf "  %-8s", "no host"
            else if (n > 0 && p == n)
                printf "  %-8s", "ok " n
            else {
                printf "  %s%-8s%s", red, n ? "FAIL " n - p : "no case", plain
                wrong = 1
            }
        }
        printf "}" > json
        rest = 80 - 5 - 10 * count - 1
        says = field[3]
        if (length(says) > rest)
            says = substr(says, 1, rest - 3) "..."
        print " " says
    }
    printf "\n],\n\"cases\": [" > json
    comma = ""
    for (i = 1; i <= NR; i++) {
        printf "%s\n{\"backend\": %s, \"rule\": %s, \"case\": %s, " \
            "\"result\": %s, \"ms\": %d}", comma, quoted(backend[i]),
            quoted(rule[i]), quoted(name[i]), quoted(word[i]), ms[i] > json
        comma = ","
    }
    print "\n]\n}" > json

    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>" > xml
    for (b = 1; b <= count; b++) {
        c = column[b]
        printf "<testsuite name=\"conformance.%s\" tests=\"%d\" " \
            "failures=\"%d\">\n", escaped(c), all[c], all[c] - fine[c] > xml
        for (i = 1; i <= NR; i++) {
            if (backend[i] != c)
                continue
            printf "<testcase classname=\"%s.%s\" name=\"%s\" time=\"%.3f\"",
                escaped(c), escaped(rule[i]), escaped(name[i]),
                ms[i] / 1000 > xml
            if (word[i] == "pass")
                print "/>" > xml
            else
                printf "><failure message=\"%s\"/></testcase>\n",
                    escaped(word[i]) > xml
        }
        print "</testsuite>" > xml
        printf "%s%s: %d of %d cases passed\n", b == 1 ? "\n" : "", c,
            fine[c], all[c]
        if (all[c] == 0 || fine[c] != all[c])
            wrong = 1
    }
    print "</testsuites>" > xml
    for (i = 1; i <= NR; i++)
        if (word[i] != "pass")
            printf "%s%s %s.%s on %s%s\n", red, word[i], rule[i], name[i],
                backend[i], plain
    exit wrong
}'
