// SPDX-License-Identifier: MIT
//
// node demo.js sill.node: while Node's timer ticks, Node's own client fetches
// from the server that runs as a task in Node's loop.
'use strict';

const http = require('http');
const path = require('path');
const sill = require(path.resolve(process.argv[2]));

const FETCHES = 3;
let ticks = 0;
let fetched = 0;

function onFetched(text) {
  console.log(`fetched: ${text}`);
  if (++fetched === FETCHES) {
    sill.stop(() => console.log('drained')); // and Node ends by itself
  }
}

function fetch(port) {
  http.get({ host: '127.0.0.1', port }, (response) => {
    let text = '';
    response.on('data', (piece) => { text += piece; });
    response.on('end', () => onFetched(text));
  });
}

sill.serve('hello', (error, port) => {
  if (error) throw error;
  const timer = setInterval(() => {
    console.log(`tick ${++ticks}`);
    if (ticks === FETCHES) clearInterval(timer);
    fetch(port);
  }, 50);
});
