# test_qos.py - floors, ceilings and borrowing on real ports, measured by whoever receives.
"""
      namespace A          namespace B          namespace C
   10.0.0.101 class 10  10.0.0.102 class 21  10.0.0.103 class 22
          |                    |                    |          (system)
          +------------------ br0 -----------------+
                        |               |
           port under test: veth     vh1 (guest g1, 10.0.0.1)
           namespace S 10.0.0.200

    link 20 -+- 10: floor 8                     (tenant one)
             +- 20: floor 10, ceiling 16        (tenant two)
                 +- 21: floor 6
                 +- 22: floor 3, ceiling 7
"""
import json
import os
import pathlib
import sys
import time
import types

import pytest

from support import guest as guests
from support import netns, proc, traffic, tree

pytestmark = pytest.mark.weir_only("OVS-DPDK has no shaper")

UDP = proc.REPO / "tests" / "support" / "udp.py"
LINK = 20
PORT = 9000
CLASSES = [tree.QosClass(10, floor=8), tree.QosClass(20, floor=10, ceil=16),
           tree.QosClass(21, floor=6, parent=20), tree.QosClass(22, floor=3, ceil=7, parent=20)]
SENDERS = {"a": (101, 10), "b": (102, 21), "c": (103, 22)}


class Load:
    """UDP senders in the namespaces, each far above what the link has."""

    def __init__(self, site, address):
        self.site = site
        self.address = address
        self.running = {}

    def start(self, *names, mbit=LINK):
        for name in names:
            self.running[name] = self.site.spaces[name].spawn(
                sys.executable, UDP, "send", self.address, PORT, mbit, 1400)

    def stop(self, *names):
        for name in names or list(self.running):
            proc.end_group(self.running.pop(name))


class Sink:
    """Counts what arrives in namespace S, by source."""

    def __init__(self, lab, space):
        self.log = lab.directory / netns.unique_name("sink")
        self.process = space.spawn(sys.executable, UDP, "sink", "p0", log=self.log)

    def samples(self):
        found = []
        for line in self.log.read_text().splitlines():
            stamp, _, text = line.partition(" ")
            try:
                found.append((int(stamp), json.loads(text)))
            except ValueError:
                pass  # the last line, half written
        return found

    def rates(self, begin_ns, end_ns):
        """Mbit/s by sender between two moments of CLOCK_MONOTONIC."""
        chosen = [sample for sample in self.samples() if begin_ns <= sample[0] <= end_ns]
        (first_ns, first), (last_ns, last) = chosen[0], chosen[-1]
        return {name: (last.get(f"10.0.0.{host}", 0) - first.get(f"10.0.0.{host}", 0)) * 8e3 / (last_ns - first_ns)
                for name, (host, _) in SENDERS.items()}

    def watch(self, seconds, settle=1.0):
        """Rates over the next seconds, after a second to settle."""
        time.sleep(settle)
        begin = time.monotonic_ns()
        time.sleep(seconds)
        return self.rates(begin, time.monotonic_ns())

    def expect(self, at_least, at_most=None, seconds=3, settle=1.0):
        """Rates of the first window in which at_least() holds; at_most() holds in all (see traffic.steady)."""
        return traffic.steady(lambda: self.watch(seconds, settle), at_least, at_most)

    def stop(self):
        proc.end_group(self.process)


def wait_drained(site, *numbers):
    """Waits until nothing of a class that fell silent stands in its queue."""
    def empty():
        _, classes = site.switch.qos_classes(site.out)
        return all(classes[number]["queued_bytes"] == 0 for number in numbers)
    proc.wait_until(empty, 20, f"queues {numbers} empty")


@pytest.fixture(scope="module")
def site(lab):
    spaces = {}
    ports = {}
    for name, (host, number) in SENDERS.items():
        spaces[name] = lab.namespace()
        ports[name] = spaces[name].veth("p0", f"10.0.0.{host}/24")
        lab.switch.add_system("br0", ports[name], "--", "set", "port", ports[name],
                              f"other_config:egress-class={number}")
    sink_space = lab.namespace()
    out = sink_space.veth("p0", "10.0.0.200/24")
    lab.switch.add_system("br0", out)
    for space in spaces.values():
        traffic.wait_ping(space, "10.0.0.200", 20)
    return types.SimpleNamespace(lab=lab, switch=lab.switch, spaces=spaces, ports=ports, sink_space=sink_space, out=out)


