# SPDX-License-Identifier: MIT
"""kv.py KV: what programs in Python expect of Redis, from kv."""

import signal
import subprocess
import sys

try:
    import redis
except ImportError:
    print("skipped: no module redis (Debian: python3-redis)")
    sys.exit(77)


def values(r):
    assert r.ping()
    assert r.set("a", 1) and r.incr("a") == 2 and r.get("a") == "2"
    assert r.set("a", "x", nx=True) is None and r.get("none") is None
    assert r.mset({"b": "1", "c": "2"}) and r.mget("b", "none", "c") == [
        "1", None, "2"]
    assert r.set("d", "\r\n", px=100000) and 0 < r.pttl("d") <= 100000
    assert r.ttl("a") == -1 and r.ttl("none") == -2
    try:
        r.incr("d")
        raise AssertionError
    except redis.ResponseError as error:
        assert str(error) == "value is not an integer or out of range"


def pipelines(r):
    p = r.pipeline(transaction=False)
    for i in range(1000):
        p.set(f"key:{i}", i)
    assert p.execute() == [True] * 1000
    found = set(r.scan_iter("key:*", count=50))
    assert found == {f"key:{i}" for i in range(1000)}
    p = r.pipeline()
    assert p.set("x", 1).incr("x").get("x").execute() == [True, 2, "2"]
    with r.pipeline() as p:
        for _ in range(100):
            p.watch("x", "y", "x")
        assert " watch=2 " in p.execute_command("CLIENT", "INFO")
        r.set("y", 1)
        p.watch("y")
        p.multi()
        p.get("y")
        try:
            p.execute()
            raise AssertionError
        except redis.WatchError:
            pass
    with r.pipeline() as p:
        p.watch("x")
        r.set("x", 9)
        p.multi()
        p.get("x")
        try:
            p.execute()
            raise AssertionError
        except redis.WatchError:
            pass


def channels(r):
    def next_of(kind):
        while True:
            message = heard.get_message(timeout=10)
            assert message["type"] == kind, message
            return message["channel"], message["data"]

    heard = r.pubsub()
    heard.subscribe("news")
    heard.psubscribe("n?w*")
    assert next_of("subscribe") == ("news", 1)
    assert next_of("psubscribe") == ("n?w*", 2)
    assert r.publish("news", "hello") == 2
    assert next_of("message") == ("news", "hello")
    assert next_of("pmessage") == ("news", "hello")
    heard.unsubscribe()
    assert next_of("unsubscribe") == ("news", 1)
    heard.close()


def hashes(r):
    fields = {f"field:{i}": str(i) for i in range(1000)}
    assert r.hset("hash", mapping=fields) == 1000
    assert r.hgetall("hash") == fields and set(r.hkeys("hash")) == set(fields)
    assert sorted(r.hvals("hash")) == sorted(fields.values())
    assert dict(r.hscan_iter("hash", match="field:9*", count=50)) == {
        k: v for k, v in fields.items() if k.startswith("field:9")}
    assert r.copy("hash", "hash2") and r.hgetall("hash2") == fields
    assert r.hdel("hash", *fields) == 1000 and not r.exists("hash")
    assert r.hlen("hash2") == 1000


def lists(r):
    items = [str(i) for i in range(1000)]
    assert r.rpush("list", *items) == 1000 and r.lpush("list", "x") == 1001
    assert r.lrange("list", 0, -1) == ["x"] + items and r.lpop("list") == "x"
    for i in range(1000):
        assert r.lmove("list", "list", "RIGHT", "LEFT") == items[-1 - i]
    assert r.lrange("list", 0, -1) == items
    assert r.linsert("list", "before", "500", "y") == 1001
    assert r.lindex("list", 500) == "y" and r.lrem("list", 0, "y") == 1
    assert r.rpush("list", *items) == 2000 and r.lrem("list", -1, "7") == 1
    assert r.lindex("list", 7) == "7" and r.lindex("list", 1007) == "8"
    assert r.copy("list", "list2") and r.llen("list2") == 1999
    assert r.ltrim("list", 990, 1009)
    assert r.lrange("list", 0, -1) == items[990:] + items[:7] + items[8:11]
    assert r.rpop("list", 12) == (items[990:] + items[:7] + items[8:11])[:7:-1]
    assert r.lpop("list", 9) == items[990:998] and not r.exists("list")


