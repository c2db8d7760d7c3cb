# test_openflow_queues.py - OpenFlow's queues are classes of the egress scheduler: real packets, in every version.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] linux-htb: queue 1 with 4 below it, queue 5
#   other - 3 [        ]
import contextlib
import re
import time

import pytest
from support import proc, tree
from support.openflow import links
from support.openflow.packets import Packet

PARTS = ("in", "out", "other")
VERSIONS = ("OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15")
N = 12  # packets of a run
QUEUES = {0: {"min-rate": 1000000}, 1: {"min-rate": 20000000, "max-rate": 50000000},
          4: {"min-rate": 5000000, "parent": 1}, 5: {"max-rate": 10000000}}


class Site:
    """A switch with three links, and classes behind port 2."""

    def __init__(self, lab):
        self.lab, self.switch, self.bridge = lab, lab.switch, lab.bridge
        made = links.attach(lab.switch, lab.bridge, lab.stack, PARTS)
        self.links = dict(enumerate(made.values(), 1))
        self.out = self.links[2].outside
        self.configure()

    def configure(self, *columns, queues=None, **dscp):
        """Another tree; q4=46 gives queue 4 a DSCP."""
        self.remove()
        queues = queues or QUEUES
        words, places = [], []
        for number, keys in queues.items():
            places.append(f"queues:{number}=@q{number}")
            words += ["--", f"--id=@q{number}", "create", "queue", *(f"other_config:{k}={v}" for k, v in keys.items())]
            words += [f"dscp={dscp[f'q{number}']}"] if f"q{number}" in dscp else []
            words += ["external_ids:x=y"] if not keys else []
        self.switch.vsctl("set", "port", self.out, "qos=@qos", "--", "--id=@qos", "create", "qos", "type=linux-htb",
                          "other_config:max-rate=100000000", *columns, *places, *words)
        proc.wait_until(lambda: set(self.counts()) >= set(queues), 5, "the classes", 0.05)

    def remove(self):
        tree.remove(self.switch.vsctl, self.out)

    def ofctl(self, *words, version="OpenFlow15", tool="ovs-ofctl", check=True):
        return proc.run([tool, "-O", version, *words], 20, check, self.switch.environment())

    def rule(self, actions, version="OpenFlow15", match="udp"):
        self.ofctl("del-flows", self.bridge)
        self.ofctl("add-flow", self.bridge, f"{match},actions={actions}", version=version)

    def counts(self):
        """{queue: {key: value}} of qos/show."""
        found, number = {}, None
        for line in self.switch.appctl("qos/show", self.out).splitlines():
            head = re.match(r"Queue (\d+):|Default:", line)
            if head:
                number = int(head.group(1) or 0)
                found[number] = {}
            elif number is not None and (pair := re.match(r"  (\w+): (\d+)$", line)):
                found[number][pair.group(1)] = int(pair.group(2))
        return found

    def stats(self, *which, version="OpenFlow15", tool="ovs-ofctl"):
        """{(port, queue): (bytes, packets, errors, duration or None)} of queue-stats."""
        text = self.ofctl("queue-stats", self.bridge, *map(str, which), version=version, tool=tool).stdout
        found = {}
        for line in re.findall(r"  port (\S+) queue (\d+): bytes=(\d+), pkts=(\d+), errors=(\d+), duration=(\S+)", text):
            duration = None if line[5] == "?" else float(line[5].rstrip("s"))
            found[(int(line[0]), int(line[1]))] = (int(line[2]), int(line[3]), int(line[4]), duration)
        assert f"{len(found)} queues" in text, text
        return found

    def send(self, frame, n=N):
        """Sends it by port 1 and returns what arrives at port 2."""
        for link in self.links.values():
            link.flush()
        for _ in range(n):
            self.links[1].send(frame)
        arrived = []
        while (data := self.links[2].receive(0.3)) is not None:
            arrived.append(data)
        return arrived

    def taken(self, frame, n=N):
        """How many packets each class took: {queue: packets}."""
        before = self.counts()
        self.send(frame, n)
        after = self.counts()
        rise = {number: after[number]["tx_packets"] - before[number]["tx_packets"] for number in after}
        rise[1] -= rise.get(4, 0)  # which is below it
        return {number: packets for number, packets in rise.items() if packets}

    def traced(self, frame):
        """The classes that a trace names at port 2."""
        told = self.switch.appctl("ofproto/trace", self.bridge, "in_port=1", frame.hex())
        return [int(number) for number in re.findall(r"^Output: port 2 .*, linux-htb: class (\d+)", told, re.M)]


