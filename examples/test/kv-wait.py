# SPDX-License-Identifier: MIT
"""kv-wait.py KV: BLPOP and its kin."""

import os
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
from kv_server import Gone, Refused, Server, encode, info, until


def refusal(client, *command):
    try:
        return client(*command)
    except Refused as error:
        return str(error)


class Waiting:
    """Clients that wait, of which (c) knows how many there are."""

    def __init__(self, server):
        self.server = server
        self.c = server.client()
        self.count = 0

    def __call__(self, *command):
        client = self.server.client()
        client.send(command)
        self.count += 1
        self.settle()
        return client

    def settle(self):
        until(lambda: info(self.c, "blocked_clients") == str(self.count))

    def expect(self, client, reply):
        got = client.receive()
        assert got == reply, (got, reply)
        self.count -= 1
        self.settle()


def at_once(server):
    c = server.client()
    c("rpush", "l", "a", "b", "c", "d")
    assert c("blpop", "none", "l", 0) == [b"l", b"a"]
    assert c("brpop", "l", "none", 0) == [b"l", b"d"]
    assert c("blmove", "l", "m", "left", "right", 0) == b"b"
    assert c("brpoplpush", "m", "m", 0) == b"b"
    assert c("brpoplpush", "l", "m", 0) == b"c"
    assert c("exists", "l") == 0
    assert c("lrange", "m", 0, -1) == [b"c", b"b"]
    c("set", "s", 1)
    assert refusal(c, "blpop", "s", "m", 0)[:9] == "WRONGTYPE"
    assert c("blpop", "m", "s", 0) == [b"m", b"c"]
    assert refusal(c, "blmove", "m", "s", "left", "left", 0)[:9] == "WRONGTYPE"
    assert refusal(c, "blpop", "m", -1) == "ERR timeout is negative"
    for bad in ("x", "inf", "nan", "1e300", ""):
        assert refusal(c, "blpop", "m", bad) == \
            "ERR timeout is not a float or out of range"
    assert refusal(c, "blmove", "m", "m", "up", "left", 0) == \
        "ERR syntax error"
    assert c("blpop", "none", 0.01) is None
    assert c("blmove", "none", "m", "left", "left", "0.01") is None
    assert c("blpop", "m", 1000000) == [b"m", b"b"]


def in_turn(server):
    w = Waiting(server)
    waiters = [w("blpop", "k", "l", 0), w("brpop", "l", 0),
               w("blpop", "l", "k", 100), w("blpop", "l", 0)]
    assert w.c("rpush", "l", "a", "b") == 2
    assert waiters[0].receive() == [b"l", b"a"]
    assert waiters[1].receive() == [b"l", b"b"]
    w.count -= 2
    w.settle()
    assert w.c("exists", "l") == 0
    w.c("lpush", "k", "c", "d")
    w.expect(waiters[2], [b"k", b"d"])
    assert w.c("lrange", "k", 0, -1) == [b"c"]
    w.c("rename", "k", "l")
    w.expect(waiters[3], [b"l", b"c"])
    waiters = [w("blpop", "l", 0)]
    w.c("rpush", "k", "e")
    w.c("copy", "k", "l")
    w.expect(waiters[0], [b"l", b"e"])
    waiters = [w("blpop", "l", 0)]
    w.c("set", "l", "no list")
    w.c("del", "l")
    w.c("rpoplpush", "k", "l")
    w.expect(waiters[0], [b"l", b"e"])


def in_a_row(server):
    w = Waiting(server)
    mover = w("blmove", "a", "b", "left", "left", 0)
    last = w("blpop", "b", 0)
    w.c("rpush", "a", "x")
    assert mover.receive() == b"x"
    assert last.receive() == [b"b", b"x"]
    w.count -= 2
    w.settle()
    assert w.c("dbsize") == 0
    rotor = w("brpoplpush", "a", "a", 0)
    w.c("rpush", "a", "x", "y")
    w.expect(rotor, b"y")
    assert w.c("lrange", "a", 0, -1) == [b"y", b"x"]
    mover = w("blmove", "e", "s", "left", "left", 0)
    w.c("set", "s", 1)
    w.c("rpush", "e", "z")
    try:
        mover.receive()
        raise AssertionError
    except Refused as error:
        assert str(error)[:9] == "WRONGTYPE"
    assert w.c("lrange", "e", 0, -1) == [b"z"]


def transactions(server):
    w = Waiting(server)
    w.c("multi")
    for command in ("blpop l 0", "blmove l m left left 0", "rpush l a b",
                    "blpop l 0", "rpush l c"):
        w.c(*command.split())
    assert w.c("exec") == [None, None, 2, [b"l", b"a"], 2]
    w.c("del", "l")
    waiter = w("blpop", "l", 0)
    w.c("multi")
    for command in ("rpush l a", "lpop l", "rpush l b c", "get none"):
        w.c(*command.split())
    assert w.c("exec") == [1, b"a", 2, None]
    w.expect(waiter, [b"l", b"b"])
    assert w.c("lrange", "l", 0, -1) == [b"c"]


