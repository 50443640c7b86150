#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What --json writes is what json.h says, and tells nothing of where it was
# written:
#
#   json.sh PYTHON SOURCE FOLDER BENCH
set -eu

python=$1
work=$3
bench=$4

mkdir -p "$work"
"$bench" --json "$work/figures.json" --commit abc --time 1 --rounds 1 \
    --slice 1 micro >"$work/out"
exec "$python" - "$work/figures.json" "$(uname -n)" <<'END'
import json
import sys

text = open(sys.argv[1]).read()
run = json.loads(text)
assert run['commit'] == 'abc'
assert run['command'] == ('./sill bench --json FILE --time 1 --rounds 1'
                          ' --slice 1 micro'), run['command']
assert run['rounds'] == 1 and run['slice_ms'] == 1
assert run['machine']['processors'] >= run['processors_used'] >= 1
assert run['machine']['system'].startswith('Linux ')
(table,) = run['tables']
assert table['section'] == 'micro' and table['unit'] == 'ns'
rows = [row for row in table['rows'] if 'median' in row]
assert any(row['name'].startswith('yield') for row in rows)
for row in rows:
    assert 0 < row['low'] <= row['median'] <= row['high'], row
    assert row['count'] == 1, row
assert '/' not in text.replace('./sill', '').replace('suspend/resume', '')
assert sys.argv[2] not in run['machine'].values()
END