@pytest.fixture
def sink(site):
    counter = Sink(site.lab, site.sink_space)
    load = Load(site, "10.0.0.200")
    yield counter, load
    load.stop()
    counter.stop()
    tree.remove(site.switch.vsctl, site.out)


def assert_floors(rates, idle=()):
    for name, floor in {"a": 8, "b": 6, "c": 3}.items():
        if name not in idle:
            assert rates[name] >= 0.97 * floor, (name, rates)


def assert_ceilings(rates):
    assert rates["c"] <= 1.02 * 7, rates
    assert rates["b"] + rates["c"] <= 1.02 * 16, rates
    assert_within(rates, LINK)


def assert_within(rates, limit):
    assert sum(rates.values()) <= 1.02 * limit, rates


def test_tree(site, sink):
    counter, load = sink
    site.switch.vsctl(*tree.create_words(site.out, LINK, CLASSES))
    load.start("a", "b", "c")

    def all_busy(rates):
        assert_floors(rates)
        assert rates["b"] + rates["c"] >= 0.97 * 10, rates
        assert sum(rates.values()) >= 0.97 * LINK, rates
    counter.expect(all_busy, assert_ceilings, seconds=4)

    load.stop("a")
    wait_drained(site, 10)

    def tenant_two_alone(rates):
        assert_floors(rates, idle="a")
        assert rates["b"] + rates["c"] >= 0.97 * 16, rates
    counter.expect(tenant_two_alone, assert_ceilings, seconds=4)

    load.start("a")
    counter.expect(assert_floors, assert_ceilings, seconds=2, settle=0.5)

    load.stop("b", "c")
    wait_drained(site, 21, 22)

    def whole_link(rates):
        assert rates["a"] >= 0.97 * LINK, rates
    counter.expect(whole_link, assert_ceilings)


def test_ceiling_changed_live(site, sink):
    """With sender B idle, tenant two's floor carries C up to its ceiling, whatever that is at the moment."""
    counter, load = sink
    site.switch.vsctl(*tree.create_words(site.out, LINK, CLASSES))
    load.start("a", "c")
    for ceiling in (7, 4, 6):
        site.switch.vsctl("set", "queue", tree.queue_uuid(site.switch.vsctl, site.out, 22),
                          f"other_config:max-rate={ceiling * 1_000_000}")

        def at_least(rates, ceiling=ceiling):
            assert rates["c"] >= 0.97 * ceiling, rates
            assert sum(rates.values()) >= 0.97 * LINK, rates

        def at_most(rates, ceiling=ceiling):
            assert rates["c"] <= 1.02 * ceiling, rates
            assert_within(rates, LINK)
        counter.expect(at_least, at_most)


def test_counters_tell_what_arrived(site, sink):
    counter, load = sink
    site.switch.vsctl(*tree.create_words(site.out, LINK, CLASSES))
    load.start("a", "b", "c")

    def measure():
        time.sleep(1)
        before = site.switch.qos_classes(site.out)
        begin = time.monotonic_ns()
        time.sleep(3)
        after = site.switch.qos_classes(site.out)
        return tree.Rates(before, after), counter.rates(begin, time.monotonic_ns())

    def equal(window):
        shown, seen = window
        for name, (_, number) in SENDERS.items():
            assert shown.sent(number) == pytest.approx(seen[name], rel=0.05), (shown.classes, seen)
            assert shown.classes[number]["dropped"] > 1, shown.classes
        assert shown.sent(20) == pytest.approx(shown.sent(21) + shown.sent(22), rel=0.03), shown.classes
    traffic.steady(measure, equal)


def test_without_qos_nothing_is_held_back(site, sink):
    counter, load = sink
    load.start("a", "b")

    def at_least(rates):
        assert rates["a"] + rates["b"] > 1.2 * LINK, rates
    counter.expect(at_least)


