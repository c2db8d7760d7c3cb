# test_qos_classes.py - which queue takes a packet: DSCP, VLAN priority, destination address, the port's default, and
# which of them goes first.
"""
    namespace S (raw frames) ---- br0 ---- port under test ---- namespace R
          (system, trunk)                  (system, trunk) queues 0 to 6
"""
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from support import proc, tree

pytestmark = pytest.mark.weir_only("OVS-DPDK has no shaper")

N = 20  # frames of a kind
MAC = "52:54:00:00:09:05"


class Site:
    def __init__(self, lab):
        self.switch = lab.switch
        self.sender, receiver = lab.namespace(), lab.namespace()
        self.inward, self.out = self.sender.veth("p0"), receiver.veth("p0")
        # Nothing but the frames of these tests.
        for space in (self.sender, receiver):
            space.run("sysctl", "-qw", "net.ipv6.conf.p0.disable_ipv6=1", check=False)
        for port in (self.inward, self.out):
            lab.switch.add_system("br0", port)

    def configure(self, *qos_words, **queue_words):
        """Queues 1 to 6; words by number as in q5=..."""
        classes = [tree.QosClass(number, floor=1, **queue_words.get(f"q{number}", {})) for number in range(1, 7)]
        self.switch.vsctl(*tree.create_words(self.out, 100, classes, *qos_words))

    def set_port(self, port, key, value):
        self.switch.vsctl("set", "port", port, f"other_config:{key}={value}")

    def taken(self, frame):
        """Sends a frame N times; returns the one queue that took them."""
        before = self._sent()
        self.sender.send_frames("p0", *[bytes(frame)] * N)
        grown = {}

        def arrived():
            after = self._sent()
            grown.update({number: after[number] - before[number] for number in after if after[number] != before[number]})
            return max(grown.values(), default=0) >= N
        proc.wait_until(arrived, 10, "the frames")
        # The bridge's own interface speaks now and then, too.
        assert sum(grown.values()) <= N + 5, grown
        return max(grown, key=grown.get)

    def _sent(self):
        _, classes = self.switch.qos_classes(self.out)
        return {number: one["sent_packets"] for number, one in classes.items() if number is not None}


@pytest.fixture(scope="module")
def stage(lab):
    return Site(lab)


@pytest.fixture
def site(stage):
    yield stage
    tree.remove(stage.switch.vsctl, stage.out)
    for port, key in ((stage.out, "default-queue"), (stage.inward, "egress-class")):
        stage.switch.vsctl("remove", "port", port, "other_config", key)


def head(dst="52:54:00:00:09:01", vlan=None, pcp=0):
    frame = Ether(src="52:54:00:00:02:01", dst=dst)
    return frame if vlan is None else frame / Dot1Q(vlan=vlan, prio=pcp)


def ip4(dscp, **more):
    return head(**more) / IP(src="10.9.0.1", dst="10.9.0.2", tos=dscp << 2 | 1) / UDP(sport=9, dport=9) / (b"x" * 40)


def ip6(dscp, **more):
    return head(**more) / IPv6(src="fd00::1", dst="fd00::2", tc=dscp << 2) / UDP(sport=9, dport=9) / (b"x" * 40)


def test_dscp_map(site):
    site.configure('other_config:dscp-map="46=1,10-14=2,0=3"')
    for make in (ip4, ip6):
        assert site.taken(make(46)) == 1
        assert [site.taken(make(dscp)) for dscp in (10, 12, 14)] == [2, 2, 2]
        assert site.taken(make(0)) == 3
        assert [site.taken(make(dscp)) for dscp in (9, 15, 63)] == [0, 0, 0]
    assert site.taken(ip4(46, vlan=5)) == 1, "behind a tag as well"


def test_pcp_map(site):
    site.configure('other_config:pcp-map="5=4,6-7=1"')
    assert [site.taken(ip4(0, vlan=7, pcp=pcp)) for pcp in (5, 6, 7)] == [4, 1, 1]
    assert site.taken(ip4(0, vlan=7, pcp=3)) == 0
    assert site.taken(ip4(0)) == 0, "without a tag"


def test_macs(site):
    others = '"52:54:00:00:09:06 52:54:00:00:09:07"'
    site.configure(q5={"macs": f'"{MAC}"'}, q6={"macs": others})
    assert site.taken(ip4(0, dst=MAC)) == 5
    assert [site.taken(ip6(0, dst=f"52:54:00:00:09:0{last}")) for last in (6, 7)] == [6, 6]
    assert site.taken(ip4(0)) == 0
    # The lists change with the rows.
    row = tree.queue_uuid(site.switch.vsctl, site.out, 6)
    site.switch.vsctl("remove", "queue", row, "other_config", "macs")
    assert site.taken(ip4(0, dst="52:54:00:00:09:06")) == 0


def test_default_queue(site):
    site.configure()
    assert site.taken(ip4(0)) == 0
    for number in (3, 6):
        site.set_port(site.out, "default-queue", number)
        assert site.taken(ip4(0)) == number
    site.set_port(site.out, "default-queue", 99)
    assert site.taken(ip4(0)) == 0, "a queue that is not there"


def test_who_names_a_queue_goes_first(site):
    """The sender's port, then destination, DSCP, VLAN priority, the port's default."""
    site.configure('other_config:dscp-map="46=1"', 'other_config:pcp-map="5=4"', q5={"macs": f'"{MAC}"'})
    site.set_port(site.out, "default-queue", 3)
    assert site.taken(ip4(0, vlan=7, pcp=0)) == 3
    assert site.taken(ip4(0, vlan=7, pcp=5)) == 4
    assert site.taken(ip4(46, vlan=7, pcp=5)) == 1
    assert site.taken(ip4(46, vlan=7, pcp=5, dst=MAC)) == 5
    site.set_port(site.inward, "egress-class", 2)
    assert site.taken(ip4(46, vlan=7, pcp=5, dst=MAC)) == 2
    site.set_port(site.inward, "egress-class", 99)
    assert site.taken(ip4(46, vlan=7, pcp=5, dst=MAC)) == 5, "the port has no such queue"
