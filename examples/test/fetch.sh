#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fetch.sh FETCH HTTPD ECHO CHAT: what fetch writes, and its exit codes, against
# a server of files, one that speaks no HTTP, and one that is silent.
set -u

fetch=$1
work=$(mktemp -d)
server=
failed=0

# One at a time: dismiss ends the one that was started last.
dismiss() {
    [ -z "$server" ] || { kill "$server" && wait "$server"; }
    server=
}
trap 'dismiss; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# serve PROGRAM ARGUMENT...: starts one, (where) is its host and port.
serve() {
    dismiss
    : >"$work/log" # or the last one's line would still be there for a moment
    "$@" >"$work/log" 2>&1 &
    server=$!
    tries=0
    until grep -q '^listening on ' "$work/log"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "$1 does not listen" >&2; exit 1; }
        sleep 0.1
    done
    where=$(sed -n 's/^listening on //p' "$work/log")
}

# expect CODE ARGUMENT...: fetch ends with it, and says why unless it is 0.
expect() {
    code=$1
    shift
    "$fetch" "$@" >"$work/out" 2>"$work/err"
    got=$?
    if [ $got -ne "$code" ] ||
        { [ "$code" -eq 0 ] && [ -s "$work/err" ]; } ||
        { [ "$code" -ne 0 ] && [ ! -s "$work/err" ]; }; then
        echo "fetch $*: exit code $got instead of $code" >&2
        cat "$work/err" >&2
        failed=1
    fi
}

# shows FILE: what was written is this.
shows() {
    cmp "$work/out" "$1" >&2 || failed=1
}

mkdir -p "$work/root/folder"
echo hello >"$work/root/folder/index.html"
head -c 1000000 /dev/urandom >"$work/root/large"

expect 0 --help
grep -q '^usage: ' "$work/out" || failed=1
grep -q 'finding the host' "$work/out" || failed=1
expect 1
expect 1 --timeout
expect 1 --timeout x http://localhost/
expect 1 --frob 1 http://localhost/
expect 1 http://localhost/ http://localhost/
expect 1 https://localhost/
expect 1 localhost

serve "$2" --root "$work/root" --port 0
expect 0 "http://$where/large"
shows "$work/root/large"
expect 0 "http://localhost:${where##*:}/folder/"
shows "$work/root/folder/index.html"
expect 0 "http://$where/folder"
shows "$work/root/folder/index.html"
expect 0 --redirects 0 "http://$where/folder"
expect 4 "http://$where/none"
[ -s "$work/out" ] || failed=1
expect 2 "http://no-such-host.invalid/"
if [ -w /dev/full ]; then
    "$fetch" "http://$where/large" >/dev/full 2>"$work/err"
    [ $? -eq 6 ] || { echo "a full disk went unnoticed" >&2; failed=1; }
fi

# Nobody listens any more where a server just did.
dismiss
expect 2 "http://$where/"

serve "$3" 0
expect 3 "http://$where/"

serve "$4" 0
expect 5 --timeout 1 "http://$where/"

exit $failed
