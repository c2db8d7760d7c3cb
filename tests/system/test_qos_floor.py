# test_qos_floor.py - libvirt's floor: a root, a default class, a class per guest that comes and goes under load.
"""
    The stage of test_qos.py: senders a, b, c in namespaces, whose ports name classes 10, 21 and 22; the port under
    test sends to a sink. Here the classes are plugged and unplugged one by one, as guests would be:

    link 20 -+- 0:  everybody without a class (default), floor 2
             +- 10: floor 8     \
             +- 21: floor 5      > plugged while traffic flows; each borrows up to the link
             +- 22: floor 3     /
"""
import pytest
from test_qos import LINK, SENDERS, sink, site  # noqa: F401  (fixtures)

from support import traffic, tree

pytestmark = pytest.mark.weir_only("OVS-DPDK has no shaper")

FLOORS = {"a": 8, "b": 5, "c": 3}


def plug(switch, out, name):
    qos = switch.vsctl("get", "port", out, "qos")
    number = SENDERS[name][1]
    switch.vsctl("set", "qos", qos, f"queues:{number}=@c", "--", "--id=@c", "create", "queue",
                 f"other_config:min-rate={FLOORS[name] * 1_000_000}")


def unplug(switch, out, name):
    qos = switch.vsctl("get", "port", out, "qos")
    number = SENDERS[name][1]
    queue = tree.queue_uuid(switch.vsctl, out, number)
    switch.vsctl("remove", "qos", qos, "queues", str(number), "--", "destroy", "queue", queue)


def class_numbers(switch, out):
    return {number: one["floor_bps"] for number, one in switch.qos_classes(out)[1].items() if number is not None}


def expect_shares(counter, plugged):
    """Who is plugged has the floor, the link is full, and who is not still gets some of the rest."""
    def at_least(rates):
        for name in plugged:
            assert rates[name] >= 0.97 * FLOORS[name], (name, rates)
        for name in set(FLOORS) - set(plugged):
            assert rates[name] > 0.2, (name, rates)
        assert sum(rates.values()) >= 0.97 * LINK, rates

    def at_most(rates):
        assert sum(rates.values()) <= 1.02 * LINK, rates
    counter.expect(at_least, at_most)


def test_guests_come_and_go_under_load(site, sink):  # noqa: F811
    counter, load = sink
    switch = site.switch
    switch.vsctl(*tree.create_words(site.out, LINK, [tree.QosClass(0, floor=2)]))
    load.start("a", "b", "c")
    plug(switch, site.out, "a")
    expect_shares(counter, "a")
    plug(switch, site.out, "b")
    expect_shares(counter, "ab")
    plug(switch, site.out, "c")
    expect_shares(counter, "abc")
    unplug(switch, site.out, "b")
    expect_shares(counter, "ac")
    # What is full is refused, and nobody loses by it.
    uuid = tree.queue_uuid(switch.vsctl, site.out, 22)
    switch.vsctl("set", "queue", uuid, "other_config:min-rate=11000000")
    assert "can have at most 10000000 bit/s" in switch.vsctl("get", "port", site.out, "status:qos_error")
    expect_shares(counter, "ac")
    switch.vsctl("set", "queue", uuid, "other_config:min-rate=3000000")
    plug(switch, site.out, "b")
    expect_shares(counter, "abc")

    # Class numbers and floors outlive the daemon, however it ends.
    before = class_numbers(switch, site.out)
    assert set(before) == {0, 10, 21, 22}
    switch.kill()
    switch.start()
    for space in site.spaces.values():
        traffic.wait_ping(space, "10.0.0.200", 30)
    assert class_numbers(switch, site.out) == before
    expect_shares(counter, "abc")
