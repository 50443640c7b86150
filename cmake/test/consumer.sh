#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds and runs somebody else's tiny project against sill.
#
#   consumer.sh WORK find PREFIX BACKEND        find_package, one component
#   consumer.sh WORK pkg PREFIX BACKEND         pkg-config, no CMake
#   consumer.sh WORK subproject SOURCE BACKEND SHARED
#   consumer.sh WORK none PREFIX                no backend: a link error
#   consumer.sh WORK two PREFIX A B             two: a configure error
#   consumer.sh WORK beside PREFIX A B          two, through their pointers
#   consumer.sh WORK missing PREFIX             an unknown component
#   consumer.sh WORK matrix PREFIX OWN BACKEND...
#                                               one test on several backends,
#                                               one of them from sources in OWN
#   consumer.sh WORK kit PREFIX OWN             OWN passes the conformance kit
#   consumer.sh WORK kit-options PREFIX OWN     some of it, with all options
#   consumer.sh WORK kit-pkg PREFIX OWN         and without CMake
#
# CC is the compiler; WORK a folder to use, emptied first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1
how=$2
where=$3
shift 3

rm -rf "$work"
mkdir -p "$work"
log=$work/log

project=$here/consumer

configure() {
    cmake -S "$project" -B "$work/build" -DCMAKE_C_COMPILER="$CC" \
        "$@" >"$log" 2>&1
}

build() {
    cmake --build "$work/build" --target "$1" >"$log" 2>&1
}

# Runs a command that must fail and say (first argument).
fails_with() {
    text=$1
    shift
    if "$@"; then
        echo "succeeded, but must not: $*" >&2
        exit 1
    fi
    if ! tr -s ' \n' ' ' <"$log" | grep -q "$text"; then
        cat "$log" >&2
        echo "failed without saying '$text'" >&2
        exit 1
    fi
}

run() {
    "$@" || {
        cat "$log" >&2
        exit 1
    }
}

# Runs a program, which must print (first argument) and nothing else.
prints() {
    expected=$1
    shift
    printed=$("$@")
    [ "$printed" = "$expected" ] || {
        echo "printed '$printed', not '$expected'" >&2
        exit 1
    }
}

# Lets pkg-config and programs find what was installed.
find_pkg() {
    PKG_CONFIG_PATH=$(dirname "$(find "$where" -name sill.pc)")
    LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
}

# Runs the tests of the build, and shows what they say.
passes() {
    ctest --test-dir "$work/build" -j2 --output-on-failure --no-tests=error \
        "$@" >"$log" 2>&1
}

case $how in
find)
    run configure -DCMAKE_PREFIX_PATH="$where" -DCONSUMER_COMPONENTS="$1;http"
    run build consumer
    prints "$1: OK" "$work/build/consumer"
    ;;
pkg)
    find_pkg
    # Both orders must do.
    for modules in "sill-http sill-$1" "sill-$1 sill-http"; do
        # shellcheck disable=SC2046,SC2086
        "$CC" "$here/consumer/main.c" -o "$work/consumer" \
            $(pkg-config --cflags --libs $modules)
        prints "$1: OK" "$work/consumer"
    done
    ;;
subproject)
    run configure -DCONSUMER_SOURCE="$where" -DSILL_BACKEND="$1" \
        -DBUILD_SHARED_LIBS="$2"
    run build consumer
    prints "$1: OK" "$work/build/consumer"
    ctest --test-dir "$work/build" -N >"$log" 2>&1
    run grep -q '^Total Tests: 0$' "$log"
    ;;
none)
    run configure -DCMAKE_PREFIX_PATH="$where" -DCONSUMER_COMPONENTS=http
    fails_with sill_backend_default build consumer
    ;;
two)
    fails_with 'SILL_BACKEND_LINKED.* does not agree' \
        configure -DCMAKE_PREFIX_PATH="$where" -DSILL_BACKEND="$1" \
        -DCONSUMER_LIBS="sill::$2"
    ;;
beside)
    run configure -DCMAKE_PREFIX_PATH="$where" -DSILL_BACKEND="$1" \
        -DCONSUMER_BESIDE="$2"
    run build beside
    prints both "$work/build/beside"
    ;;
missing)
    fails_with 'nosuch' \
        configure -DCMAKE_PREFIX_PATH="$where" -DCONSUMER_COMPONENTS=nosuch
    ;;
matrix)
    project=$here/matrix
    own=$1
    shift
    backends=$(echo "$*" | tr ' ' ';')
    run configure -DCMAKE_PREFIX_PATH="$where" -DMATRIX_OWN="$own" \
        -DMATRIX_BACKENDS="$backends"
    run build all
    for backend in "$@" own; do
        name=$backend
        [ "$name" != own ] || name=poll
        prints "on $name" "$work/build/reason_test-$backend" OK
    done
    run passes
    run grep -q "tests passed, 0 tests failed out of $(($# + 1))" "$log"
    ;;
kit)
    project=$1
    # What takes long is left to those who have the time.
    run configure -DCMAKE_PREFIX_PATH="$where" -DPOLL_GROUPS='T;A;D;F;H' \
        -DCMAKE_C_FLAGS='-Wall -Wextra -Wpedantic -Wconversion -Werror'
    run build all
    run passes
    run grep -q 'poll\.H-01 (Skipped)' "$log"
    cd "$work/build"
    grep -q '"case": "idle_descriptors_cost_nothing", "outcome": "xfail"' \
        conformance.json
    grep -q '"outcome": "skip".*"reason": "needs guest"' conformance.json
    grep -q '<title>sill conformance</title>' conformance.html
    ;;
kit-options)
    project=$here/matrix
    run configure -DCMAKE_PREFIX_PATH="$where" -DMATRIX_OWN="$1" \
        -DMATRIX_BACKENDS=native -DMATRIX_KIT=conformance
    run build all
    run passes -L mine -R 'T-0[1-3]' -V
    for line in '"--repeat" "3" "--seed" "random" "--timeout-scale" "2"' \
        'T-03.await_of_an_ended_task.* (Skipped)' \
        'seed [0-9]' '1 passed, 0 failed on poll' \
        'own.guest.T-01.child_never_runs_before_spawn_returns .*Skipped' \
        'needs guest'; do
        run grep -q -e "$line" "$log"
    done
    ;;
kit-pkg)
    find_pkg
    # shellcheck disable=SC2046
    "$CC" -D_GNU_SOURCE "$1"/params.c "$1"/backend.c "$1"/default.c \
        -o "$work/conformance-poll" \
        $(pkg-config --cflags --libs sill-conformance)
    "$work/conformance-poll" T-01 F-01 W-01 >"$log"
    run grep -q ' passed, 0 failed on poll$' "$log"
    ;;
esac