def gone(server):
    w = Waiting(server)
    for end in (lambda c: c.close(),
                lambda c: w.c("client", "kill", "id", name)):
        waiter = w.server.client()
        name = waiter("client", "info").split(b" ")[0][3:]
        waiter.send(("blpop", "l", 0))
        w.count += 1
        w.settle()
        second = w("blpop", "l", 0)
        end(waiter)
        w.count -= 1
        w.settle()
        w.c("rpush", "l", "a", "b")
        w.expect(second, [b"l", b"a"])
        assert w.c("lrange", "l", 0, -1) == [b"b"]
        w.c("del", "l")
    for _ in range(100):
        waiter = w("blpop", "l", 0)
        w.c.send(("rpush", "l", "a"), ("llen", "l"))
        waiter.close()
        assert w.c.receive() == 1
        left = w.c.receive()
        w.count -= 1
        w.settle()
        assert left in (0, 1)
        w.c("del", "l")


def unblocked(server):
    """CLIENT UNBLOCK ends a wait, and no other one."""
    w = Waiting(server)
    other = w("blpop", "l", 0)
    waiter = w.server.client()
    name = waiter("client", "id")
    for command, words, reply in (
            (("blpop", "l", 0), (), None),
            (("blmove", "l", "m", "left", "left", 0), ("timeout",), None)):
        waiter.send(command)
        w.count += 1
        w.settle()
        assert w.c("client", "unblock", name, *words) == 1
        w.expect(waiter, reply)
    waiter.send(("brpop", "l", 0))
    w.count += 1
    w.settle()
    assert w.c("client", "unblock", name, "error") == 1
    try:
        waiter.receive()
        raise AssertionError
    except Refused as error:
        assert str(error) == \
            "UNBLOCKED client unblocked via CLIENT UNBLOCK"
    w.count -= 1
    w.settle()
    assert w.c("client", "unblock", name) == 0
    assert w.c("client", "unblock", 1 << 40) == 0
    assert refusal(w.c, "client", "unblock", "x") == \
        "ERR value is not an integer or out of range"
    assert refusal(w.c, "client", "unblock", name, "now") == \
        "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
    w.c("rpush", "l", "a")
    w.expect(other, [b"l", b"a"])
    assert waiter("ping") == b"PONG"


def pipelined(server):
    """What comes before is answered, what comes behind waits."""
    w = Waiting(server)
    waiter = server.client()
    waiter.send(("set", "a", 1), ("blpop", "l", 0), ("get", "a"))
    assert waiter.receive() == b"OK"
    w.count = 1
    w.settle()
    w.c("set", "a", 2)
    w.c("rpush", "l", "x")
    w.expect(waiter, [b"l", b"x"])
    assert waiter.receive() == b"2"


def stopping():
    """A server that stops lets nobody wait."""
    with Server(None) as server:
        w = Waiting(server)
        waiter = w("blpop", "l", 0)
        server.stop()
        try:
            assert waiter.receive() is None
        except Gone:
            pass


def kept():
    """What was given is gone from the file, too."""
    with tempfile.TemporaryDirectory() as work:
        name = os.path.join(work, "kv.aof")
        with Server(name, "--fsync", "always") as server:
            for case in (in_turn, in_a_row, transactions, pipelined, at_once):
                case(server)
                server.client()("flushall")
            w = Waiting(server)
            waiters = [w("blpop", "l", 0), w("brpop", "l", 0),
                       w("blmove", "l", "m", "left", "right", 0)]
            w.c("rpush", "l", "a", "b", "c", "d", "e")
            got = [waiter.receive() for waiter in waiters]
            assert got == [[b"l", b"a"], [b"l", b"e"], b"b"], got
            server.kill()
        with open(name, "rb") as file:
            text = file.read()
        assert b"blpop" not in text and b"blmove" not in text
        assert text.endswith(encode("LPOP", "l") + encode("RPOP", "l") +
                             encode("LMOVE", "l", "m", "LEFT", "RIGHT"))
        with Server(name) as server:
            c = server.client()
            assert c("lrange", "l", 0, -1) == [b"c", b"d"]
            assert c("lrange", "m", 0, -1) == [b"b"]


def main():
    for case in (at_once, in_turn, in_a_row, transactions, gone, unblocked,
                 pipelined):
        with Server(None) as server:
            case(server)
            server.stop()
        print(case.__name__, flush=True)
    stopping()
    kept()


signal.alarm(110)
main()
