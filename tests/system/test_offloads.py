# test_offloads.py - frames of 64 KB and checksums left to do, between ends that take them and ends that do not.
"""
     guest g1, offloads on        guest g2, offloads on       guest g3, all offloads off
     10.0.0.1  fd00::1            10.0.0.2  fd00::2           10.0.0.3  fd00::3
              |                          |                           |
              +---------------------+-- br0 --+----------------------+
                                    |         |
                   tap in namespace A         veth in namespace B (type system), offloads on
                   10.0.0.101 fd00::101       10.0.0.102 fd00::102
"""
import json
import sys
import types

import pytest

from support import guest as guests
from support import netns, proc, traffic

pytestmark = pytest.mark.weir_only("OVS-DPDK needs a setting of its own for this")

MB = 16
OFF = ",".join(f"{word}=off" for word in (
    "csum", "guest_csum", "gso", "host_tso4", "host_tso6", "host_ecn", "host_ufo", "guest_tso4", "guest_tso6",
    "guest_ecn", "guest_ufo"))
STREAM = proc.REPO / "tests" / "support" / "stream.py"


@pytest.fixture(scope="module")
def site(lab):
    made = types.SimpleNamespace(a=lab.namespace(), b=lab.namespace(), tap=netns.unique_name("wtp"))
    made.g1, made.g2, made.g3 = lab.vhost_guest(1), lab.vhost_guest(2), lab.vhost_guest(3, options=OFF)
    lab.tap(made.a, made.tap, "10.0.0.101/24")
    made.a.run("ip", "-6", "addr", "add", "fd00::101/64", "dev", made.tap, "nodad")
    made.veth = plain_veth(lab, made.b)
    guests.start_all([made.g1, made.g2, made.g3])
    for number, guest in enumerate((made.g1, made.g2, made.g3), 1):
        lab.switch.wait_link(guest.port)
        guest.run(f"echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip -6 addr add fd00::{number}/64 dev eth0")
        traffic.wait_ping(guest, "10.0.0.101")
    yield made
    for port in ("vh1", "vh2", "vh3", made.tap, made.veth):
        counters = Frames(lab, port).counters()
        assert counters.get("drop_rx_offload", 0) == counters.get("drop_tx_offload", 0) == 0, counters


def plain_veth(lab, space):
    """A veth pair that keeps the offloads it is born with."""
    outside = netns.unique_name("wvo")
    proc.run(["ip", "link", "add", outside, "type", "veth", "peer", "name", "p0", "netns", space.name])
    proc.run(["ip", "link", "set", outside, "up"])
    space.up("p0", "10.0.0.102/24")
    space.run("ip", "-6", "addr", "add", "fd00::102/64", "dev", "p0", "nodad")
    lab.switch.add_system("br0", outside)
    return outside


class Frames:
    """Mean size of the frames that crossed a port since this was made."""

    def __init__(self, lab, port):
        self.lab, self.port = lab, port
        self.before = self.counters()

    def counters(self):
        return json.loads(self.lab.switch.weir_appctl("port/counters", "--json", self.port))

    def since(self, name):
        return self.counters()[name] - self.before[name]

    def mean(self, way):
        return self.since(f"{way}_bytes") / self.since(f"{way}_packets")


def test_drivers_agree_on_offloads(site):
    for guest, word in ((site.g1, "on"), (site.g2, "on"), (site.g3, "off")):
        shown = guest.run("ethtool -k eth0").text
        for feature in ("tcp-segmentation-offload", "tx-tcp6-segmentation", "tx-checksumming"):
            line = next(line for line in shown.splitlines() if line.strip().startswith(feature + ":"))
            assert line.split()[1] == word, shown


@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"], ids=["ipv4", "ipv6"])
def test_large_frames_between_guests(lab, site, address):
    sent, arrived = Frames(lab, "vh1"), Frames(lab, "vh2")
    traffic.checked_stream(site.g1, site.g2, address, 5101, MB)(240)
    # Whole in the switch: one packet in, the same out.
    assert sent.mean("rx") > 1800, sent.counters()
    assert arrived.mean("tx") > 1800, arrived.counters()


@pytest.mark.parametrize("address", ["10.0.0.3", "fd00::3"], ids=["ipv4", "ipv6"])
def test_guest_without_offloads_gets_segments(lab, site, address):
    sent, arrived = Frames(lab, "vh1"), Frames(lab, "vh3")
    errors = site.g3.run("cat /proc/net/snmp").text
    traffic.checked_stream(site.g1, site.g3, address, 5102, MB)(240)
    assert sent.mean("rx") > 1800, sent.counters()
    assert 1000 < arrived.mean("tx") <= 1514, arrived.counters()
    # Not merely repaired by retransmission.
    assert checksum_errors(site.g3.run("cat /proc/net/snmp").text) == checksum_errors(errors)
    assert arrived.since("tx_packets") < 1.2 * MB * 1048576 / 1428 + 100


def checksum_errors(snmp):
    names, values = [line.split() for line in snmp.splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("InCsumErrors")])


def test_from_guest_without_offloads(lab, site):
    sent = Frames(lab, "vh3")
    traffic.checked_stream(site.g3, site.g1, "10.0.0.1", 5103, MB)(240)
    assert sent.mean("rx") <= 1514


