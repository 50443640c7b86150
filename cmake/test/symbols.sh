#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What leaves a library, and what it asks for.
#
#   symbols.sh defined LIBRARY...     every global symbol begins with sill_
#   symbols.sh protocol LIBRARY...    asks for sill_* and libc, and for nothing
#                                     of the core or of a backend
#   symbols.sh codec NAME OBJECT...   the codec of protocol NAME: asks for no
#                                     I/O, clock or allocation
#   symbols.sh backend LIBRARY NAME   defines the default and its own backend
#
# NM and CC are the tools to use.
set -eu

what=$1
shift

# The dynamic table of a shared library, the whole one of others.
table() {
    case $1 in
    *.so*) "$NM" -D -g -P "$2" "$1" ;;
    *) "$NM" -g -P "$2" "$1" ;;
    esac | awk 'NF >= 2 { sub(/@.*/, "", $1); print $1 }' | sort -u
}

refuse() {
    if [ -n "$1" ]; then
        printf '%s:\n%s\n' "$2" "$1" >&2
        exit 1
    fi
}

# A list that is empty proves nothing.
some() {
    [ -n "$1" ] || refuse "no symbols at all" "$2"
}

case $what in
defined)
    for library; do
        defined=$(table "$library" --defined-only)
        some "$defined" "$library"
        refuse "$(echo "$defined" | grep -v '^sill_' || :)" \
            "$library defines without the prefix"
    done
    ;;
protocol)
    libc=$("$CC" -print-file-name=libc.so.6)
    for library; do
        defined=$(table "$library" --defined-only)
        asked=$(table "$library" --undefined-only)
        some "$asked" "$library"
        refuse "$(echo "$asked" |
            grep -E '^sill_(core|spi|backend)_' |
            grep -vx sill_backend_name || :)" \
            "$library asks for what is not its business"
        known=$(
            echo "$defined"
            table "$libc" --defined-only
            printf '%s\n' _GLOBAL_OFFSET_TABLE_ _ITM_deregisterTMCloneTable \
                _ITM_registerTMCloneTable __gmon_start__
        )
        refuse "$(echo "$asked" | grep -v '^sill_' |
            grep -vxF "$known" || :)" \
            "$library asks for what is neither sill_* nor libc"
    done
    ;;
codec)
    name=$1
    shift
    [ $# -gt 0 ] || refuse "no object" "$what"
    for object; do
        refuse "$(table "$object" --undefined-only |
            grep -vE "^(sill_${name}_|mem|str|_GLOBAL_OFFSET_TABLE_)" |
            grep -vE '^__(mem|str|stack_chk)' || :)" \
            "$object asks for more than bytes"
    done
    ;;
backend)
    for symbol in sill_backend_default "sill_backend_$2"; do
        table "$1" --defined-only | grep -qx "$symbol" ||
            refuse "$symbol" "$1 does not define"
    done
    ;;
esac
