#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Talks to kv as people and programs do who know Redis:
#
#   kv.sh KV COMMANDS EXPECTED
#
# What redis-cli shows for each of the COMMANDS is EXPECTED, from kv and, where
# it is installed, from redis-server 7, which is the judge of EXPECTED.
set -u

kv=$1
commands=$2
expected=$3
for tool in redis-cli redis-benchmark; do
    command -v "$tool" >/dev/null || {
        echo "skipped: no $tool (Debian: redis-tools)"
        exit 77
    }
done

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

cli() {
    redis-cli -p "$port" "$@"
}

# await_reply TEXT ARGUMENT...: asks until the answer is TEXT.
await_reply() {
    text=$1
    shift
    tries=0
    until [ "$(cli "$@")" = "$text" ]; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "never $text: $*"
        sleep 0.05
    done
}

# Starts kv; sets pid and port.
start() {
    : >"$work/out"
    "$kv" --port 0 >"$work/out" &
    pid=$!
    started="$started $pid"
    await grep -q '^listening on ' "$work/out"
    port=$(sed -n 's/^listening on .*://p' "$work/out")
}

# A signal ends kv well.
stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "kv ended with $?"
}

# judge WHO ARGUMENT...: what redis-cli says with these to WHO, in RESP2 and in
# RESP3.
judge() {
    who=$1
    shift
    redis-cli --no-raw "$@" <"$commands" >"$work/transcript" 2>&1
    redis-cli --no-raw -3 "$@" <"$commands" >>"$work/transcript" 2>&1
    diff -u "$expected" "$work/transcript" >&2 || fail "$who answers otherwise"
}

# ---- the same answers ----

start
judge kv -p "$port"
stop

# Debian's redis-tools has the program, too, as redis-check-rdb: it goes by what
# it is called.
program=$(command -v redis-server || command -v redis-check-rdb)
ln -s "$program" "$work/redis-server"
version=$("$work/redis-server" --version 2>/dev/null |
    sed -n 's/.* v=\([0-9]*\)\..*/\1/p')
if [ "$version" = 7 ]; then
    "$work/redis-server" --port 0 --unixsocket "$work/redis" --save "" --databases 1 \
        --dir "$work" >/dev/null &
    started="$started $!"
    await redis-cli -s "$work/redis" ping
    judge redis-server -s "$work/redis"
fi

# ---- what a transcript does not show ----

start
cli set short lived px 50 >/dev/null
cli set long lived px 100000 >/dev/null
[ "$(cli dbsize)" -ge 1 ] || fail "no keys"
await_reply 1 dbsize
[ "$(cli get short)" = "" ] || fail "a key did not expire"
[ "$(cli get long)" = lived ] || fail "a key expired early"

cli rpush list a b >/dev/null
cli config set maxmemory 1 >/dev/null
for verb in 'set a b' 'hset hash a b' 'lpush list c' 'sadd set a' \
    'zadd sorted 1 a' 'copy long long2'; do
    # shellcheck disable=SC2086
    case $(cli $verb) in
    OOM*) ;;
    *) fail "more memory than allowed: $verb" ;;
    esac
done
[ "$(cli get long)" = lived ] || fail "reading needs no memory"
[ "$(cli lpop list)" = a ] || fail "what makes room needs no memory"
cli config set maxmemory 0 >/dev/null
cli hset hash a b c d >/dev/null
cli sadd set a b >/dev/null
cli zadd sorted 1 a 2 b >/dev/null
cli flushall >/dev/null
cli info memory | grep -q '^used_memory:0' || fail "memory is miscounted"

i=0
while [ $i -lt 300 ]; do
    echo "set key:$i $i"
    i=$((i + 1))
done | cli >/dev/null
[ "$(cli --scan --pattern 'key:*' | sort | uniq | wc -l)" = 300 ] ||
    fail "a scan does not meet every key"

cli subscribe news >"$work/plain" 2>&1 &
started="$started $!"
cli -3 psubscribe 'n*' >"$work/matched" 2>&1 &
started="$started $!"
await_reply 2 publish news hello
await grep -q hello "$work/plain"
await grep -q hello "$work/matched"
[ "$(cli pubsub channels)" = news ] || fail "no channel"

cli info | grep -q '^redis_version:' || fail "no info"
cli client list | grep -q 'cmd=client' || fail "no clients"
cli command | grep -q '^set$' || fail "no commands"
cli -3 hello 3 | grep -q '^proto 3' || fail "no RESP3"

for depth in 1 16; do
    redis-benchmark -p "$port" -t ping,set,get,incr,mset -n 2000 -c 20 \
        -P $depth -q >"$work/benchmark" 2>&1 || fail "redis-benchmark"
    redis-benchmark -p "$port" -n 500 -r 100 -c 20 -P $depth -q -t \
        lpush,lpop,rpush,rpop,sadd,hset,spop,zadd,zpopmin,lrange \
        >>"$work/benchmark" 2>&1 || fail "redis-benchmark"
    ! grep -qi error "$work/benchmark" || fail "redis-benchmark: an error"
done
stop
exit 0
