# test_ethdev_tso.py - a dpdk port whose device takes frames of 64 KB: DPDK's virtio driver, in front of a port of weir's.
"""
        guest g1 (10.0.0.1)                                   guest g2 (10.0.0.2)
              | vh1                                                 | vh2
             br0 --- eth5 (dpdk, net_virtio_user) === loop --- br1 -+
                                                 (dpdkvhostuser)
"""
import json
import types

import pytest

from support import guest as guests
from support import traffic

pytestmark = pytest.mark.weir_only("needs its own EAL options")

MB = 16


@pytest.fixture(scope="module")
def site(switch_kind, packet_memory):
    # The fixtures' laboratory, with memory that a virtio-user device can share.
    from conftest import Lab
    lab = Lab(switch_kind)
    try:
        lab.switch.more_eal = "--single-file-segments"
        lab.start()
        lab.switch.add_bridge("br1")
        path = lab.switch.add_vhost_server("br1", "loop")
        g1 = lab.vhost_guest(1)
        lab.bridge = "br1"
        g2 = lab.vhost_guest(2)
        lab.switch.vsctl("add-port", "br0", "eth5", "--", "set", "interface", "eth5", "type=dpdk",
                         f'options:dpdk-devargs="net_virtio_user0,path={path},queues=1,queue_size=1024"')
        assert lab.switch.interface_error("eth5") == "", lab.log_tail()
        lab.switch.wait_link("loop")
        guests.start_all([g1, g2])
        for number, guest in enumerate((g1, g2), 1):
            guest.run("echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; "
                      f"ip -6 addr add fd00::{number}/64 dev eth0")
        traffic.wait_ping(g1, g2.address)
        yield types.SimpleNamespace(lab=lab, g1=g1, g2=g2)
    finally:
        lab.close()


def counters(lab, port):
    return json.loads(lab.switch.weir_appctl("port/counters", "--json", port))


@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"], ids=["ipv4", "ipv6"])
def test_device_takes_large_frames(site, address):
    before = counters(site.lab, "eth5"), counters(site.lab, "loop")
    traffic.checked_stream(site.g1, site.g2, address, 5107, MB)(240)
    after = counters(site.lab, "eth5"), counters(site.lab, "loop")
    for port, way in ((0, "tx"), (1, "rx")):
        frames = after[port][f"{way}_packets"] - before[port][f"{way}_packets"]
        assert (after[port][f"{way}_bytes"] - before[port][f"{way}_bytes"]) / frames > 4000, after[port]
    assert after[0]["drop_tx_offload"] == after[1]["drop_rx_offload"] == 0


def test_back_by_segments(site):
    """The driver asks for no large frames in this direction."""
    before = counters(site.lab, "loop")
    traffic.checked_stream(site.g2, site.g1, site.g1.address, 5108, MB)(240)
    after = counters(site.lab, "loop")
    frames = after["tx_packets"] - before["tx_packets"]
    assert 1000 < (after["tx_bytes"] - before["tx_bytes"]) / frames <= 1514
