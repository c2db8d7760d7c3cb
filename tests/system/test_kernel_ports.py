# test_kernel_ports.py - a tap in a namespace, a veth of the kernel (type system) and a guest on one bridge.
"""
     namespace A                  namespace B                guest g1
   tap 10.0.0.101              veth 10.0.0.102               10.0.0.1
         |                           | (system)                  |
         +------------------------- br0 ------------------------ vh1
"""
import types

import pytest

from support import guest as guests
from support import netns, proc, traffic


@pytest.fixture(scope="module")
def site(lab):
    space_a, space_b = lab.namespace(), lab.namespace()
    tap = netns.unique_name("wtp")
    lab.tap(space_a, tap, "10.0.0.101/24")
    veth = space_b.veth("p0", "10.0.0.102/24")
    lab.switch.add_system("br0", veth)
    g1 = lab.vhost_guest(1)
    guests.start_all([g1])
    return types.SimpleNamespace(a=space_a, b=space_b, g1=g1, tap=tap, veth=veth)


def test_ping_everyone(site):
    for sender, address in ((site.a, "10.0.0.1"), (site.b, "10.0.0.1"), (site.a, "10.0.0.102"),
                            (site.b, "10.0.0.101"), (site.g1, "10.0.0.101"), (site.g1, "10.0.0.102")):
        traffic.wait_ping(sender, address, 20)
        count = traffic.ping(sender, address, 20, 0.05)
        assert count.lost == 0, count.text


def test_ping_large_frames(site):
    for sender in (site.a, site.b):
        count = traffic.ping(sender, "10.0.0.1", 10, 0.05, "-M do -s 1472")
        assert count.lost == 0, count.text


@pytest.mark.parametrize("where", ["tap", "veth"])
@pytest.mark.parametrize("reverse", [False, True], ids=["to-guest", "from-guest"])
def test_iperf3_with_guest(site, where, reverse):
    space = site.a if where == "tap" else site.b
    server = site.g1.spawn("iperf3 -s -1")
    proc.wait_until(lambda: site.g1.run("netstat -ltn | grep -q :5201", check=False).status == 0, 20, "iperf3 server")
    words = ["iperf3", "-J", "-c", "10.0.0.1", "-t", "4", *(["-R"] if reverse else [])]
    end = traffic.iperf_json(space.run(*words, timeout=60, check=False).stdout)
    server.wait(30)
    assert end["sum_received"]["bytes"] > 1_000_000, end
    assert end["sum_received"]["bits_per_second"] > 5e6, end


def test_interface_kinds(lab, site):
    for port, kind in ((site.tap, "tap"), (site.veth, "system"), ("vh1", "dpdkvhostuserclient")):
        assert lab.switch.vsctl("get", "interface", port, "type") in (kind, f'"{kind}"')
        assert lab.switch.interface_error(port) == ""
        assert int(lab.switch.vsctl("get", "interface", port, "ofport")) > 0