def sets(r):
    names = {str(i) for i in range(1000)}
    even = {str(i) for i in range(0, 2000, 2)}
    assert r.sadd("set", *names) == 1000 and r.sadd("even", *even) == 1000
    assert r.smembers("set") == names and set(r.sscan_iter("set")) == names
    assert r.sinter("set", "even") == names & even
    assert r.sunion("set", "even", "none") == names | even
    assert r.sdiff("set", "even", "none") == names - even
    assert r.sinterstore("even", "set", "even") == 500
    assert r.smembers("even") == names & even
    some = r.srandmember("set", 300)
    assert len(some) == len(set(some) & names) == 300
    assert r.smembers("set") == names
    some = r.srandmember("set", -2000)
    assert len(some) == 2000 and 750 < len(set(some))
    assert r.srandmember("set") in names
    assert r.copy("set", "set2") and r.smembers("set2") == names
    some = r.spop("set", 999)
    assert len(some) == 999 and r.smembers("set") == names - set(some)
    assert r.spop("set") in names - set(some) and not r.exists("set")


def sorted_sets(r):
    scores = {f"m:{i}": float(i * 7919 % 500) for i in range(1000)}
    assert r.zadd("zset", scores) == 1000 and r.zadd("zset", scores) == 0
    order = sorted(scores.items(), key=lambda pair: (pair[1], pair[0]))
    assert r.zrange("zset", 0, -1, withscores=True) == order
    assert r.zrevrange("zset", 10, 20, withscores=True) == order[::-1][10:21]
    for rank in range(0, 1000, 37):
        assert r.zrank("zset", order[rank][0]) == rank
        assert r.zrevrank("zset", order[rank][0]) == 999 - rank
    between = [pair for pair in order if 100 < pair[1] <= 200]
    assert r.zrangebyscore("zset", "(100", 200, withscores=True) == between
    assert r.zcount("zset", "(100", 200) == len(between) == 200
    assert dict(r.zscan_iter("zset", count=50)) == scores
    assert r.copy("zset", "zset2")
    assert r.zremrangebyscore("zset", "(100", 200) == 200
    order = [pair for pair in order if pair not in between]
    assert r.zpopmax("zset", 3) == order[:-4:-1]
    for name, score in order[:-3:3]:
        assert r.zincrby("zset", 1000.5, name) == score + 1000.5
    order = [(n, s + 1000.5 * (i % 3 == 0)) for i, (n, s) in
             enumerate(order[:-3])]
    order.sort(key=lambda pair: (pair[1], pair[0]))
    assert r.zrange("zset", 0, -1, withscores=True) == order
    assert r.zrem("zset", *[name for name, _ in order]) == len(order)
    assert not r.exists("zset") and r.zcard("zset2") == 1000


def server(r):
    assert r.set("far", 1) and r.pexpireat("far", 2 ** 63 - 2)
    assert r.execute_command("EXPIRETIME", "far") == 2 ** 63 // 1000 + 1
    assert r.delete("far") == 1
    assert r.info()["redis_version"] and r.info("keyspace")["db0"]["keys"] > 0
    assert r.config_get("save") == {"save": ""}
    assert r.client_setname("me") and r.client_getname() == "me"
    about = r.client_info()
    assert about["cmd"] == "client" and about["idle"] == 0
    assert about["qbuf"] == 0 and about["tot-mem"] > about["qbuf-free"] > 0
    assert len(r.client_list()) >= 1 and r.command()["get"]["arity"] == 2
    assert r.time()[0] > 0 and r.flushall() and r.dbsize() == 0


def main():
    with subprocess.Popen([sys.argv[1], "--port", "0"], text=True,
                          stdout=subprocess.PIPE) as kv:
        try:
            port = int(kv.stdout.readline().rsplit(":", 1)[1])
            r = redis.Redis(port=port, decode_responses=True)
            for case in (values, pipelines, channels, hashes, lists, sets,
                         sorted_sets, server):
                case(r)
        finally:
            kv.send_signal(signal.SIGTERM)
        assert kv.wait() == 0


main()