def test_tree_on_a_guest_port(site):
    lab = site.lab
    guest = lab.vhost_guest(1)
    guests.start_all([guest])
    traffic.wait_ping(site.spaces["a"], guest.address, 20)
    lab.switch.vsctl(*tree.create_words("vh1", LINK, CLASSES))
    load = Load(site, guest.address)
    load.start("a", "b", "c")

    def received_bytes():
        return int(guest.run("cat /sys/class/net/eth0/statistics/rx_bytes").text)

    def measure():
        time.sleep(2)
        begin = received_bytes()
        before = lab.switch.qos_classes("vh1")
        time.sleep(5)
        shown = tree.Rates(before, lab.switch.qos_classes("vh1"))
        shown.received_bytes = received_bytes() - begin
        return shown

    def by_sender(shown):
        return {name: shown.sent(number) for name, (_, number) in SENDERS.items()}

    def at_least(shown):
        assert_floors(by_sender(shown))
        assert shown.sent(None) >= 0.97 * LINK, shown.classes
        # The two readings in the guest lie a little outside those of the counters.
        assert shown.received_bytes * 8 / 1e6 >= 0.97 * LINK * shown.seconds, (shown.received_bytes, shown.classes)

    try:
        traffic.steady(measure, at_least, lambda shown: assert_ceilings(by_sender(shown)))
    finally:
        load.stop()
    # ARP and ping are not held up by the load of others: they take the default class.
    assert traffic.ping(site.sink_space, guest.address, 5).lost == 0


def assert_five(rates):
    assert rates["a"] <= 1.05 * 5, rates


def assert_more(rates, name, than):
    assert rates[name] > than, rates


def test_ingress_policing(site, sink):
    counter, load = sink
    site.switch.vsctl("set", "interface", site.ports["a"], "ingress_policing_rate=5000", "ingress_policing_burst=500")
    try:
        load.start("a", "b")

        def at_least(rates):
            assert rates["a"] >= 0.95 * 5, rates
            assert rates["b"] > 0.9 * LINK, rates
        counter.expect(at_least, assert_five, seconds=4)
    finally:
        site.switch.vsctl("set", "interface", site.ports["a"], "ingress_policing_rate=0", "ingress_policing_burst=0")
    counter.expect(lambda rates: assert_more(rates, "a", 0.9 * LINK), seconds=2)


def kernel_worker_seconds(switch):
    """Processor time of the thread that serves the kernel's interfaces."""
    for task in pathlib.Path(f"/proc/{switch.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "kernel-ports":
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("no kernel worker")


def port_counters(site, name):
    return json.loads(site.switch.weir_appctl("port/counters", "--json", site.ports[name]))


def test_ingress_shaping_of_a_kernel_interface(site, sink):
    counter, load = sink
    site.switch.vsctl("set", "interface", site.ports["a"], "ingress_policing_rate=5000", "options:ingress-shaping=true")
    try:
        load.start("a", "b", mbit=10)
        before = port_counters(site, "a")

        def measure():
            begin = kernel_worker_seconds(site.switch)
            rates = counter.watch(4)
            return rates, kernel_worker_seconds(site.switch) - begin

        def at_least(window):
            assert window[0]["a"] >= 0.95 * 5, window
            assert_more(window[0], "b", 9)
        _, used = traffic.steady(measure, at_least, lambda window: assert_five(window[0]))
        after = port_counters(site, "a")
        dropped = {name for name in after if name.startswith("drop_rx") and after[name] > before[name]}
        assert dropped == set()
        assert after["rx_gate_packets"] > 1000
        # A gated descriptor stays readable: the worker must not wake up for it all the time.
        assert used < 0.5 * 5, f"{used} s of processor time"
    finally:
        site.switch.vsctl("set", "interface", site.ports["a"], "ingress_policing_rate=0", "--",
                          "remove", "interface", site.ports["a"], "options", "ingress-shaping")
    counter.expect(lambda rates: assert_more(rates, "a", 9), seconds=2)


def test_egress_policer(site, sink):
    counter, load = sink
    site.switch.vsctl("set", "port", site.out, "qos=@q", "--", "--id=@q", "create", "qos", "type=egress-policer",
                      "other_config:cir=1000000", "other_config:cbs=20000")
    load.start("a", "b")

    def at_least(rates):
        assert sum(rates.values()) >= 0.95 * 8, rates

    def at_most(rates):
        assert sum(rates.values()) <= 1.05 * 8, rates
    counter.expect(at_least, at_most, seconds=4)
