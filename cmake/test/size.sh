#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program is small enough: what is loaded of it, but for its data, as size(1)
# counts that.
#
#   size.sh MOST PROGRAM
set -eu

text=$(size "$2" | awk 'NR == 2 { print $1 }')
echo "$2: $text bytes of text, $1 at most"
[ "$text" -gt 0 ] && [ "$text" -le "$1" ]
