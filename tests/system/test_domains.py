# test_domains.py - ports that name one shared QoS row are one bandwidth domain: rates, floors and borrowing hold for
# all of them together, whoever is slow, comes or goes.
"""
    sender S 10.0.0.100                 A 10.0.0.1   B 10.0.0.2   C 10.0.0.3    testpmd 10.0.0.4
          | (system, no QoS)           default-queue 1   queue 2      queue 3   virtio-user, queue 4
          |                                   | (system)  |            |             | dpdkvhostuser
          +----------------- br0 -------------+-----------+------------+-------------+

    one tree for A, B, C and the guest: max-rate 24 -+- 1: floor 8 -+- 2: floor 6 -+- 3: floor 3 -+- 4: floor 4
"""
import contextlib
import json
import sys
import time

import pytest

from support import netns, proc, testpmd, traffic, tree

pytestmark = pytest.mark.weir_only("OVS-DPDK has no shaper")

UDP = proc.REPO / "tests" / "support" / "udp.py"
LINK = 24
FLOORS = {"a": 8, "b": 6, "c": 3, "guest": 4}
NUMBERS = {"a": 1, "b": 2, "c": 3, "guest": 4}
ADDRESSES = {name: f"10.0.0.{number}" for name, number in NUMBERS.items()}
SENDER = "10.0.0.100"
GUEST_MAC = "52:54:00:00:01:00"  # support/testpmd.py gives it to its first port
PAYLOAD = 1400
FRAME = PAYLOAD + 8 + 20 + 14


class Site:
    """The stage above, with the loads that run on it."""

    def __init__(self, lab):
        self.lab = lab
        self.switch = lab.switch
        self.sender = lab.namespace()
        self.spaces = {name: lab.namespace() for name in "abc"}
        self.ports = {}
        self.loads = {}
        lab.switch.add_system("br0", self.sender.veth("p0", f"{SENDER}/24"))
        for name, space in self.spaces.items():
            self.ports[name] = space.veth("p0", f"{ADDRESSES[name]}/24")
            lab.switch.add_system("br0", self.ports[name], *self.default_queue(name))
        for name in self.spaces:
            traffic.wait_ping(self.sender, ADDRESSES[name], 20)
        self.guest_path = lab.switch.add_vhost_server("br0", "pu0")
        self.ports["guest"] = "pu0"
        lab.switch.vsctl(*self.default_queue("guest")[1:])
        self.sender.run("ip", "neigh", "replace", ADDRESSES["guest"], "lladdr", GUEST_MAC, "dev", "p0")

    def default_queue(self, name):
        return ["--", "set", "port", self.ports[name], f"other_config:default-queue={NUMBERS[name]}"]

    def share(self, *names, link=LINK):
        """Makes the ports one domain; returns the row."""
        classes = [tree.QosClass(NUMBERS[name], floor=FLOORS[name]) for name in FLOORS]
        first, *others = [self.ports[name] for name in names]
        self.switch.vsctl(*tree.create_words(first, link, classes, "other_config:shared=true", others=others))
        return self.switch.vsctl("get", "port", first, "qos")

    def load(self, *names, mbit=LINK):
        for name in names:
            self.loads[name] = self.sender.spawn(sys.executable, UDP, "send", ADDRESSES[name], 9000, mbit, PAYLOAD)

    def unload(self, *names):
        for name in names or list(self.loads):
            proc.end_group(self.loads.pop(name))

    def classes(self, name="a"):
        return self.switch.qos_classes(self.ports[name])[1]

    def wait_drained(self, *names):
        def empty():
            classes = self.classes()
            return all(classes[NUMBERS[name]]["queued_bytes"] == 0 for name in names)
        proc.wait_until(empty, 20, f"queues of {names} empty")

    def drops(self, name):
        """What the switch says it dropped on the way out of a port, by reason."""
        counters = json.loads(self.switch.weir_appctl("port/counters", "--json", self.ports[name]))
        return {key: count for key, count in counters.items() if key.startswith("drop_tx") and count}

    def watch(self, seconds=3, settle=1.0):
        """Mbit/s that arrived in the namespaces, and that the classes sent, over the next seconds."""
        time.sleep(settle)
        before = self.switch.qos_classes(self.ports["a"])
        arrived = {name: (time.monotonic(), space.counter("p0", "rx_bytes")) for name, space in self.spaces.items()}
        time.sleep(seconds)
        rates = {}
        for name, space in self.spaces.items():
            begin, bytes_before = arrived[name]
            count = space.counter("p0", "rx_bytes") - bytes_before
            rates[name] = count * 8e-6 / (time.monotonic() - begin)
        shown = tree.Rates(before, self.switch.qos_classes(self.ports["a"]))
        rates["guest"] = shown.sent(NUMBERS["guest"])
        rates["all"] = shown.sent(None)
        return rates

    @contextlib.contextmanager
    def guest(self, polls=True):
        """A peer on pu0 that takes what comes, or is connected and takes nothing."""
        peer = testpmd.Testpmd(self.lab.directory, [(self.guest_path, False)])
        try:
            self.switch.wait_link("pu0", 30)
            proc.wait_until(lambda: "testpmd>" in peer.log.read_text(), 30, "testpmd's prompt")
            # One burst teaches the switch its address.
            peer.command("set fwd rxonly")
            peer.command("start tx_first")
            proc.wait_until(lambda: GUEST_MAC in self.switch.weir_appctl("fdb/show", "br0"), 20, "its address known")
            if not polls:
                peer.command("stop")
                proc.wait_until(lambda: "orward statistics" in peer.log.read_text(), 20, "testpmd stopped")
            yield peer
            assert peer.alive(), proc.tail(peer.log)
        finally:
            peer.kill()


