# test_top.py - weir-top on a terminal and in batch mode, and weir-ctl's tools, around a stand-in for the daemon.
"""
    weir-top on a pseudo-terminal of 100 x 24
        |  unix socket: qos/show --json, qos/explain
    the stand-in, in a thread: port vh0 with classes 1 (10, 20 below it) and 2, port vh1 with class 0
"""
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

from support import terminal

TREE = pathlib.Path(__file__).resolve().parents[2]


def program(name):
    build = os.environ.get("WEIR_BUILD")
    for folder in [pathlib.Path(build)] if build else [TREE / "build", TREE]:
        if (folder / "utilities" / name).exists():
            return str(folder / "utilities" / name)
    pytest.skip(f"{name} is not built")


def one_class(number, parent=None, bps=0, state="idle", **more):
    return dict(
        {"number": number, "parent": parent, "inner": False, "floor_bps": 0, "ceil_bps": 0},
        offered_packets=0,
        offered_bytes=0,
        rates={"span_ns": 10**9, "sent_bps": bps, "borrowed_bps": 0, "dropped_pps": more.pop("drops", 0)},
        state={"name": state},
        **more,
    )


def port(name, classes):
    return {"port": name, "type": "linux-htb", "kind": "tree", "time_ns": time.monotonic_ns(), "classes": classes}


def two_ports():
    vh0 = [
        one_class(None, bps=70_000_000, ceil_bps=100_000_000),
        one_class(1, bps=60_000_000, state="below"),
        one_class(2, bps=10_000_000, state="own_ceiling"),
        one_class(10, 1, bps=20_000_000, drops=7),
        one_class(20, 1, bps=40_000_000, floor_bps=30_000_000, state="own_floor"),
    ]
    return [port("vh0", vh0), port("vh1", [one_class(None, ceil_bps=10**9), one_class(0)])]


