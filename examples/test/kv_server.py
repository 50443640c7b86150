# SPDX-License-Identifier: MIT
"""A kv and its clients, for the tests that end one or make the other wait."""

import socket
import subprocess
import sys
import time


class Gone(Exception):
    """The server is."""


class Refused(Exception):
    """An error of the server."""


class Client:
    def __init__(self, address):
        family = socket.AF_INET if isinstance(address, tuple) else \
            socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(60)
        self.socket.connect(address)
        self.file = self.socket.makefile("rb")

    def send(self, *commands):
        text = b""
        for command in commands:
            text += encode(*command)
        self.socket.sendall(text)

    def receive(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Gone
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Refused(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"*":
            return [self.receive() for _ in range(size)]
        data = self.file.read(size + 2)
        if len(data) < size + 2:
            raise Gone
        return data[:-2]

    def __call__(self, *command):
        try:
            self.send(command)
            return self.receive()
        except OSError as error:
            raise Gone from error

    def close(self):
        self.file.close()
        self.socket.close()


def encode(*command):
    parts = [p if isinstance(p, bytes) else str(p).encode() for p in command]
    return b"*%d\r\n" % len(parts) + b"".join(
        b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class Server:
    """kv, with a file or without; ends with the block, by SIGKILL unless stop()
    did."""

    def __init__(self, name, *options):
        files = [] if name is None else ["--appendonly", name]
        self.process = subprocess.Popen(
            [sys.argv[1], "--port", "0", *files, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(b":", 1)[1]) if line else 0

    def client(self):
        return Client(("127.0.0.1", self.port))

    def kill(self):
        self.process.kill()
        self.end()

    def stop(self):
        self.process.terminate()
        code = self.end()
        assert code == 0, (code, self.said)

    def end(self):
        self.said = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.wait()

    def __enter__(self):
        assert self.port, self.process.stderr.read()
        return self

    def __exit__(self, *unused):
        if self.process.returncode is None:
            self.kill()


def until(condition):
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.025)
    raise AssertionError("waited in vain")


def info(client, name):
    for line in client("info").decode().split("\r\n"):
        if line.startswith(name + ":"):
            return line.split(":")[1]
    raise AssertionError(name)
