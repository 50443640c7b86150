#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kv-ioredis.sh NODE KV FOLDER: runs kv-ioredis/test.js, with the modules that
# package-lock.json pins, which npm installs into FOLDER once. Without npm, or
# where it reaches no registry, there is nothing to try and it exits with 77.
set -u

node=$1 kv=$2 folder=$3
here=${0%.sh}

skip() {
    echo "skipped: $*"
    exit 77
}

# What npm says when nobody is there, not when what came is wrong.
is_offline() {
    grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED' \
        "$folder/npm.log"
}

install() {
    cp "$here/package.json" "$here/package-lock.json" "$folder" || exit 1
    timeout 100 npm ci --prefix "$folder" --cache "$folder/cache" \
        --ignore-scripts --no-audit --no-fund --no-update-notifier \
        --fetch-retries 1 --fetch-timeout 20000 >"$folder/npm.log" 2>&1
    status=$?
    [ $status != 0 ] || return 0
    if [ $status = 124 ] || is_offline; then
        skip "npm reaches no registry"
    fi
    cat "$folder/npm.log"
    exit 1
}

command -v npm >/dev/null || skip "no npm"
mkdir -p "$folder" || exit 1
if ! cmp -s "$here/package-lock.json" "$folder/installed.json"; then
    install
    cp "$here/package-lock.json" "$folder/installed.json" || exit 1
fi
NODE_PATH=$folder/node_modules exec "$node" "$here/test.js" "$kv"
