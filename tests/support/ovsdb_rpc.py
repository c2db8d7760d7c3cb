# ovsdb_rpc.py - a bare JSON-RPC connection to an OVSDB server, for tests that look at every message themselves.
import json
import os
import pathlib
import socket

import pytest

from . import proc


class Connection:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.sock.settimeout(10)
        self.buffer = ""
        self.notes = []  # notifications not yet looked at, in order
        self.log = []  # everything received, in order
        self.last_id = 0
        self.decoder = json.JSONDecoder()

    def close(self):
        self.sock.close()

    def send(self, method, params, id=None):
        message = {"method": method, "params": params, "id": id}
        self.sock.sendall(json.dumps(message).encode())

    def receive(self):
        while True:
            self.buffer = self.buffer.lstrip()
            if self.buffer:
                try:
                    message, end = self.decoder.raw_decode(self.buffer)
                    self.buffer = self.buffer[end:]
                    self.log.append(message)
                    return message
                except ValueError:
                    pass
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError("connection closed by the server")
            self.buffer += data.decode()

    def _wait_for(self, id):
        while True:
            message = self.receive()
            if "method" not in message:
                if message.get("id") == id:
                    return message
            elif message["method"] == "echo" and message["id"] is not None:
                reply = {"id": message["id"], "result": message["params"], "error": None}
                self.sock.sendall(json.dumps(reply).encode())
            else:
                self.notes.append((message["method"], message["params"]))

    def start(self, method, *params):
        self.last_id += 1
        self.send(method, list(params), self.last_id)
        return self.last_id

    def finish(self, id):
        """The whole reply to a request begun by start()."""
        return self._wait_for(id)

    def call(self, method, *params):
        """The result; AssertionError if the reply is an error."""
        reply = self.finish(self.start(method, *params))
        assert reply.get("error") is None, reply
        return reply["result"]

    def error(self, method, *params):
        reply = self.finish(self.start(method, *params))
        assert reply.get("error") is not None, reply
        return reply["error"]

    def transact(self, db, *ops):
        return self.call("transact", db, *ops)

    def take_notes(self):
        """Notifications received so far; an echo makes sure that all have come."""
        self.call("echo")
        notes, self.notes = self.notes, []
        return notes


def serve_program():
    folder = os.environ.get("WEIR_BUILD")
    for base in [pathlib.Path(folder)] if folder else [proc.REPO / "build", proc.REPO]:
        if (base / "tests/support/ovsdb-serve").exists():
            return base / "tests/support/ovsdb-serve"
    return pytest.skip("tests/support/ovsdb-serve is not built (set WEIR_BUILD)")
