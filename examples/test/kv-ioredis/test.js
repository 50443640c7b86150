// SPDX-License-Identifier: MIT
//
// node test.js KV: what programs in Node expect of Redis, from kv.
'use strict';

const assert = require('assert');
const { spawn } = require('child_process');
const { once } = require('events');
const readline = require('readline');
const Redis = require('ioredis');

const equal = assert.deepStrictEqual;

async function strings(r) {
  equal(await r.set('a', 1), 'OK');
  equal(await r.incr('a'), 2);
  equal(await r.get('a'), '2');
  equal(await r.set('a', 'x', 'NX'), null);
  equal(await r.mset({ b: '1', c: '2' }), 'OK');
  equal(await r.mget('b', 'none', 'c'), ['1', null, '2']);
  const bytes = Buffer.from([0, 13, 10, 255, 36]);
  await r.set('bytes', bytes);
  equal(await r.getBuffer('bytes'), bytes);
}

async function expiry(r) {
  equal(await r.set('soon', 'x', 'PX', 100000), 'OK');
  const left = await r.pttl('soon');
  assert(left > 0 && left <= 100000);
  equal([await r.ttl('a'), await r.ttl('none')], [-1, -2]);
  equal([await r.persist('soon'), await r.ttl('soon')], [1, -1]);
  equal([await r.expire('soon', -1), await r.exists('soon')], [1, 0]);
}

async function errors(r) {
  await r.set('word', 'x');
  await assert.rejects(r.incr('word'), {
    name: 'ReplyError',
    message: 'ERR value is not an integer or out of range',
  });
  await assert.rejects(r.lpush('word', 1), /^ReplyError: WRONGTYPE /);
  await assert.rejects(r.call('nonsense'), /ERR unknown command 'nonsense'/);
}

async function hashes(r) {
  const fields = {};
  for (let i = 0; i < 1000; i++) fields[`field:${i}`] = String(i);
  equal(await r.hset('hash', fields), 1000);
  equal(await r.hgetall('hash'), fields);
  equal(await r.hmget('hash', 'field:7', 'none'), ['7', null]);
  equal(await r.hincrby('hash', 'field:7', 3), 10);
}

async function lists(r) {
  equal(await r.rpush('list', 'a', 'b', 'c'), 3);
  equal(await r.lrange('list', 0, -1), ['a', 'b', 'c']);
  equal([await r.lpop('list'), await r.rpop('list')], ['a', 'c']);
}

async function sets(r) {
  equal(await r.sadd('set', 'a', 'b', 'a'), 2);
  equal(await r.sadd('set2', 'b', 'c'), 2);
  equal(await r.sinter('set', 'set2'), ['b']);
  equal((await r.sunion('set', 'set2')).sort(), ['a', 'b', 'c']);
}

async function sortedSets(r) {
  equal(await r.zadd('zset', 1, 'a', 2.5, 'b', '-inf', 'c'), 3);
  equal(await r.zrange('zset', 0, -1, 'WITHSCORES'),
    ['c', '-inf', 'a', '1', 'b', '2.5']);
  equal(await r.zrangebyscore('zset', '(1', '+inf'), ['b']);
  equal(await r.zrank('zset', 'b'), 2);
}

async function pipelines(r) {
  const p = r.pipeline();
  for (let i = 0; i < 1000; i++) p.set(`key:${i}`, i);
  p.incr('word');
  const replies = await p.exec();
  equal(replies.slice(0, 1000), Array(1000).fill([null, 'OK']));
  equal(replies[1000][0].name, 'ReplyError');
}

async function scans(r) {
  const found = new Set();
  const stream = r.scanStream({ match: 'key:*', count: 50 });
  stream.on('data', (keys) => keys.forEach((key) => found.add(key)));
  await once(stream, 'end');
  equal(found.size, 1000);
  const fields = new Map();
  for await (const pairs of r.hscanStream('hash', { match: 'field:9*' })) {
    for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i], pairs[i + 1]);
  }
  equal(fields.size, 111);
  equal(fields.get('field:99'), '99');
}

async function transactions(r) {
  equal(await r.multi().set('x', 1).incr('x').get('x').exec(),
    [[null, 'OK'], [null, 2], [null, '2']]);
  const other = r.duplicate();
  await r.watch('x');
  await other.set('x', 9);
  equal(await r.multi().get('x').exec(), null);
  await assert.rejects(r.multi().call('nonsense').exec(), /EXECABORT/);
  await other.quit();
}

async function channels(r) {
  const heard = r.duplicate();
  equal(await heard.subscribe('news'), 1);
  equal(await heard.psubscribe('n?w*'), 2);
  const message = once(heard, 'message');
  const pattern = once(heard, 'pmessage');
  equal(await r.publish('news', 'hello'), 2);
  equal(await message, ['news', 'hello']);
  equal(await pattern, ['n?w*', 'news', 'hello']);
  await assert.rejects(heard.get('a'), /subscriber mode/);
  equal(await heard.unsubscribe('news'), 1);
  equal(await heard.punsubscribe('n?w*'), 0);
  equal(await heard.get('a'), '2');
  await heard.quit();
}

async function autoPipelines(r) {
  const auto = r.duplicate({ enableAutoPipelining: true });
  await auto.ping();
  const counts = [];
  for (let i = 0; i < 500; i++) counts.push(auto.incr('count'));
  equal(await Promise.all(counts), Array.from({ length: 500 }, (_, i) => i + 1));
  await auto.quit();
}

// One that is killed connects again, subscribes again, and asks again.
async function reconnects(r) {
  const lost = r.duplicate({ retryStrategy: () => 1 });
  const heard = r.duplicate({ retryStrategy: () => 1 });
  await heard.subscribe('again');
  for (const one of [lost, heard]) {
    await one.ping();
    const ready = once(one, 'ready');
    equal(await r.client('KILL', 'ID', await ids(r, one)), 1);
    await ready;
  }
  equal(await lost.get('a'), '2');
  const message = once(heard, 'message');
  while (await r.publish('again', 'hello') === 0) continue;
  equal(await message, ['again', 'hello']);
  await Promise.all([lost.quit(), heard.quit()]);
}

// Returns the number by which the server knows the connection of (one).
async function ids(r, one) {
  const { localPort } = one.stream;
  const line = (await r.client('LIST')).split('\n')
    .find((text) => text.includes(`addr=127.0.0.1:${localPort} `));
  return /id=(\d+)/.exec(line)[1];
}

const cases = [strings, expiry, errors, hashes, lists, sets, sortedSets,
  pipelines, scans, transactions, channels, autoPipelines, reconnects];

async function main() {
  const kv = spawn(process.argv[2], ['--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => kv.kill('SIGKILL'));
  const [line] = await once(readline.createInterface(kv.stdout), 'line');
  const r = new Redis(Number(line.split(':').pop()), '127.0.0.1');
  for (const run of cases) {
    console.log(run.name);
    await run(r);
  }
  await r.quit();
  const ended = once(kv, 'exit');
  kv.kill('SIGTERM');
  equal(await ended, [0, null]);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