@pytest.fixture(scope="module")
def stage(lab):
    return Site(lab)


@pytest.fixture
def site(stage):
    yield stage
    stage.configure()


UDP = Packet("udp").bytes()
weir_only = pytest.mark.weir_only("classes below classes")


@weir_only
@pytest.mark.parametrize("version", VERSIONS)
def test_packets_enter_the_class_that_is_named(site, version):
    for actions, classes in (("set_queue:4,output:2", {4: N}), ("set_queue:5,output:2", {5: N}),
                             ("output:2", {0: N}), ("set_queue:99,output:2", {0: N}),
                             ("set_queue:4,output:2,pop_queue,output:2", {4: N, 0: N}),
                             ("set_queue:4,set_queue:5,output:2", {5: N}),
                             ("enqueue:2:1", {1: N}), ("enqueue:2:4,output:2", {4: N, 0: N})):
        site.rule(actions, version)
        assert site.traced(UDP) == list(classes), actions
        assert site.taken(UDP) == classes, actions


@weir_only
@pytest.mark.parametrize("tool", ["ovs-ofctl", "weir-ofctl"])
@pytest.mark.parametrize("version", VERSIONS)
def test_statistics_are_those_of_the_classes(site, version, tool):
    program = tool if tool.startswith("ovs") else proc.build_directory() / "utilities" / tool
    site.rule("set_queue:4,output:2")
    site.send(UDP)
    classes = site.counts()
    want = {(2, number): tuple(c[key] for key in ("tx_bytes", "tx_packets", "tx_errors"))
            for number, c in classes.items()}
    assert want[(2, 4)][1] == N and want[(2, 4)][0] >= N * len(UDP)
    for which in ((), (2,), ("ALL", "ALL"), ("ANY",)):
        found = site.stats(*which, version=version, tool=program)
        assert {key: value[:3] for key, value in found.items()} == want, which
        for *_, duration in found.values():
            assert (duration is None) == (version < "OpenFlow13")
            assert duration is None or 0 < duration < 30, "the classes were made for this test"
    for which in ((2, 4), ("ALL", 4)):
        found = site.stats(*which, version=version, tool=program)
        assert {key: value[:3] for key, value in found.items()} == {(2, 4): want[(2, 4)]}
    assert not site.stats(1, version=version, tool=program)


@weir_only
def test_a_class_that_comes_later_is_younger(site):
    time.sleep(1)
    qos = site.switch.vsctl("get", "port", site.out, "qos")
    site.switch.vsctl("set", "qos", qos, "queues:7=@q", "--", "--id=@q", "create", "queue",
                      "other_config:min-rate=1000")
    durations = {queue: value[3] for (_, queue), value in site.stats().items()}
    assert durations[7] < durations[4] - 0.9


@weir_only
@pytest.mark.parametrize("version", VERSIONS)
def test_errors_count_what_the_class_dropped(site, version):
    site.configure(queues={0: {"min-rate": 1000}, 1: {"min-rate": 8000},
                           4: {"parent": 1, "max-rate": 80000, "burst": 12000, "limit-packets": 3}})
    site.rule("set_queue:4,output:2")
    arrived = site.send(Packet("udp").bytes() + bytes(1300), 40)
    queue = site.stats(2, 4, version=version)[(2, 4)]
    assert queue[2] > 0 and queue[1] == len(arrived) and queue[1] + queue[2] == 40
    assert queue[2] == site.counts()[4]["tx_errors"]


