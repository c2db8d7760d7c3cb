# test_vlan.py - access and trunk ports with real tagged frames.
"""
     namespace A        namespace B        namespace C              guest g1
    veth, tag=10       veth, tag=20      veth, trunks=10,20      vh1, trunks=10,20
    10.10.0.2          10.20.0.2          raw frames          eth0.10 10.10.0.1, eth0.20 10.20.0.1
         |                  |                  |                        |
         +------------------+------- br0 ------+------------------------+
"""
import types

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from support import guest as guests
from support import traffic

MARK = b"weir vlan test "


@pytest.fixture(scope="module")
def site(lab):
    made = types.SimpleNamespace(a=lab.namespace(), b=lab.namespace(), c=lab.namespace())
    for space, address, words in ((made.a, "10.10.0.2/24", ("tag=10",)), (made.b, "10.20.0.2/24", ("tag=20",)),
                                  (made.c, None, ("trunks=10,20",))):
        veth = space.veth("p0", address)
        lab.switch.add_system("br0", veth, "--", "set", "port", veth, *words)
    made.g1 = lab.vhost_guest(1, "--", "set", "port", "vh1", "trunks=10,20", address=False)
    guests.start_all([made.g1])
    made.g1.run("modprobe 8021q && ip link set eth0 up && "
                "ip link add link eth0 name eth0.10 type vlan id 10 && ip addr add 10.10.0.1/24 dev eth0.10 && "
                "ip link add link eth0 name eth0.20 type vlan id 20 && ip addr add 10.20.0.1/24 dev eth0.20 && "
                "ip link set eth0.10 up && ip link set eth0.20 up")
    return made


def frame(number, vlan=None):
    """A broadcast frame with a mark of its own."""
    head = Ether(src="52:54:00:00:02:01", dst="ff:ff:ff:ff:ff:ff")
    if vlan is not None:
        head = head / Dot1Q(vlan=vlan, prio=5)
    return bytes(head / IP(src="10.9.0.1", dst="255.255.255.255") / UDP(sport=9, dport=9) / (MARK + b"%d" % number))


def exchange(site, sender, number, vlan=None):
    """Sends one marked frame; returns {namespace: the copies that came out there}."""
    spaces = {"a": site.a, "b": site.b, "c": site.c}
    waiting = {name: space.sniff("p0") for name, space in spaces.items() if space is not sender}
    sender.send_frames("p0", frame(number, vlan))
    mark = MARK + b"%d" % number
    return {name: [Ether(data) for data in finish() if mark in data] for name, finish in waiting.items()}


def vlans(copies):
    return [copy[Dot1Q].vlan if Dot1Q in copy else None for copy in copies]


def test_ping_on_both_vlans(site):
    for sender, address in ((site.a, "10.10.0.1"), (site.b, "10.20.0.1")):
        traffic.wait_ping(sender, address, 20)
        count = traffic.ping(sender, address, 20, 0.05)
        assert count.lost == 0, count.text


def test_access_to_trunk_is_tagged(site):
    seen = exchange(site, site.a, 1)
    assert vlans(seen["c"]) == [10]
    assert vlans(seen["b"]) == []


def test_trunk_to_access_is_untagged(site):
    seen = exchange(site, site.c, 2, 20)
    assert vlans(seen["b"]) == [None]
    assert vlans(seen["a"]) == []


def test_vlan_outside_trunk_is_dropped(site):
    seen = exchange(site, site.c, 3, 30)
    assert vlans(seen["a"]) == [] and vlans(seen["b"]) == []


def test_tagged_frame_into_access_port_is_dropped(site):
    seen = exchange(site, site.a, 4, 20)
    assert vlans(seen["b"]) == [] and vlans(seen["c"]) == []


def test_guest_gets_the_tag(site):
    site.g1.run("ip link set eth0 promisc on")
    before = int(site.g1.run("cat /sys/class/net/eth0.10/statistics/rx_packets").text)
    for number in range(10, 15):
        site.a.send_frames("p0", frame(number))
    after = int(site.g1.run("cat /sys/class/net/eth0.10/statistics/rx_packets").text)
    assert after - before >= 5