@pytest.fixture(scope="module")
def stage(lab):
    return Site(lab)


@pytest.fixture
def site(stage):
    yield stage
    stage.unload()
    qos = [row for row in stage.switch.vsctl("--bare", "--columns=_uuid", "list", "qos").split()]
    words = []
    for port in stage.ports.values():
        words += ["clear", "port", port, "qos", "--"]
    if qos:
        stage.switch.vsctl(*words, "--all", "destroy", "qos", "--", "--all", "destroy", "queue")


def expect(site, *busy, link=LINK, sum_of=("a", "b", "c", "guest"), seconds=3, settle=1.0, least=0.93):
    """The domain never sends more than its rate; who is busy has its floor and all together the rate."""
    def at_most(rates):
        assert sum(rates[name] for name in ("a", "b", "c")) <= 1.05 * link, rates
        assert rates["all"] <= 1.05 * link, rates

    def at_least(rates):
        for name in busy:
            assert rates[name] >= 0.93 * FLOORS[name], (name, rates)
        assert sum(rates[name] for name in sum_of) >= least * link, rates
    return traffic.steady(lambda: site.watch(seconds, settle), at_least, at_most)


def test_rate_and_floors_hold_for_the_sum_of_ports(site):
    site.share("a", "b", "c")
    site.load("a", "b", "c")
    expect(site, "a", "b", "c")

    # What A leaves is lent to the ports of the others.
    site.unload("a")
    site.wait_drained("a")
    rates = expect(site, "b", "c", sum_of="bc")
    assert rates["a"] < 0.5, rates

    # It has its floor again at once.
    site.load("a")
    expect(site, "a", "b", "c", seconds=2, settle=0.5)


def test_rate_changes_for_all_ports(site):
    row = site.share("a", "b")
    site.load("a", "b")
    for link in (21, 40, LINK):
        site.switch.vsctl("set", "qos", row, f"other_config:max-rate={link * 1_000_000}")
        expect(site, "a", "b", link=link, seconds=2)


def test_every_member_shows_the_tree(site):
    site.share("a", "b", "guest")
    site.load("a", "b", mbit=4)
    proc.wait_until(lambda: all(site.classes()[number]["sent_packets"] > 200 for number in (1, 2)), 20, "packets")
    site.unload()
    site.wait_drained("a", "b")
    shown = {name: site.classes(name) for name in ("a", "b", "guest")}
    assert set(shown["a"]) == {None, 0, 1, 2, 3, 4}
    for name in ("b", "guest"):
        for number, one in site.classes(name).items():
            fields = ("parent", "floor_bps", "ceil_bps", "sent_packets", "dropped_packets")
            assert [one[field] for field in fields] == [shown["a"][number][field] for field in fields], (name, number)
    assert shown["b"][1]["sent_packets"] > 200 and shown["a"][2]["sent_packets"] > 200
    # A port outside has nothing to do with it.
    assert site.classes("c") == {}


