#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How much of the code the tests run, and what they leave out:
#
#   coverage.sh INFO REASONS
#
# INFO      what lcov has captured, with branches; its paths begin with that of
#           the present folder
# REASONS   why something is not run. A line that begins a paragraph is a
#           reason; the indented ones below are what it is given for: a file, a
#           function, and the text of a line of it, or "*" for all of them:
#           "    api/error.c: find: return false;"
#
# Prints a line for each folder, then the lines that are not run and those with
# a branch that is never taken, as far as no reason is given for them, then the
# reasons that nothing needs any more. Fails when less than 95 of 100 lines or
# 85 of 100 branches are run, or when a line that is not run has no reason.
set -eu

exec awk -v root="$PWD/" -v reasons="$2" '
function trim(text) {
    sub(/^ +/, "", text)
    return text
}

function read_reasons(line) {
    while ((getline line <reasons) > 0) {
        if (line ~ /^ /)
            given[trim(line)] = 0
    }
    close(reasons)
}

function read_source(line) {
    delete source
    lines = 0
    while ((getline line <file) > 0)
        source[++lines] = trim(line)
    close(file)
}

# Whether a reason is given for (key).
function is_given(key) {
    if (!(key in given))
        return 0
    given[key] = 1
    return 1
}

# Whether there is one for what line (number) leaves out.
function is_explained(number, at) {
    for (at = number; at > 0 && !(at in begins); at--)
        continue
    at = file ": " begins[at] ": "
    return is_given(at source[number]) || is_given(at "*")
}

function report(number, what) {
    printf "%s:%d: %s: %s\n", file, number, what, source[number] >later
}

BEGIN {
    later = ARGV[1] ".open"
    printf "" >later
    read_reasons()
}

/^SF:/ {
    file = substr($0, 4 + length(root))
    folder = file
    sub(/\/[^\/]*$/, "", folder)
    sub(/^api\/.*/, "api", folder)
    sub(/^(backends\/[a-z]*)\/sill$/, "backends", folder)
    if (!(folder in all_lines))
        folders[++count] = folder
    read_source()
    delete begins
    delete idle
    delete partly
}

/^FN:/ {
    split(substr($0, 4), field, ",")
    begins[field[1]] = field[2]
}

/^DA:/ {
    split(substr($0, 4), field, ",")
    all_lines[folder]++
    if (field[2] > 0)
        run_lines[folder]++
    else
        idle[field[1]] = 1
}

/^BRDA:/ {
    split(substr($0, 6), field, ",")
    all_branches[folder]++
    if (field[4] > 0)
        run_branches[folder]++
    else
        partly[field[1]]++
}

/^end_of_record/ {
    for (i = 1; i <= lines; i++) {
        explained = (i in idle || i in partly) && is_explained(i)
        if (i in idle && !explained) {
            open_lines[folder]++
            report(i, "not run")
        } else if (i in partly && !explained) {
            open_branches[folder] += partly[i]
            report(i, partly[i] + 0 " never taken")
        }
    }
}

function draw(name, l, all_l, b, all_b, no_l, no_b) {
    printf "%-18s %6d of %6d %5.1f %%   %6d of %6d %5.1f %%   %5d %8d\n", name,
        l, all_l, 100 * l / all_l, b, all_b, all_b ? 100 * b / all_b : 100,
        no_l, no_b
}

END {
    printf "%-18s %24s   %24s   %14s\n", "", "lines run", "branches taken",
        "without reason"
    for (i = 1; i <= count; i++) {
        name = folders[i]
        draw(name, run_lines[name], all_lines[name], run_branches[name],
            all_branches[name], open_lines[name], open_branches[name])
        l += run_lines[name]
        all_l += all_lines[name]
        b += run_branches[name]
        all_b += all_branches[name]
        no_l += open_lines[name]
        no_b += open_branches[name]
    }
    draw("all", l, all_l, b, all_b, no_l, no_b)
    close(later)
    while ((getline line <later) > 0)
        print line
    for (key in given) {
        if (given[key] == 0)
            print "reason without need: " key | "sort"
    }
    close("sort")
    exit l < 0.95 * all_l || b < 0.85 * all_b || no_l > 0
}' "$1"
