# test_explain.py - what the switch says of classes under load, and what it tells Prometheus.
"""
   namespace A  class 10      namespace B  class 21      namespace C  class 22
          |                         |                         |        (system)
          +------------------------ br0 ----------------------+
                                     |
                        port under test: veth, namespace S

    link 20 -+- 10: floor 8
             +- 20: floor 10, ceiling 16 -+- 21: floor 6
                                          +- 22: floor 3, ceiling 7
"""
import json
import re
import socket
import sys
import time
import types
import urllib.error
import urllib.request

import pytest

from support import proc, testpmd, traffic, tree

pytestmark = pytest.mark.weir_only("OVS cannot explain its queues")

UDP = proc.REPO / "tests" / "support" / "udp.py"
LINK = 20
CLASSES = [tree.QosClass(10, floor=8), tree.QosClass(20, floor=10, ceil=16),
           tree.QosClass(21, floor=6, parent=20), tree.QosClass(22, floor=3, ceil=7, parent=20)]
SENDERS = {"a": (101, 10), "b": (102, 21), "c": (103, 22)}


@pytest.fixture(scope="module")
def site(lab):
    spaces = {}
    for name, (host, number) in SENDERS.items():
        spaces[name] = lab.namespace()
        port = spaces[name].veth("p0", f"10.0.0.{host}/24")
        lab.switch.add_system("br0", port, "--", "set", "port", port, f"other_config:egress-class={number}")
    sink = lab.namespace()
    out = sink.veth("p0", "10.0.0.200/24")
    lab.switch.add_system("br0", out)
    for space in spaces.values():
        traffic.wait_ping(space, "10.0.0.200", 20)
    lab.switch.vsctl(*tree.create_words(out, LINK, CLASSES))
    return types.SimpleNamespace(switch=lab.switch, spaces=spaces, sink=sink, out=out)


class Sending:
    """Senders that send UDP, at so many Mbit/s each, while the block runs."""

    def __init__(self, site, **mbit):
        self.site = site
        self.mbit = mbit
        self.running = []

    def __enter__(self):
        for name, mbit in self.mbit.items():
            self.running.append(self.site.spaces[name].spawn(sys.executable, UDP, "send", "10.0.0.200", 9000, mbit,
                                                             1400))
        time.sleep(5)
        return self

    def __exit__(self, *_):
        for process in self.running:
            proc.end_group(process)


def explain(site, number):
    return json.loads(site.switch.weir_appctl("qos/explain", "--json", site.out, str(number)))


def explain_text(site, number):
    return site.switch.weir_appctl("qos/explain", site.out, str(number))


def share(answer, name, whose=None):
    return sum(part["percent"] for part in answer["shares"] if part["name"] == name and part.get("class") == whose)


def test_idle_says_no_packets(site):
    answer = explain(site, 10)
    assert answer["state"] == {"name": "idle"}, answer
    assert "now: no packets" in explain_text(site, 10)


def test_class_at_its_ceiling_says_so(site):
    with Sending(site, c=12):
        answer, text = explain(site, 22), explain_text(site, 22)
    assert share(answer, "own_ceiling") > 25, answer
    assert 4e6 < answer["rates"]["sent_bps"] < 7.7e6, answer  # less on a busy machine, never more
    assert answer["rates"]["dropped_bps"] > 1e6 or answer["queued_packets"] > 0, answer
    assert "waiting for its own ceiling" in text, text
    assert answer["delay_ns"]["queue"]["samples"] > 0, answer


def test_borrower_names_its_lenders(site):
    time.sleep(10)

    def measure():
        with Sending(site, b=12):
            return explain(site, 21)

    def at_least(answer):
        assert answer["rates"]["sent_bps"] >= 0.85 * 12e6, answer
    # 6 of its own, 4 of class 20, 2 of the link.
    answer = traffic.steady(measure, at_least)
    assert answer["rates"]["sent_bps"] <= 1.15 * 12e6, answer
    assert answer["rates"]["borrowed_bps"] > 3e6, answer
    assert share(answer, "borrowing", 20) > 0, answer
    assert share(answer, "own_floor") > 0, answer


def test_ceiling_of_the_tenant_is_named(site):
    time.sleep(10)
    with Sending(site, b=20):
        answer, text = explain(site, 21), explain_text(site, 21)
    assert share(answer, "ancestor_ceiling", 20) > 10, answer
    assert "waiting for the ceiling of class 20" in text, text


@pytest.fixture
def peer(site, lab):
    """Two virtio-user ports, pu0 with a tree of one class, whose peer takes no packets until it is told to."""
    paths = lab.switch.add_vhost_server("br0", "pu0"), lab.directory / "pu1"
    lab.switch.add_vhost_client("br0", "pu1", paths[1])
    lab.switch.vsctl(*tree.create_words("pu0", 1000, [tree.QosClass(10, floor=100)]))
    frontend = testpmd.Testpmd(lab.directory, [(paths[0], False), (paths[1], True)])
    try:
        for port in ("pu0", "pu1"):
            lab.switch.wait_link(port, 30)
        proc.wait_until(lambda: "testpmd>" in frontend.log.read_text(), 30, "testpmd's prompt")
        # What it receives must not come back: nothing answers for its address, so it would go round for ever.
        frontend.command("set fwd rxonly")
        yield frontend
    finally:
        frontend.kill()
        tree.remove(lab.switch.vsctl, "pu0")
        for port in ("pu0", "pu1"):
            lab.switch.vsctl("del-port", port)


