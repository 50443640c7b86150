#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compares resp-cli with redis-cli, which says and shows the same:
#
#   resp-cli.sh RESP_CLI KV COMMANDS
#
# Both talk to kv, and to redis-server where it is installed.
set -u

ours=$1
kv=$2
commands=$3
case $(redis-cli --version 2>/dev/null) in
*" 7."*) ;;
*)
    echo "skipped: no redis-cli 7 (Debian: redis-tools)"
    exit 77
    ;;
esac

work=$(mktemp -d)
started=
# shellcheck disable=SC2086
trap 'kill $started 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Waits until the command succeeds.
await() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "waited in vain: $*"
        sleep 0.05
    done
}

# compare WHAT: both said the same, which was something.
compare() {
    [ -s "$work/ours" ] || fail "$1: nothing"
    diff -u "$work/theirs" "$work/ours" >&2 || fail "$1: not as redis-cli"
}

# both INPUT ARGUMENT...: runs both.
both() {
    input=$1
    shift
    "$ours" "$@" <"$input" >"$work/ours" 2>&1
    redis-cli "$@" <"$input" >"$work/theirs" 2>&1
    compare "$*"
}

"$kv" --port 0 >"$work/out" &
started="$started $!"
await grep -q '^listening on ' "$work/out"
port=$(sed -n 's/^listening on .*://p' "$work/out")

# ---- lines and commands ----

cat >"$work/lines" <<'END'

  PING
set 'it\'s' "a \x41\n\"\\\r\t\a\b\xff \q"
get "it's"
get 'it''s'
get "it's
set e ""
get e
flushall
echo a"b c"
rpush list 1 2 3 4 5 6 7 8 9 10 11
lrange list 0 -1
exit
PING
END
for output in --raw --no-raw; do
    for version in "" -3; do
        redis-cli -p "$port" flushall >/dev/null
        # shellcheck disable=SC2086
        both "$commands" $output $version -p "$port"
        # shellcheck disable=SC2086
        both "$work/lines" $output $version -h localhost -p "$port"
        # shellcheck disable=SC2086
        both /dev/null $output $version -p "$port" -n 0 lrange list 0 20
    done
done
both /dev/null -p "$port" get nosuch

# ---- exit codes ----

# expect CODE ARGUMENT...
expect() {
    code=$1
    shift
    "$ours" "$@" </dev/null >"$work/ours" 2>&1
    result=$?
    [ $result = "$code" ] || fail "$*: $result, not $code"
}

expect 0 --help
expect 0 -p "$port" ping
expect 0 -p "$port"
expect 1 -p "$port" nosuch
expect 1 -p "$port" -n 99 ping
expect 1 -s "$work/nosuch" ping
expect 1 -p 0 ping
expect 2 --nosuch
expect 2 -p

# ---- what has no end ----

# Waits until the command, asked of the server, says (text).
await_reply() {
    text=$1
    shift
    tries=0
    until [ "$("$@")" = "$text" ]; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "never $text: $*"
        sleep 0.05
    done
}

# listen ARGUMENT...: both begin, with no end.
listen() {
    "$ours" "$@" >"$work/ours" 2>&1 &
    listeners=$!
    redis-cli "$@" >"$work/theirs" 2>&1 &
    listeners="$listeners $!"
    started="$started $listeners"
}

# heard TEXT: both have heard it, and may go.
heard() {
    await grep -q "$1" "$work/ours"
    await grep -q "$1" "$work/theirs"
    # shellcheck disable=SC2086
    kill $listeners
}

for output in --raw --no-raw; do
    for version in "" -3; do
        channel=news$output$version
        # shellcheck disable=SC2086
        listen $output $version -p "$port" subscribe "$channel" other
        await_reply "$channel 2" sh -c \
            "redis-cli -p $port pubsub numsub $channel | xargs"
        redis-cli -p "$port" publish "$channel" hello >/dev/null
        heard hello
        compare "subscribe $output $version"
    done
done

# Debian's redis-tools has the program, too, as redis-check-rdb: it goes by what
# it is called.
program=$(command -v redis-server || command -v redis-check-rdb) || exit 0
ln -s "$program" "$work/redis-server"
(cd "$work" && exec ./redis-server --port 0 --unixsocket "$work/redis" \
    --save "" --requirepass secret) >/dev/null 2>&1 &
started="$started $!"
redis="-s $work/redis -a secret"
# shellcheck disable=SC2086
await "$ours" $redis ping
expect 1 -s "$work/redis" ping
expect 1 -s "$work/redis" -a wrong ping

# Without its warning that a password can be seen.
export REDISCLI_AUTH=secret
cli() {
    redis-cli -s "$work/redis" "$@"
}
cli -n 2 xadd stream 1-1 a b >/dev/null
for output in --raw --no-raw; do
    for version in "" -3; do
        for words in "xinfo stream stream" "xinfo stream stream full" \
            "info keyspace" "object help" "command info get" \
            "config get save" "client info x" "debug protocol attrib" \
            "script exists a"; do
            # shellcheck disable=SC2086
            "$ours" $redis $output $version -n 2 $words >"$work/ours" 2>&1
            # shellcheck disable=SC2086
            cli $output $version -n 2 $words >"$work/theirs" 2>&1
            compare "$words $output $version"
        done
    done
done
listeners=
"$ours" -s "$work/redis" -a secret monitor >"$work/ours" &
listeners="$listeners $!"
redis-cli -s "$work/redis" monitor >"$work/theirs" &
listeners="$listeners $!"
started="$started $listeners"
await_reply 2 sh -c \
    "redis-cli -s $work/redis client list | grep -c cmd=monitor"
cli set watched "by all" >/dev/null
heard watched
[ "$(tail -n 1 "$work/ours")" = "$(tail -n 1 "$work/theirs")" ] ||
    fail "monitor: not as redis-cli"
exit 0
