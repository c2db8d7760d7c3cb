"""Two ovsdb-servers of Open vSwitch, one for ovs-vsctl and one for weir-vsctl, to compare them.

Used by tests/system/test_vsctl.py.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def tool(name):
    """A program of the build ($WEIR_BUILD, build/ or the source tree), else of PATH."""
    tree = pathlib.Path(__file__).resolve().parents[2]
    build = os.environ.get("WEIR_BUILD")
    for folder in [pathlib.Path(build)] if build else [tree / "build", tree]:
        if (folder / "utilities" / name).exists():
            return str(folder / "utilities" / name)
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not built")
    return path


class Server:
    """A private ovsdb-server with an empty Open_vSwitch database, or a copy of one."""

    def __init__(self, folder, copy_of=None):
        folder.mkdir()
        self.folder = folder
        self.socket = folder / "db.sock"
        database = folder / "conf.db"
        if copy_of:
            shutil.copy(copy_of, database)
        else:
            subprocess.run(["ovsdb-tool", "create", database, SCHEMA], check=True)
        self.process = subprocess.Popen(
            [
                "ovsdb-server",
                database,
                f"--remote=punix:{self.socket}",
                f"--unixctl={folder}/server.ctl",
                f"--log-file={folder}/server.log",
                "-vconsole:off",
            ]
        )
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < deadline, "ovsdb-server did not start"
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)

    def dump(self):
        """All rows, with names instead of UUIDs, in an order that does not depend on them."""
        schema = json.load(open(SCHEMA))
        ops = [{"op": "select", "table": t, "where": []} for t in sorted(schema["tables"])]
        answer = subprocess.run(
            [
                "ovsdb-client",
                "transact",
                f"unix:{self.socket}",
                json.dumps(["Open_vSwitch"] + ops),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        tables = {
            op["table"]: result["rows"]
            for op, result in zip(ops, json.loads(answer.stdout), strict=True)
        }
        names = {}
        for table, rows in tables.items():
            for row in rows:
                name = row.get("name") or row.get("target") or ""
                names[row["_uuid"][1]] = f"{table}:{name}"
        for rows in tables.values():
            for row in rows:
                del row["_version"]
        text = {}
        for table, rows in tables.items():
            text[table] = sorted(
                json.dumps(canonical(row, names), sort_keys=True) for row in rows
            )
        return text


def canonical(value, names):
    if isinstance(value, list):
        if len(value) == 2 and value[0] == "uuid":
            return names.get(value[1], value[1])
        items = [canonical(v, names) for v in value]
        if len(items) == 2 and items[0] in ("set", "map"):
            items[1] = sorted(items[1], key=json.dumps)
        return items
    if isinstance(value, dict):
        return {k: canonical(v, names) for k, v in value.items()}
    return value


class Sides:
    def __init__(self, folder, copy_of=None):
        self.weir = tool("weir-vsctl")
        self.left = Server(folder / "left", copy_of and copy_of / "left" / "conf.db")
        self.right = Server(folder / "right", copy_of and copy_of / "right" / "conf.db")

    def stop(self):
        self.left.stop()
        self.right.stop()

    @staticmethod
    def run(program, server, words):
        return subprocess.run(
            [program, f"--db=unix:{server.socket}", "--no-wait", "--timeout=20", *words],
            capture_output=True,
            text=True,
        )

    def change(self, *words):
        """Runs on both sides; returns ovs-vsctl's exit status."""
        ovs = self.run("ovs-vsctl", self.left, words)
        weir = self.run(self.weir, self.right, words)
        assert weir.returncode == ovs.returncode, f"{words}: {ovs.stderr} / {weir.stderr}"
        assert without_uuids(weir.stdout) == without_uuids(ovs.stdout), words
        if ovs.returncode == 1:
            assert weir.stderr.startswith("weir-vsctl: "), words
        assert self.right.dump() == self.left.dump(), words
        return ovs.returncode

    def look(self, *words, sort=None):
        """Runs on the left side only; 'sort' splits output whose order is not promised."""
        ovs = self.run("ovs-vsctl", self.left, words)
        weir = self.run(self.weir, self.left, words)
        assert weir.returncode == ovs.returncode, f"{words}: {ovs.stderr} / {weir.stderr}"
        if sort:
            assert sorted(weir.stdout.split(sort)) == sorted(ovs.stdout.split(sort)), words
        else:
            assert weir.stdout == ovs.stdout, words
        return ovs.stdout


def without_uuids(text):
    return UUID.sub("UUID", text)