class StandIn:
    """Answers like the daemon's control socket."""

    def __init__(self, folder):
        self.path = str(folder / "stand-in.ctl")
        self.ports = two_ports
        self.tells_all = True  # knows "qos/show --json" without a port
        self.delay_s = 0
        self.start()

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(20)
        threading.Thread(target=self.serve, args=(self.socket,), daemon=True).start()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)

    def serve(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        text, decoder = "", json.JSONDecoder()
        while True:
            try:
                data = client.recv(65536)
            except OSError:
                return
            if not data:
                return
            text += data.decode()
            try:
                request, end = decoder.raw_decode(text)
            except ValueError:
                continue
            text = text[end:].lstrip()
            result, error = self.answer(request["method"], request["params"])
            reply = {"id": request["id"], "error": error, "result": result}
            try:
                client.sendall(json.dumps(reply).encode())
            except OSError:
                return

    def answer(self, method, params):
        time.sleep(self.delay_s)
        if method == "qos/explain":
            return f"class {params[1]} of {params[0]}\nsends on its own floor\n", None
        if method == "dpif/show":
            lines = "".join(f"    {one['port']} 1/2: (tap)\n" for one in self.ports())
            return "netdev@ovs-netdev: hit:0 missed:0\n  br0:\n" + lines, None
        if method != "qos/show":
            return None, f'"{method}" is not a valid command\n'
        names = [word for word in params if word != "--json"]
        if names:
            found = [one for one in self.ports() if one["port"] == names[0]]
            return (json.dumps(found[0]), None) if found else (None, "no such interface\n")
        if self.tells_all:
            return json.dumps({"time_ns": 1, "ports": self.ports()}), None
        return None, '"qos/show" command requires at least 1 arguments\n'


@pytest.fixture
def daemon(tmp_path):
    one = StandIn(tmp_path)
    yield one
    try:
        one.stop()
    except OSError:
        pass


@pytest.fixture
def top(daemon):
    running = []

    def start(*words, **more):
        one = terminal.Terminal([program("weir-top"), "-t", daemon.path, "-d", "200ms", *words], **more)
        running.append(one)
        return one

    yield start
    for one in running:
        one.close()


def run(name, *words, timeout=30):
    return subprocess.run([program(name), *words], capture_output=True, text=True, timeout=timeout)


def names(text):
    """The rows' names in their order, of a screen or of batch output."""
    return re.findall(r"^ *\+?(vh\d|class \d+) ", text, re.M)


# ---- batch


def test_batch_prints_the_tree(daemon):
    got = run("weir-top", "-t", daemon.path, "-b", "-n", "1", "-w", "150")
    assert got.returncode == 0, got.stderr
    assert names(got.stdout) == ["vh0", "class 1", "class 10", "class 20", "class 2", "vh1", "class 0"]
    line = next(line for line in got.stdout.splitlines() if "class 20" in line)
    assert re.search(r"\[=+\|#+\.+\] +40\.0M +30\.0M +- ", line) and line.endswith("own floor")
    assert max(map(len, got.stdout.splitlines())) <= 150


def test_batch_sorts_filters_and_lists(daemon):
    got = run("weir-top", "-t", daemon.path, "-b", "-n", "1", "--list", "--sort=rate", "--filter=vh0")
    assert names(got.stdout) == ["vh0", "class 1", "class 20", "class 10", "class 2"]
    got = run("weir-top", "-t", daemon.path, "-b", "-n", "1", "--filter=class 20")
    assert names(got.stdout) == ["vh0", "class 1", "class 20"]


def test_batch_repeats(daemon):
    got = run("weir-top", "-t", daemon.path, "-b", "-n", "3", "-d", "100ms")
    assert got.stdout.count("weir-top ") == 3


def test_rates_of_a_daemon_that_tells_counters_only(daemon):
    start = time.monotonic_ns()

    def ports():
        now = time.monotonic_ns()
        root = {"number": None, "parent": None, "ceil_bps": 10**9, "sent_bytes": 0}
        busy = {"number": 5, "parent": None, "sent_bytes": (now - start) // 1000}
        return [dict(port("vh0", [root, busy]), time_ns=now)]

    daemon.ports, daemon.tells_all = ports, False
    got = run("weir-top", "-t", daemon.path, "-b", "-n", "2", "-d", "300ms")
    lines = [line for line in got.stdout.splitlines() if "class 5" in line]
    assert re.search(r"\] +- ", lines[0]) and re.search(r"\] +(8\.00|7\.99|8\.01)M ", lines[1]), got.stdout


@pytest.mark.parametrize(
    "words, reason",
    [
        (("-b", "-t", "/nowhere/x.ctl"), "/nowhere/x.ctl"),
        (("-b", "-t", "weir-nobody"), "weir-nobody is not running"),
        (("-b", "-s", "colour"), '"colour" is not name, rate, drops or delay'),
        (("-d", "0"), "--interval"),
        (("-n", "3"), "--count needs --batch"),
        (("vh0",), 'unexpected argument "vh0"'),
    ],
)
def test_clear_errors(words, reason):
    got = run("weir-top", *words)
    assert got.returncode == 1 and reason in got.stderr and got.stderr.startswith("weir-top: "), got
    assert len(got.stderr.splitlines()) == 1


def test_no_terminal(daemon):
    got = run("weir-top", "-t", daemon.path)
    assert got.returncode == 1 and "--batch" in got.stderr


# ---- on a terminal


def test_keys(top):
    one = top()
    text = one.wait(r"class 20")
    assert names(text) == ["vh0", "class 1", "class 10", "class 20", "class 2", "vh1", "class 0"]
    assert "2 ports, 5 classes" in text
    one.press("r")
    assert names(one.wait("by rate"))[2:4] == ["class 20", "class 10"]
    one.press("R")
    assert names(one.wait("by rate reversed"))[0] == "vh1"
    one.press("Rn")
    one.wait("by name$")
    # Class 1 is the second line: collapse it, and expand it.
    one.press("j ")
    assert "class 20" not in one.wait(r"\+class 1 ")
    one.press(" ")
    one.wait("class 20")
    one.press("/class 20\r")
    assert names(one.wait(r"filter: class 20 ")) == ["vh0", "class 1", "class 20"]
    one.press("\x1b")
    one.wait("class 10")
    one.press("?")
    one.wait("press any key")
    one.press("x")
    one.wait("press any key", absent=True)
    one.press("t")
    assert names(one.wait(", list"))[:2] == ["vh0", "class 1"]
    one.press("q")
    assert one.wait_end() == 0


def test_explain_pane(top):
    one = top()
    one.wait("class 20")
    one.press("e")
    one.wait("class root of vh0")
    one.press("jjj")
    text = one.wait("^class 20 of vh0")
    assert "-- vh0, class 20" in text and "sends on its own floor" in text
    one.press("e")
    one.wait("sends on its own floor", absent=True)
    one.press("q")
    assert one.wait_end() == 0


def test_pause_and_interval(top, daemon):
    one = top()
    one.wait("class 20")
    one.press("p")
    one.wait("PAUSED")
    daemon.ports = lambda: two_ports()[1:]
    time.sleep(0.7)
    one.read(0.2)
    assert "class 20" in one.screen.text()
    one.press("p+")
    one.wait("every 400ms")
    one.wait("class 20", absent=True)
    one.press("--")
    one.wait("every 100ms")


def test_resize(top):
    one = top()
    one.wait("class 20")
    one.resize(6, 60)
    text = one.wait("class 10")
    assert names(text) == ["vh0", "class 1", "class 10"]
    one.press("G")
    assert names(one.wait("class 0")) == ["class 2", "vh1", "class 0"]
    one.resize(30, 150)
    assert "[" in one.wait(r"class 20.*own floor")
    one.resize(2, 10)
    one.wait("too few")
    one.press("q")
    assert one.wait_end() == 0


def test_daemon_goes_and_comes_back(top, daemon):
    one = top()
    one.wait("class 20")
    daemon.stop()
    text = one.wait("stand-in.ctl")
    assert "class 20" in text
    daemon.start()
    one.wait("stand-in.ctl", absent=True)


def test_no_colors(top):
    one = top("--no-color", env={"TERM": "xterm-256color"}.items())
    one.wait("weir-top: 2 ports")
    assert not re.search(rb"\x1b\[[\d;]*3[0-7]m", one.output)


def test_colors(top):
    one = top(env={"TERM": "xterm-256color"}.items())
    one.wait("weir-top: 2 ports")
    assert re.search(rb"\x1b\[[\d;]*31[m;]", one.output), one.output


def test_slow_daemon_does_not_hold_up_keys(top, daemon):
    """A daemon that takes two seconds for an answer: keys act long before the next one."""
    one = top()
    one.wait("class 20")
    daemon.delay_s = 5
    time.sleep(0.5)
    begin = time.monotonic()
    one.press("r")
    one.wait("by rate", seconds=4)
    assert time.monotonic() - begin < 4


def test_ten_thousand_classes(top, daemon):
    many = [one_class(None, ceil_bps=10**10)]
    many += [one_class(number, None if number <= 100 else number % 100 + 1, bps=number) for number in range(1, 10001)]
    daemon.ports = lambda: [port("vh0", many)]
    one = top("-d", "1s")
    one.wait("10000 classes", seconds=60)
    one.press("/class 9999\r")
    assert names(one.wait(r"^ +class 9999 ")) == ["vh0", "class 100", "class 9999"]
    one.press("\x1b")
    one.press("tr")
    assert names(one.wait("^class 10000 ", seconds=60))[:2] == ["class 10000", "class 9999"]
    one.press("q")
    assert one.wait_end(60) == 0


# ---- the live tree and recordings


def test_record_and_simulate_live(daemon, tmp_path):
    begin = time.monotonic_ns()

    def ports():
        now = time.monotonic_ns()
        root = {"number": None, "parent": None, "ceil_bps": 10**8}
        offered = (now - begin) // 800  # 10 Mbit/s
        busy = {"number": 5, "parent": None, "offered_bytes": offered, "offered_packets": offered // 1000}
        return [dict(port("vh0", [root, busy]), time_ns=now)]

    daemon.ports = ports
    got = run("weir-qos-record", "-t", daemon.path, "-i", "200ms", "vh0", "1")
    assert got.returncode == 0, got.stderr
    assert len(json.loads(got.stdout)["snapshots"]) == 6
    (tmp_path / "loads").write_text(got.stdout)
    got = run("weir-qos-simulate", "-t", daemon.path, "--live=vh0", "--json", str(tmp_path / "loads"))
    assert got.returncode == 0, got.stderr
    outcome = json.loads(got.stdout)
    assert 0.9 < outcome["seconds"] < 2
    sent = next(one["sent_bps"] for one in outcome["classes"] if one["number"] == 5)
    assert abs(sent - 1e7) < 3e5
    got = run("weir-qos-record", "-t", daemon.path, "vh9", "1")
    assert got.returncode == 1 and "vh9: no such interface" in got.stderr