def test_kernel_and_vhost_ports_in_one_domain(site):
    with site.guest() as peer:
        site.share("a", "b", "guest")
        site.load("a", "b", "guest")
        expect(site, "a", "b", "guest")
        before = site.classes()[4]["sent_packets"], peer.received()[0]
        time.sleep(2)
        after = site.classes()[4]["sent_packets"], peer.received()[0]
        assert after[1] - before[1] == pytest.approx(after[0] - before[0], rel=0.15)
        assert "drop_tx_ring_full" not in site.drops("guest")


def test_a_guest_that_does_not_read_slows_nobody(site):
    with site.guest(polls=False):
        site.share("a", "b", "guest")
        site.load("a", "b", "guest")
        time.sleep(2)  # its ring of 256 is full by then
        before = site.classes()[4]
        # Each 5 ms one packet of its class is tried, 2.3 Mbit/s.
        expect(site, "a", "b", sum_of="ab", seconds=4, least=0.85)
        after = site.classes()[4]
        # Nothing reached it, and its class says so.
        assert after["sent_packets"] - before["sent_packets"] <= 2, (before, after)
        assert after["dropped_packets"] - before["dropped_packets"] > 1000, (before, after)
        assert site.drops("guest")["drop_tx_ring_full"] > 100
        assert "drop_tx_ring_full" not in site.drops("a")


def send_counted(site, name, mbit, count):
    """Starts to send 'count' frames; the returned function waits for the end and returns how many arrived."""
    log = site.lab.directory / netns.unique_name("sink")
    sink = site.spaces[name].spawn(sys.executable, UDP, "sink", "p0", log=log)
    proc.wait_until(lambda: log.exists() and log.stat().st_size > 0, 10, "a sink that listens")
    sender = site.sender.spawn(sys.executable, UDP, "send", ADDRESSES[name], 9000, mbit, PAYLOAD, count)

    def finish():
        assert sender.wait(timeout=120) == 0
        site.wait_drained(name)
        time.sleep(1)
        last = [line for line in log.read_text().splitlines() if line.endswith("}")][-1]
        proc.end_group(sink)
        return json.loads(last.partition(" ")[2]).get(SENDER, 0) // FRAME

    return finish


def test_ports_join_and_leave_under_traffic(site):
    switch = site.switch
    row = site.share("a", "b", "c")
    site.load("b", "c")
    time.sleep(1)
    before = site.drops("a")
    finish = send_counted(site, "a", FLOORS["a"] * 0.7, 10000)
    for _ in range(8):
        switch.vsctl("clear", "port", site.ports["c"], "qos")
        time.sleep(0.2)
        switch.vsctl("set", "port", site.ports["c"], f"qos={row}")
        time.sleep(0.2)
    for _ in range(3):
        # Its load ends first: frames to an address that nobody has would be flooded to all. Its queue is full.
        site.unload("c")
        switch.vsctl("del-port", site.ports["c"])
        time.sleep(0.2)
        switch.add_system("br0", site.ports["c"], *site.default_queue("c"), f"qos={row}")
        traffic.wait_ping(site.spaces["c"], SENDER, 20)
        site.load("c")
        time.sleep(0.3)
    arrived = finish()
    counted = sum(site.drops("a").values()) - sum(before.values())
    assert arrived + counted == 10000, (arrived, site.drops("a"))
    assert counted <= 1000, site.drops("a")  # a busy machine lets its queue fill up
    site.load("a")
    expect(site, "a", "b", "c")


def test_killed_and_started(site):
    """Floors, numbers and the domain are in the database, and hold again as soon as the daemon is back."""
    switch = site.switch
    row = site.share("a", "b", "c")
    extra = switch.vsctl("set", "qos", row, "queues:77=@q", "--", "--id=@q", "create", "queue",
                         "other_config:parent=1", "other_config:min-rate=1000000")
    assert extra
    site.load("a", "b", "c")
    fields = ("parent", "inner", "floor_bps", "ceil_bps")

    def shape(name):
        return {number: [one[field] for field in fields] for number, one in site.classes(name).items()}

    before = shape("a")
    assert set(before) == {None, 0, 1, 2, 3, 4, 77}
    for _ in range(2):
        expect(site, "a", "b", "c", seconds=2)
        switch.kill()
        switch.start()
        proc.wait_until(lambda: all(switch.qos_classes(site.ports[name])[1] for name in "abc"), 20, "the tree")
        for name in "abc":
            assert shape(name) == before
    expect(site, "a", "b", "c", settle=2)
