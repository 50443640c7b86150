// SPDX-License-Identifier: MIT
//
// node test.js sill.node: what must hold of the addon in a process that just
// ends, in workers that are terminated while they serve, and for bad words.
'use strict';

const assert = require('assert');
const http = require('http');
const path = require('path');
const { spawnSync } = require('child_process');
const { promisify } = require('util');
const { Worker } = require('worker_threads');

const file = path.resolve(process.argv[2]);
const sill = require(file);
const serve = promisify(sill.serve);
const stop = promisify(sill.stop);
const agent = new http.Agent({ keepAlive: true });

function fetch(port) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, agent }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

// Runs (script) in a process of its own, which has to end in time.
function run(script) {
  const words = ['-e', `const sill = require(${JSON.stringify(file)});${script}`];
  return spawnSync(process.execPath, words, { timeout: 20000, encoding: 'utf8' });
}

function expectRun(script, status, stdout) {
  const ended = run(script);
  assert.deepStrictEqual([ended.status, ended.signal, ended.stdout],
    [status, null, stdout], script + ended.stderr);
}

// Starts (script) in a worker and returns it when the worker has said (port).
function work(script) {
  const code = `const { parentPort } = require('worker_threads');
    const sill = require(${JSON.stringify(file)});${script}`;
  const worker = new Worker(code, { eval: true });
  return new Promise((resolve, reject) => {
    worker.on('message', (port) => resolve({ worker, port }));
    worker.on('error', reject);
  });
}

async function testWords() {
  assert.throws(() => sill.serve());
  assert.throws(() => sill.serve('hello'));
  assert.throws(() => sill.serve(1, () => {}));
  assert.throws(() => sill.stop(() => {}));
  for (const body of ['', 'again', 'x'.repeat(1000000)]) {
    const port = await serve(body);
    assert.throws(() => sill.serve('hello', () => {}));
    assert.throws(() => sill.stop());
    assert.deepStrictEqual(await Promise.all([1, 2, 3].map(() => fetch(port))),
      [body, body, body]);
    await stop();
    await assert.rejects(fetch(port));
  }
}

function testProcesses() {
  expectRun('', 0, '');
  expectRun('sill.serve("", () => process.exit(3))', 3, '');
  expectRun('sill.serve("", () => { throw 7; })', 1, '');
  expectRun(`process.on("uncaughtException", (e) => {
    console.log(e); sill.stop(() => {}); });
    sill.serve("", () => { throw 7; })`, 0, '7\n');
  // Only the server is left to keep Node alive.
  expectRun(`sill.serve("", () => setTimeout(() => {
    console.log("alive"); sill.stop(() => {}); }, 200).unref())`, 0, 'alive\n');
}

async function testWorkers() {
  const serving = 'sill.serve("w", (e, port) => parentPort.postMessage(port));';
  for (let i = 0; i < 10; i++) {
    const { worker, port } = await work(serving);
    assert.strictEqual(await fetch(port), 'w');
    await worker.terminate();
    await assert.rejects(fetch(port));
  }
  const busy = await work(`sill.serve("", (e, port) => {
    parentPort.postMessage(port); for (;;) {} });`);
  await busy.worker.terminate();
  const both = await Promise.all([work(serving), work(serving)]);
  for (const { worker, port } of both) {
    assert.strictEqual(await fetch(port), 'w');
    await worker.terminate();
  }
}

async function test() {
  await testWords();
  testProcesses();
  await testWorkers();
  console.log('passed');
}

test();