def host_stream(lab, space, verb, port):
    """Starts the host's end; the returned function gives the MD5 it saw."""
    log = lab.directory / netns.unique_name("str")
    space.spawn(sys.executable, STREAM, verb, str(port), str(MB), log=log)

    def lines():
        with open(log, encoding="utf-8") as text:
            return text.read().split()

    def finish():
        proc.wait_until(lambda: len(lines()) == 2, 120, "the host's end of the transfer")
        return lines()[1]

    proc.wait_until(lambda: lines()[:1] == ["ready"], 20, "the host's end listening")
    return finish


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("where", ["tap", "veth"])
@pytest.mark.parametrize("who", ["g1", "g3"])
def test_between_guest_and_host(lab, site, who, where, family):
    guest, space = getattr(site, who), site.a if where == "tap" else site.b
    number = 101 if where == "tap" else 102
    address = f"10.0.0.{number}" if family == "ipv4" else f"fd00::{number}"
    host_port = Frames(lab, getattr(site, where))
    finish = host_stream(lab, space, "send", 6001)
    got = guest.run(f"nc {address} 6001 </dev/null | md5sum", 180).text.split()[0]
    assert got == finish()
    assert host_port.mean("rx") > 1800, host_port.counters()  # the host's own TCP sends large frames
    finish = host_stream(lab, space, "receive", 6002)
    guest.run(f"test -f /tmp/data || head -c {MB << 20} /dev/urandom >/tmp/data")
    sent = guest.run("md5sum </tmp/data").text.split()[0]
    guest.run(f"nc {address} 6002 </tmp/data >/dev/null", 180)
    assert sent == finish()


def test_vlan_tags_around_large_frames(lab, site):
    """g1 tags by itself, g2 is an access port: tags are taken off and put on around frames of 64 KB."""
    lab.switch.vsctl("set", "port", "vh2", "tag=10")
    site.g1.run("modprobe 8021q && ip link add link eth0 name eth0.10 type vlan id 10 && "
                "ip addr add 10.10.0.1/24 dev eth0.10 && ip link set eth0.10 up")
    site.g2.run("ip addr add 10.10.0.2/24 dev eth0")
    try:
        traffic.wait_ping(site.g1, "10.10.0.2")
        sent, arrived = Frames(lab, "vh1"), Frames(lab, "vh2")
        traffic.checked_stream(site.g1, site.g2, "10.10.0.2", 5104, MB)(240)
        assert sent.mean("rx") > 1800 and arrived.mean("tx") > 1800
        traffic.checked_stream(site.g2, site.g1, "10.10.0.1", 5105, MB)(240)
    finally:
        lab.switch.vsctl("remove", "port", "vh2", "tag", "10")


def test_scheduler_counts_what_is_on_the_wire(lab, site):
    """g1's large frames pass a shaper as such and leave by segments: both count the same bytes."""
    lab.switch.vsctl("set", "port", "vh3", "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb",
                     "other_config:max-rate=100000000", "other_config:overhead=0", "other_config:mpu=0")
    try:
        link = lab.switch.qos_classes("vh3")[1][None]["sent_bytes"]
        sent, arrived = Frames(lab, "vh1"), Frames(lab, "vh3")
        traffic.checked_stream(site.g1, site.g3, site.g3.address, 5109, MB)(240)
        assert sent.mean("rx") > 1800, sent.counters()
        assert arrived.mean("tx") <= 1514, arrived.counters()
        # The guests' own talk goes on: the two are read until no packet came between.
        proc.wait_until(lambda: lab.switch.qos_classes("vh3")[1][None]["sent_bytes"] - link ==
                        arrived.since("tx_bytes"), 10, "shaper and port count the same")
        assert arrived.since("drop_tx_ring_full") == 0
    finally:
        lab.switch.vsctl("--", "clear", "port", "vh3", "qos", "--", "--all", "destroy", "qos")


def test_to_an_ethdev_that_sums(lab, site):
    """g4 behind DPDK's own vhost driver, which takes checksums to be done but no large frames."""
    path = lab.directory / "eth4"
    lab.switch.vsctl("add-port", "br0", "eth4", "--", "set", "interface", "eth4", "type=dpdk",
                     f'options:dpdk-devargs="net_vhost0,iface={path},queues=1,legacy-ol-flags=0"')
    # That driver has nobody who finishes what a guest leaves: g4 sends finished frames.
    nic = guests.Nic(path, "52:54:00:00:00:04", "10.0.0.4/24", 1, False, None, "csum=off")
    guest = guests.Guest("g4", lab.directory, [nic])
    try:
        guests.start_all([guest])
        traffic.wait_ping(site.g1, "10.0.0.4", 30)
        arrived = Frames(lab, "eth4")
        traffic.checked_stream(site.g1, guest, "10.0.0.4", 5106, MB)(240)
        assert 1000 < arrived.mean("tx") <= 1514, arrived.counters()
        assert arrived.since("drop_tx_offload") == 0
    finally:
        guest.kill()
        lab.switch.vsctl("del-port", "eth4")
