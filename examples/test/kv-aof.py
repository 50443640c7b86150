# SPDX-License-Identifier: MIT
"""kv-aof.py KV: what kv keeps in a file, however it ends."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from kv_server import Client, Gone, Refused, Server, encode, info, until


def refused(name):
    """What kv says that does not start."""
    server = Server(name)
    assert server.port == 0, "it started"
    assert server.end() == 1
    return server.said


READERS = {
    b"string": lambda c, k: c("get", k),
    b"list": lambda c, k: c("lrange", k, 0, -1),
    b"set": lambda c, k: sorted(c("smembers", k)),
    b"hash": lambda c, k: sorted(zip(*[iter(c("hgetall", k))] * 2)),
    b"zset": lambda c, k: [
        x if i % 2 == 0 else float(x)
        for i, x in enumerate(c("zrange", k, 0, -1, "withscores"))],
}


def dump(client):
    return {key: (READERS[client("type", key)](client, key),
                  client("pexpiretime", key)) for key in client("keys", "*")}


def content(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


FAR = 4102444800000  # the year 2100

EVERYTHING = """
set a 1|set b x ex 100000|set c x px 100000000|set d x exat 4102444800
set e x pxat 4102444800000|setex f 100000 x|psetex g 100000000 y|set a 2 keepttl
set b y keepttl|set b z get|set none x xx|set a 3 nx|setnx h 1|getset h 2
mset i 1 j 2|msetnx k 1 l 2|msetnx k 1 m 2|append i xyz|setrange i 6 abc
incr n|incrby n 5|decr n|decrby n 3|incrbyfloat o 1.5|incrbyfloat o 0.1
incrbyfloat e2 1|set p x|expire p 100000|set q x|pexpire q 100000000
set r x|expireat r 4102444800|set s x|pexpireat s 4102444800000
set t x ex 100000|persist t|set u x|getex u ex 100000|getex u persist
getex a px 100000000|set v x|getdel v|set w x|del w none|set x x|unlink x
set y x|expire y -1|set z x|pexpireat z 1|rename j jj|renamenx jj j2
copy b bb|copy c bb replace|rpush l1 1 2 3 4 5 6|lpush l1 0|lpop l1|rpop l1 2
lset l1 0 one|linsert l1 before 3 x|lrem l1 1 3|ltrim l1 0 2|lpushx l1 y
rpushx nolist y|rpush l2 a b c|lmove l2 l3 left right|rpoplpush l2 l3
rpush l4 x|lpop l4|hset h1 a 1 b 2 c 3|hsetnx h1 d 4|hdel h1 a|hincrby h1 b 5
hincrbyfloat h1 c 0.25|hmset h2 x y|hdel h2 x|sadd s1 1 2 3 4 5 6 7 8 9
spop s1|spop s1 3|srem s1 1|sadd s2 a b|spop s2 5|sadd s3 5 6 a|smove s3 s4 a
sinterstore s5 s1 s3|sunionstore s6 s1 s3|sdiffstore s7 s1 s3|sunionstore a s1
zadd z1 1 a 2 b 3.25 c -inf d inf e|zadd z1 incr 5 a|zincrby z1 1.1 b
zadd z1 gt ch 9 c|zrem z1 e|zadd z2 1 a 2 b 3 c 4 d 5 e 6 f|zpopmin z2
zpopmax z2|zremrangebyrank z2 0 0|zremrangebyscore z2 4 4|zadd z3 0 a 0 b
zremrangebylex z3 [a [a|zadd z4 1 a|zpopmin z4
""".replace("\n", "|")


def commands():
    """All of them, each as a list of words."""
    return [line.split() for line in EVERYTHING.split("|") if line]


def replay(name):
    with Server(name, "--fsync", "no") as server:
        c = server.client()
        for command in commands():
            c(*command)
        c("set", "binary\r\n\0", bytes(range(256)) * 300)
        for i in range(1000):
            c("rpush", "long", i)
            c("hset", "many", f"f{i}", i)
            c("sadd", "all", i)
            c("zadd", "ranks", i / 8, i)
        for command in ("multi", "incr n", "expire n 100000", "sadd s9 a b c",
                        "spop s9", "get n", "exec"):
            c(*command.split())
        before = dump(c)
        assert len(before) > 30 and before[b"n"][1] > 0
        server.stop()
    for how in ("rewritten", "again"):
        with Server(name) as server:
            c = server.client()
            assert dump(c) == before, how
            c("bgrewriteaof")
            until(lambda: info(c, "aof_rewrite_in_progress") == "0" and
                  info(c, "aof_rewrite_scheduled") == "0")
            assert info(c, "aof_last_bgrewrite_status") == "ok"
            c("set", "after", how)
            before = dump(c)
            server.stop()
            assert server.said == "", server.said
    with Server(name) as server:
        c = server.client()
        c("flushall")
        c("set", "last", 1)
        before = dump(c)
        server.stop()
    with Server(name) as server:
        assert dump(server.client()) == before
    judge_by_redis(name)


def judge_by_redis(name):
    """What redis-server finds in the file of all commands."""
    with Server(name) as server:
        c = server.client()
        for command in commands():
            c(*command)
        for command in ("multi", "incr n", "expire n 100000", "exec"):
            c(*command.split())
        before = dump(c)
        server.stop()
    compare_with_redis(name, before)
    with Server(name) as server:
        c = server.client()
        c("bgrewriteaof")
        until(lambda: info(c, "aof_rewrite_in_progress") == "0" and
              info(c, "aof_rewrite_scheduled") == "0")
        server.stop()
    compare_with_redis(name, before)


def find_redis(directory):
    """redis-server, which goes by its name, from Debian's redis-tools."""
    from shutil import which
    program = which("redis-server") or which("redis-check-rdb")
    if program is None:
        return None
    path = os.path.join(directory, "redis-server")
    os.symlink(program, path)
    said = subprocess.run([path, "--version"], capture_output=True, text=True,
                          check=False).stdout
    return path if " v=7" in said else None


def listens(path):
    """A socket has a name before somebody listens."""
    try:
        Client(path).close()
        return True
    except OSError:
        return False


def compare_with_redis(name, before):
    with tempfile.TemporaryDirectory() as work:
        program = find_redis(work)
        if program is None:
            print("without redis-server (Debian: redis-tools)")
            return
        os.mkdir(f"{work}/appendonlydir")
        write(f"{work}/appendonlydir/appendonly.aof.1.incr.aof", content(name))
        write(f"{work}/appendonlydir/appendonly.aof.manifest",
              b"file appendonly.aof.1.incr.aof seq 1 type i\n")
        with subprocess.Popen(
                [program, "--port", "0", "--unixsocket", f"{work}/s",
                 "--save", "", "--appendonly", "yes", "--dir", work],
                stdout=subprocess.DEVNULL) as redis:
            try:
                until(lambda: listens(f"{work}/s") or
                      redis.poll() is not None)
                assert redis.poll() is None, "redis-server refuses the file"
                c = Client(f"{work}/s")
                until(lambda: info(c, "loading") == "0")
                assert dump(c) == before
                c.close()
            finally:
                redis.terminate()


def sudden_end(name):
    """What was answered with --fsync always is there after SIGKILL."""
    for _ in range(4):
        acknowledged = [0] * 4
        with Server(name, "--fsync", "always") as server:
            c = server.client()
            c("flushall")
            writers = [threading.Thread(target=count_up,
                                        args=(server.client(), acknowledged, i))
                       for i in range(4)]
            for writer in writers:
                writer.start()
            until(lambda: min(acknowledged) >= 60)
            server.kill()
            for writer in writers:
                writer.join()
        with Server(name) as server:
            c = server.client()
            for i, least in enumerate(acknowledged):
                found = int(c("get", f"n{i}"))
                assert found >= least, (i, found, least)
                assert c("llen", f"l{i}") in (found, found - 1)


def count_up(client, acknowledged, i):
    try:
        while True:
            client.send(("incr", f"n{i}"), ("rpush", f"l{i}", "x" * 100),
                        ("get", f"n{i}"))
            client.receive()
            client.receive()
            acknowledged[i] = int(client.receive())
    except (Gone, OSError):
        client.close()


def torn(name):
    """A file that is cut anywhere has the commands that are whole."""
    pieces = [encode("SELECT", 0), encode("set", "a", 1), encode("incr", "a"),
              encode("rpush", "l", "x", "\r\n"),
              encode("MULTI") + encode("incr", "a") + encode("incr", "a") +
              encode("EXEC"), encode("pexpireat", "a", FAR)]
    ends = [sum(map(len, pieces[:i])) for i in range(len(pieces) + 1)]
    whole = b"".join(pieces)
    counts = [None, None, b"1", b"2", b"2", b"4", b"4"]
    for size in range(len(whole) + 1):
        write(name, whole[:size])
        done = max(i for i, end in enumerate(ends) if end <= size)
        with Server(name, "--fsync", "always") as server:
            c = server.client()
            assert c("get", "a") == counts[done], size
            assert c("llen", "l") == (2 if done >= 4 else 0), size
            assert c("pexpiretime", "a") == (
                FAR if done == 6 else -1 if done >= 2 else -2)
            assert c("set", "more", size) == b"OK"
            server.kill()
        lost = size - ends[done]
        assert (f"cut {lost} bytes" in server.said) == (lost > 0), server.said
        assert content(name).startswith(whole[:ends[done]])
        assert content(name).endswith(encode("set", "more", size))


def damaged(name):
    """Damage that commands follow is for people to judge."""
    good = [encode("SELECT", 0), encode("set", "a", 1), encode("set", "b", 2),
            encode("set", "c", 3)]
    middle = good[1]
    for bad in (middle.replace(b"*3", b"*4"), middle.replace(b"*3", b"*2"),
                middle.replace(b"$1", b"$2"), b"\0" * len(middle),
                middle.replace(b"$3", b"$999999"), middle[1:], middle + b"x",
                middle.replace(b"\n", b"x", 1), middle.replace(b"set", b"zet"),
                encode("ping"), encode("incr", "a", 1), b"set a 1\r\n",
                encode("set", "a", "x") + encode("incr", "a"), b"*0\r\n"):
        data = good[0] + bad + good[2] + good[3]
        write(name, data)
        said = refused(name)
        assert "damaged at byte" in said, (bad, said)
        assert content(name) == data, "it was changed"
    for bad in (b"\0" * 100, b"garbage", middle[1:], b"*3\r\n$3\r\nset\r\n$x"):
        write(name, good[0] + good[3] + bad)
        with Server(name) as server:
            assert server.client()("get", "c") == b"3"
            server.stop()
        assert f"cut {len(bad)} bytes" in server.said, (bad, server.said)
    write(name, b"REDIS0009\xfa" + good[1])
    assert "RDB preamble" in refused(name)
    write(name, b"#TS:1700000000\r\n" + good[1])
    with Server(name) as server:
        assert server.client()("get", "a") == b"1"


def alone(name):
    """One file, one server."""
    with Server(name) as server:
        c = server.client()
        c("set", "a", 1)
        assert "in use by another server" in refused(name)
        c("bgrewriteaof")
        until(lambda: info(c, "aof_rewrite_in_progress") == "0" and
              info(c, "aof_rewrite_scheduled") == "0")
        assert "in use by another server" in refused(name)
        server.kill()
    with Server(name) as server:
        assert server.client()("get", "a") == b"1"
    assert refused("/nowhere/at/all") == \
        "kv: /nowhere/at/all: No such file or directory\n"


def rewriting(name):
    """Nothing is lost that comes while the file is rewritten."""
    with Server(name, "--fsync", "always") as server:
        c = server.client()
        acknowledged = [0] * 3
        for i in range(200):
            c("set", f"k{i}", "x" * 1000)
        writers = [threading.Thread(target=count_up,
                                    args=(server.client(), acknowledged, i))
                   for i in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(10):
            least = min(acknowledged)
            until(lambda: "started" in start_rewrite(c))
            until(lambda: info(c, "aof_rewrite_in_progress") == "0" and
                  info(c, "aof_rewrite_scheduled") == "0")
            until(lambda: min(acknowledged) > least + 5)
        assert info(c, "aof_last_bgrewrite_status") == "ok"
        server.kill()
        for writer in writers:
            writer.join()
    with Server(name) as server:
        c = server.client()
        for i, least in enumerate(acknowledged):
            found = int(c("get", f"n{i}"))
            assert found >= least, (i, found, least)
            assert c("llen", f"l{i}") in (found, found - 1)
        assert c("dbsize") == 206


def start_rewrite(client):
    try:
        return client("bgrewriteaof").decode()
    except Refused as error:
        return str(error)


def limit(server, size):
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def refusal(client, *command):
    try:
        return client(*command)
    except Refused as error:
        return str(error)


def full(name):
    """Where nothing can be written, nothing is changed."""
    with Server(name, "--fsync", "everysec") as server:
        c = server.client()
        c("set", "a", 1)
        limit(server, 1000)
        written = 0
        while refusal(c, "rpush", "l", "x" * 100) == written + 1:
            written += 1
        until(lambda: info(c, "aof_last_write_status") == "err")
        said = refusal(c, "set", "a", 2)
        assert said == "MISCONF Errors writing to the AOF file: File too " \
            "large", said
        assert c("get", "a") == b"1" and c("llen", "l") == written
        assert c("multi") == b"OK" and refusal(c, "set", "a", 3)[:7] == "MISCONF"
        assert refusal(c, "exec")[:9] == "EXECABORT"
        assert os.stat(name).st_size <= 1000
        limit(server, resource.RLIM_INFINITY)
        until(lambda: info(c, "aof_last_write_status") == "ok")
        assert c("set", "b", 1) == b"OK"
        server.kill()
        assert "cannot be written" in server.said
        assert "is written again" in server.said
    with Server(name) as server:
        c = server.client()
        assert c("get", "a") == b"1" and c("llen", "l") == written


def full_always(name):
    """With --fsync always, what could not be written is not answered."""
    with Server(name, "--fsync", "always") as server:
        c, reader = server.client(), server.client()
        reader("multi")
        reader("set", "b", 1)
        limit(server, 1000)
        answered = 0
        try:
            while True:
                answered = c("rpush", "l", "x" * 100)
        except Gone:
            pass
        c = server.client()
        assert c("llen", "l") == answered + 1
        assert refusal(c, "set", "a", 2)[:7] == "MISCONF"
        assert refusal(reader, "exec")[:41] == \
            "EXECABORT Transaction discarded because o"
        assert os.stat(name).st_size <= 1000
        server.kill()
    with Server(name, "--fsync", "always") as server:
        c = server.client()
        assert c("llen", "l") == answered and c("get", "b") is None
        c("bgrewriteaof")
        until(lambda: info(c, "aof_rewrite_in_progress") == "0" and
              info(c, "aof_rewrite_scheduled") == "0")
        limit(server, 100)
        c("bgrewriteaof")
        until(lambda: info(c, "aof_last_bgrewrite_status") == "err")
        assert not os.path.exists(name + ".rewrite")
        limit(server, resource.RLIM_INFINITY)
        assert c("set", "a", 1) == b"OK"
        server.stop()
    with Server(name) as server:
        c = server.client()
        assert c("llen", "l") == answered and c("get", "a") == b"1"


def expired(name):
    """A key that has expired is gone, before and after."""
    with Server(name) as server:
        c = server.client()
        c("set", "short", 1, "px", 50)
        c("set", "past", 1, "pxat", 1)
        c("set", "long", 1, "px", 100000000)
        until(lambda: c("dbsize") == 1)
        c("setnx", "short", "again")
        server.stop()
    assert encode("DEL", "short") in content(name)
    with Server(name) as server:
        c = server.client()
        assert c("dbsize") == 2 and c("get", "short") == b"again"
        server.kill()
    write(name, encode("set", "a", 1) + encode("pexpireat", "a", 1) +
          encode("set", "b", 1) + encode("pexpireat", "b", 1) +
          encode("incr", "b") + encode("persist", "b"))
    with Server(name) as server:
        c = server.client()
        assert c("get", "a") is None and c("get", "b") == b"2"
        server.stop()
    assert content(name).endswith(encode("DEL", "a"))


def described(name):
    with Server(name, "--fsync", "no") as server:
        c = server.client()
        assert c("config", "get", "append*") == [
            b"appendonly", b"yes", b"appendfilename",
            os.path.basename(name).encode(), b"appendfsync", b"no"]
        c("set", "a", 1)
        until(lambda: info(c, "aof_current_size") != "0")
        assert info(c, "aof_enabled") == "1"
        assert info(c, "aof_base_size") == "0"
        server.stop()
    for bad in (["--fsync", "never"], ["--appendonly"]):
        ended = subprocess.run([sys.argv[1], *bad], capture_output=True,
                               check=False)
        assert ended.returncode == 2 and b"--appendonly FILE" in ended.stderr


def grown(name):
    """A file that has grown to 64 MiB is rewritten unasked."""
    value = b"x" * (1 << 20)
    with Server(name, "--fsync", "no") as server:
        c = server.client()
        for _ in range(66):
            assert c("set", "a", value) == b"OK"
        until(lambda: os.stat(name).st_size < 8 << 20)
        assert c("incr", "n") == 1
        server.stop()
    with Server(name) as server:
        c = server.client()
        assert c("get", "a") == value and c("get", "n") == b"1"


def main():
    for case in (replay, sudden_end, torn, damaged, alone, rewriting, full,
                 full_always, expired, described, grown):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as work:
            case(os.path.join(work, "kv.aof"))
        print(f"{case.__name__}: {time.monotonic() - began:.1f} s", flush=True)


signal.alarm(280)
main()