@weir_only
@pytest.mark.parametrize("version", VERSIONS)
def test_errors_name_what_is_wrong(site, version):
    stats = ((("99",), "BAD_PORT"), (("99", "1"), "BAD_PORT"), (("2", "7"), "BAD_QUEUE"), (("ALL", "7"), "BAD_QUEUE"),
             (("1", "1"), "BAD_QUEUE"))
    for which, error in stats:
        result = site.ofctl("queue-stats", site.bridge, *which, version=version, check=False)
        assert f"OFPQOFC_{error}" in result.stdout + result.stderr, which
    result = site.ofctl("queue-get-config", site.bridge, "99", version=version, check=False)
    assert "OFPQOFC_BAD_PORT" in result.stdout + result.stderr


@weir_only
@pytest.mark.parametrize("tool", ["ovs-ofctl", "weir-ofctl"])
@pytest.mark.parametrize("version", VERSIONS)
def test_configuration_is_told_in_parts_of_the_ports_rate(site, version, tool):
    program = tool if tool.startswith("ovs") else proc.build_directory() / "utilities" / tool
    lines = ["queue 0: min_rate:1.0%", "queue 1: min_rate:20.0% max_rate:50.0%", "queue 4: min_rate:5.0%",
             "queue 5: max_rate:10.0%"]
    for which in (("2",), ("ANY",)):
        text = site.ofctl("queue-get-config", site.bridge, *which, version=version, tool=program).stdout
        assert [line.strip() for line in text.splitlines() if line.strip().startswith("queue ")] == lines, text
    if version >= "OpenFlow14":
        text = site.ofctl("queue-get-config", site.bridge, "2", "4", version=version, tool=program).stdout
        assert [line.strip() for line in text.splitlines() if line.strip().startswith("queue ")] == [lines[2]], text


@weir_only
def test_actions_come_before_the_class(site):
    """What an action writes is what the lists of DSCP and VLAN priorities see."""
    site.configure('other_config:dscp-map="46=4,10=5"', 'other_config:pcp-map="6=1"')
    for kind in ("udp", "udp6"):
        frame = Packet(kind, ip_dscp=10).bytes()
        for actions, classes in (("output:2", {5: N}), ("mod_nw_tos:184,output:2", {4: N}),
                                 ("set_field:46->ip_dscp,output:2", {4: N}), ("mod_nw_tos:0,output:2", {0: N}),
                                 ("output:2,mod_nw_tos:184,output:2", {5: N, 4: N}),
                                 ("mod_nw_tos:184,set_queue:1,output:2", {1: N}),
                                 ("clone(mod_nw_tos:184,output:2),output:2", {4: N, 5: N}),
                                 ("mod_nw_tos:0,push_vlan:0x8100,set_field:6->vlan_pcp,output:2", {1: N})):
            site.rule(actions, match=kind)
            assert sorted(site.traced(frame)) == sorted(classes), actions
            assert site.taken(frame) == classes, actions


@weir_only
def test_a_trace_names_the_class_as_explain_does(site):
    site.rule("set_queue:4,output:2")
    told = site.switch.appctl("ofproto/trace", site.bridge, "in_port=1", UDP.hex())
    line = re.search(r"^Output: port 2 \((\S+)\), (.*)$", told, re.M)
    assert line.group(1) == site.out
    head = site.switch.appctl("qos/explain", site.out, "4").splitlines()[0]
    assert head == f"{site.out}, {line.group(2)}"
    assert "class 4, floor 5 Mbit/s, below class 1" in head


@weir_only
def test_who_sends_takes_its_class_and_the_trace_knows(site):
    inward = site.links[1].outside
    with contextlib.ExitStack() as stack:
        for port, key, number in ((inward, "egress-class", 5), (site.out, "default-queue", 1)):
            site.switch.vsctl("set", "port", port, f"other_config:{key}={number}")
            stack.callback(site.switch.vsctl, "remove", "port", port, "other_config", key)
        for actions, number in (("output:2", 5), ("set_queue:4,output:2", 4), ("set_queue:4,pop_queue,output:2", 5),
                                ("set_queue:99,output:2", 1), ("NORMAL", 5)):
            site.rule(actions)
            assert site.traced(UDP) == [number], actions
            assert site.taken(UDP) == {number: N}, actions


def tagged(kind, dscp):
    return Packet(kind, ip_dscp=dscp, ip_ecn=1, tags=[(0x8100, 3 << 13 | 7)]).bytes()


