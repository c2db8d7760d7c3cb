# test_gate.py - what guests send above their rates: left in their rings, or dropped.
"""
              dpdk-testpmd (each port floods the other)
               | virtio-user, dials        | virtio-user, listens
         pu0 dpdkvhostuser            pu1 dpdkvhostuserclient
               +------------ br0 ------------+
"""
import json
import time

import pytest

from support import proc, testpmd, traffic

pytestmark = pytest.mark.weir_only("OVS-DPDK has no ingress shaping")

MBIT = 1_000_000
RING = 256
BURST_KBIT = 500
PORTS = ("pu0", "pu1")


class Watch:
    """The counters of both ports over some seconds."""

    def __init__(self, switch, seconds=4.0, settle=1.5):
        self._switch = switch
        time.sleep(settle)
        before = {port: self._read(port) for port in PORTS}
        time.sleep(seconds)
        self.after = {port: self._read(port) for port in PORTS}
        self._seconds = {port: self.after[port][0] - before[port][0] for port in PORTS}
        self.grown = {port: {name: value - before[port][1].get(name, 0) for name, value in self.after[port][1].items()}
                      for port in PORTS}

    def _read(self, port):
        counters = json.loads(self._switch.weir_appctl("port/counters", "--json", port))
        return time.monotonic(), counters

    def mbit(self, port, name="rx_bytes"):
        return self.grown[port][name] * 8 / MBIT / self._seconds[port]

    def drops(self, port, side):
        return {name: count for name, count in self.grown[port].items() if name.startswith(f"drop_{side}") and count}

    def now(self, port, name):
        return self.after[port][1][name]


@pytest.fixture(scope="module", params=[1, 2], ids=["1 queue", "2 queues"])
def flood(lab, request):
    """Both ports up and flooding, with frames of 1514 bytes."""
    switch = lab.switch
    paths = switch.add_vhost_server("br0", "pu0"), lab.directory / "pu1"
    switch.add_vhost_client("br0", "pu1", paths[1])
    limit(switch, "pu0", 1, shape=True)
    limit(switch, "pu1", 1, shape=True)
    frontend = testpmd.Testpmd(lab.directory, [(paths[0], False), (paths[1], True)], request.param, flood_bytes=1514)
    try:
        for port in PORTS:
            switch.wait_link(port, 30)
        proc.wait_until(lambda: "testpmd>" in frontend.log.read_text(), 30, "testpmd's prompt")
        frontend.start()
        yield switch
        assert frontend.alive(), proc.tail(frontend.log)
    finally:
        frontend.kill()
        for port in PORTS:
            switch.vsctl("--if-exists", "del-port", port)


def expect_near(switch, *wanted, seconds=4.0):
    """A Watch in which each (port, counter, Mbit/s) of wanted is met: above it by no more than a burst in any window,
    below it only where the machine kept the worker or the peer from running."""
    def at_most(watch):
        for port, name, mbit in wanted:
            assert watch.mbit(port, name) <= 1.02 * mbit + BURST_KBIT / 1000 / seconds, (port, name, watch.grown)

    def at_least(watch):
        for port, name, mbit in wanted:
            assert watch.mbit(port, name) >= 0.93 * mbit, (port, name, watch.grown)
    return traffic.steady(lambda: Watch(switch, seconds), at_least, at_most)


def limit(switch, port, mbit, shape, *more):
    switch.vsctl("set", "interface", port, f"ingress_policing_rate={mbit * 1000}", f"ingress_policing_burst={BURST_KBIT}",
                 f"options:ingress-shaping={'true' if shape else 'false'}", *more)


def test_excess_stays_in_the_ring(flood):
    limit(flood, "pu0", 40, True)
    limit(flood, "pu1", 16, True)
    watch = expect_near(flood, ("pu0", "rx_bytes", 40), ("pu1", "tx_bytes", 40),
                        ("pu1", "rx_bytes", 16), ("pu0", "tx_bytes", 16))
    for port, mbit in (("pu0", 40), ("pu1", 16)):
        assert watch.drops(port, "rx") == {} and watch.drops(port, "tx") == {}
        assert watch.now(port, "rx_gate_waiting") > RING / 2
        assert watch.now(port, "rx_gate_held") <= 2 * 64
        assert watch.grown[port]["rx_gated_ns"] > 0
        ingress = json.loads(flood.weir_appctl("qos/explain", "--json", port, "ingress"))
        assert ingress["ceil_bps"] == mbit * MBIT and ingress["waiting_packets"] > RING / 2
        assert ingress["delay_ns"]["samples"] > 0
        # What the gate holds is a few milliseconds' worth; the rest waits in the ring.
        assert 0 < ingress["delay_ns"]["p50"] < 100_000_000
        assert "packets wait in the sender's ring" in flood.weir_appctl("qos/explain", port, "ingress")


def test_rates_change_while_traffic_flows(flood):
    for mbit in (8, 64, 24):
        limit(flood, "pu0", mbit, True)
        watch = expect_near(flood, ("pu0", "rx_bytes", mbit), seconds=3)
        assert watch.drops("pu0", "rx") == {}


def test_police_drops_the_excess(flood):
    limit(flood, "pu0", 40, False)
    limit(flood, "pu1", 16, True)
    try:
        watch = expect_near(flood, ("pu1", "tx_bytes", 40))
        assert set(watch.drops("pu0", "rx")) == {"drop_rx_policed"}
        assert watch.mbit("pu0") > 60, "the ring is emptied"
    finally:
        limit(flood, "pu0", 40, True)
    watch = Watch(flood, 2)
    assert watch.drops("pu0", "rx") == {}


def test_floors_hold_between_guests(flood):
    flood.vsctl("set", "bridge", "br0", "other_config:ingress-max-rate=60000000")
    try:
        limit(flood, "pu0", 0, True, f"options:ingress-min-rate={45 * MBIT}")
        limit(flood, "pu1", 50, True)

        def floor_and_sum(watch):
            assert watch.mbit("pu0") >= 0.97 * 45, watch.grown
            assert watch.mbit("pu0") + watch.mbit("pu1") >= 0.93 * 60, watch.grown

        def at_most(watch):
            assert watch.mbit("pu0") + watch.mbit("pu1") <= 1.03 * 60, watch.grown
        watch = traffic.steady(lambda: Watch(flood), floor_and_sum, at_most)
        assert watch.drops("pu0", "rx") == {} and watch.drops("pu1", "rx") == {}
        # What the first does not use is the second's, up to its own rate.
        limit(flood, "pu0", 4, True, f"options:ingress-min-rate={MBIT}")
        expect_near(flood, ("pu0", "rx_bytes", 4), ("pu1", "rx_bytes", 50))
    finally:
        flood.vsctl("remove", "interface", "pu0", "options", "ingress-min-rate")
        flood.vsctl("remove", "bridge", "br0", "other_config", "ingress-max-rate")


def test_gated_port_goes_while_traffic_flows(flood):
    limit(flood, "pu0", 8, True)
    limit(flood, "pu1", 16, True)
    flood.vsctl("del-port", "pu0")
    begin = json.loads(flood.weir_appctl("port/counters", "--json", "pu1"))["rx_bytes"]
    proc.wait_until(lambda: json.loads(flood.weir_appctl("port/counters", "--json", "pu1"))["rx_bytes"] > begin + 1_000_000,
                    10, "pu1 goes on")