def test_guest_that_does_not_read_is_blamed(site, peer):
    sender = site.spaces["a"]
    sender.run("ip", "neigh", "replace", "10.0.0.210", "lladdr", "52:54:00:00:01:00", "dev", "p0")
    load = sender.spawn(sys.executable, UDP, "send", "10.0.0.210", 9000, 4, 1000)

    def about():
        return json.loads(site.switch.weir_appctl("qos/explain", "--json", "pu0", "10"))

    try:
        # 500 frames a second into a ring of 256.
        stuck = proc.wait_until(lambda: (answer := about()) and share(answer, "ring_full") > 30 and answer, 20,
                                "the ring full")
        assert stuck["state"] == {"name": "ring_full"} and stuck["queued_packets"] > 0, stuck
        text = site.switch.weir_appctl("qos/explain", "pu0", "10")
        assert "now: ring full" in text and "advice: the guest does not take packets" in text, text

        peer.command("start")
        freed = proc.wait_until(lambda: (answer := about()) and answer["queued_packets"] == 0 and answer, 20,
                                "the queue empty")
        assert freed["state"]["name"] != "ring_full", freed
        # What stood before the ring meanwhile was timed.
        proc.wait_until(lambda: about()["delay_ns"]["ring"]["samples"] > 0, 20, "delays before the ring")
    finally:
        proc.end_group(load)


def test_all_classes_at_once(site):
    shown = json.loads(site.switch.weir_appctl("qos/show", "--json"))
    assert [port["port"] for port in shown["ports"]] == [site.out]
    numbers = [one["number"] for one in shown["ports"][0]["classes"]]
    assert numbers == [None, 0, 10, 20, 21, 22]
    for one in shown["ports"][0]["classes"]:
        assert one["shares"] == [] or sum(part["percent"] for part in one["shares"]) == pytest.approx(100)


@pytest.mark.parametrize("words, reason", [
    (("nobody", "0"), "nobody: no such interface"), (("OUT", "77"), "has no class 77"),
    (("OUT", "first"), "a class is a number"), (("br0", "0"), "br0 has no QoS")])
def test_errors_name_the_object(site, words, reason):
    with pytest.raises(proc.CommandError) as caught:
        site.switch.weir_appctl("qos/explain", *(site.out if word == "OUT" else word for word in words))
    assert reason in str(caught.value)


# ---- Prometheus ----

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def metrics(site):
    port = free_port()
    site.switch.vsctl("set", "open_vswitch", ".", f"other_config:metrics-listen={port}")
    yield port
    site.switch.vsctl("remove", "open_vswitch", ".", "other_config", "metrics-listen")


def fetch(port, path="/metrics", **more):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", **more), timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)$')


def parse(text):
    """{metric: {labels: value}}; checks what Prometheus would refuse."""
    found, types_of, ended, current = {}, {}, set(), None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types_of, f"{name} is told twice"
            types_of[name] = kind
            ended.add(current)
            current = name
        elif not line.startswith("# HELP "):
            name, labels, value = SAMPLE.match(line).groups()
            family = re.sub(r"_(bucket|sum|count)$", "", name) if types_of.get(current) == "histogram" else name
            assert family == current and family not in ended, line
            assert labels not in found.setdefault(name, {}), line
            found[name][labels] = float(value)
    return found


def test_metrics_are_what_the_counters_say(site, metrics):
    with Sending(site, a=4):
        pass
    time.sleep(1)
    kind, text = fetch(metrics)
    assert kind.startswith("text/plain; version=0.0.4")
    found = parse(text)
    _, classes = site.switch.qos_classes(site.out)
    label = f'port="{site.out}",class="10"'
    assert found["weir_qos_class_sent_bytes_total"][label] == classes[10]["sent_bytes"] > 0
    counts = [value for key, value in found["weir_qos_class_delay_seconds_bucket"].items()
              if key.startswith(label + ',part="queue"')]
    assert counts == sorted(counts) and counts[-1] > 0
    assert counts[-1] == found["weir_qos_class_delay_seconds_count"][label + ',part="queue"']
    assert f'port="{site.out}"' in found["weir_qos_overload_seconds_total"]
    assert any('state="busy"' in key for key in found["weir_worker_cycles_total"])


def test_bad_clients_harm_nobody(site, metrics):
    silent = [socket.create_connection(("127.0.0.1", metrics)) for _ in range(10)]
    for one in silent[:5]:
        one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
    long = socket.create_connection(("127.0.0.1", metrics))
    long.settimeout(20)
    try:
        long.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20000)
        assert long.recv(100).startswith(b"HTTP/1.1 431")
    except ConnectionError:
        pass  # it was not read to its end
    for path, more, code in [("/", {}, 404), ("/metrics", {"method": "POST", "data": b"x"}, 405)]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(metrics, path, **more)
        assert caught.value.code == code
    begin = time.monotonic()
    assert parse(fetch(metrics)[1])
    assert time.monotonic() - begin < 10
    for one in silent:
        one.close()
    long.close()


def test_metrics_are_off_unless_asked_for(site, metrics):
    site.switch.vsctl("remove", "open_vswitch", ".", "other_config", "metrics-listen")
    with pytest.raises(urllib.error.URLError):
        fetch(metrics)
    site.switch.vsctl("set", "open_vswitch", ".", "other_config:metrics-listen=nonsense")
    assert "metrics-listen=nonsense is neither PORT nor ADDRESS:PORT" in site.switch.log_text()