def plain(kind, dscp):
    return Packet(kind, ip_dscp=dscp, ip_ecn=1).bytes()


@weir_only
@pytest.mark.parametrize("kind", ["udp", "udp6", "tcp", "icmp", "icmp6"])
def test_a_queue_gives_its_packets_a_dscp(site, kind):
    """Column Queue.dscp: whole frames are compared, checksums too."""
    site.configure(q0=10, q4=46, q1=0)
    for make in (plain, tagged):
        frame = make(kind, 8)
        for actions, dscps in (("set_queue:4,output:2", [46]), ("output:2", [8]), ("set_queue:5,output:2", [8]),
                               ("set_queue:0,output:2", [10]), ("set_queue:1,output:2", [0]),
                               ("set_queue:99,output:2", [8]), ("mod_nw_tos:96,set_queue:4,output:2", [46]),
                               ("set_queue:4,output:2,pop_queue,output:2", [46, 8]), ("enqueue:2:4", [46])):
            site.rule(actions, match={"udp6": "ipv6", "icmp6": "ipv6"}.get(kind, "ip"))
            assert sorted(site.send(frame, 1)) == sorted(make(kind, dscp) for dscp in dscps), actions
    told = site.switch.appctl("ofproto/trace", site.bridge, "in_port=1", plain(kind, 8).hex())
    assert re.search("^Output: port 2 .*: class 4, .*, gets DSCP 46$", told, re.M), told


@weir_only
def test_others_keep_the_dscp_that_they_have(site):
    site.configure(q4=46)
    frame = plain("udp", 8)
    site.rule("set_queue:4,output:2,output:3")
    assert site.send(frame, 1) == [plain("udp", 46)]
    assert site.links[3].receive(0.3) == frame, "port 3 has no QoS"
    arp = Packet("arp").bytes()
    site.rule("set_queue:4,output:2", match="arp")
    assert site.send(arp, 1) == [arp]
    told = site.switch.appctl("ofproto/trace", site.bridge, "in_port=1,arp")
    assert "class 4" in told and "gets DSCP" not in told


@weir_only
def test_lists_see_what_a_packet_carried_before(site):
    site.configure('other_config:dscp-map="8=4,46=5"', q4=46)
    site.rule("output:2")
    before = site.counts()
    assert site.send(plain("udp", 8), N) == [plain("udp", 46)] * N
    after = site.counts()
    assert after[4]["tx_packets"] - before[4]["tx_packets"] == N
    assert after[5]["tx_packets"] == before[5]["tx_packets"]
    assert site.send(plain("udp", 46), 1) == [plain("udp", 46)]
    assert site.send(plain("udp", 9), 1) == [plain("udp", 9)]


@weir_only
def test_the_column_takes_effect_at_once(site):
    site.rule("set_queue:4,output:2")
    row = tree.queue_uuid(site.switch.vsctl, site.out, 4)
    for words, dscp in ((["set", "queue", row, "dscp=46"], 46), (["set", "queue", row, "dscp=12"], 12),
                        (["clear", "queue", row, "dscp"], 8)):
        site.switch.vsctl(*words)
        proc.wait_until(lambda want=dscp: site.send(plain("udp", 8), 1) == [plain("udp", want)], 10, f"DSCP {dscp}")
    assert "dscp" not in site.switch.appctl("qos/show", site.out)


@weir_only
def test_a_policer_gives_a_dscp_too(site):
    site.remove()
    site.switch.vsctl("set", "port", site.out, "qos=@qos", "--", "--id=@qos", "create", "qos", "type=trtcm-policer",
                      "other_config:cir=1000000", "other_config:cbs=100000", "other_config:eir=1000000",
                      "other_config:ebs=100000", "queues:4=@q", "--", "--id=@q", "create", "queue", "dscp=46",
                      "other_config:cir=100000", "other_config:cbs=20000", "other_config:eir=100000",
                      "other_config:ebs=20000")
    for actions, dscp in (("set_queue:4,output:2", 46), ("output:2", 8)):
        site.rule(actions)
        assert site.send(plain("udp", 8), 1) == [plain("udp", dscp)]
