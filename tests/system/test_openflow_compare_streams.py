# test_openflow_compare_streams.py - what a switch says by itself, and where packets go that it is given: monitor,
# snoop and packet-out of Debian's ovs-ofctl and of weir-ofctl, on weir and on Open vSwitch 3.1.
#
#   ovs-ofctl, weir-ofctl monitor ---[ <bridge>.mgmt   ]
#   ovs-ofctl, weir-ofctl snoop   ---[ <bridge>.snoop  ]--- p1, p2, p3, LOCAL, whose packets are counted
#   a controller of plain sockets ---[ dialled by both ]
import contextlib
import re
import shutil
import socket
import struct

import pytest
from support import proc
from support.openflow import hostile, ofctl

VERSIONS = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]
FRAME = "0200000000010200000000{:02x}"
TCP = "08004500002800000000{ttl:02x}06{sum:04x}0a0000010a00000204d2005000000001000000025010200000000000"
READY, END = "0x88b6", "0x88b7"

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None or shutil.which("ovs-vswitchd") is None,
                                reason="needs Debian's openvswitch-switch")


@pytest.fixture(scope="module")
def pair():
    both = ofctl.Pair()
    yield both
    both.close()


def packet(source=2, ttl=64):
    """A TCP packet, its IP checksum right."""
    return FRAME.format(source) + TCP.format(ttl=ttl, sum=0x66ce - (ttl << 8) & 0xffff if ttl <= 0x66 else 0)


def mark(kind):
    return FRAME.format(9) + kind[2:] + "00" * 46


def same(found):
    """Everything that any of the tools found on either switch is what ovs-ofctl found on Open vSwitch."""
    expected = found.pop(("ovs-ofctl", "ovs-plain"))
    assert expected
    wrong = [ofctl.difference(f"{tool} on {kind}", "\n".join(expected), "\n".join(got), 9)
             for (tool, kind), got in found.items() if got != expected]
    assert not wrong, "\n".join(wrong)


# ---- flow monitors

BEFORE = ["table=0,priority=3,cookie=9,in_port=1,actions=2", "table=1,priority=4,in_port=2,actions=3,1"]
EVENTS = [
    "add-flow @ priority=5,cookie=7,in_port=1,idle_timeout=30,hard_timeout=40,actions=2",
    "add-flow @ priority=5,cookie=8,in_port=1,idle_timeout=30,hard_timeout=40,actions=3",
    "-O OpenFlow13 add-flow @ table=1,priority=5,cookie=7,tcp,tp_dst=80,actions=dec_ttl,set_field:1.2.3.4->ip_dst,3",
    "-O OpenFlow14 add-flow @ table=1,priority=6,importance=3,dl_vlan=3,actions=pop_vlan,normal",
    "mod-flows @ in_port=1,actions=1,2", "mod-flows @ in_port=1,actions=3",
    "-O OpenFlow14 --bundle add-flow @ table=2,actions=3", "--strict del-flows @ table=0,priority=5,in_port=1",
    "del-flows @ table=1", "del-flows @",
]
LAST = "table=77,priority=7,in_port=77,actions=77"  # whose event is the last
WATCHES = ["watch:", "watch:!initial", "watch:!delete,table=1", "watch:!add,out_port=2", "watch:!modify,!actions,in_port=1",
           "watch:!initial,!own,tcp"]


@pytest.mark.parametrize("version", VERSIONS)
def test_flow_monitors_tell_the_same(pair, version):
    found = {}
    for side in pair.sides:
        found.update(watched_flows(side, version))
    for words in WATCHES:
        same({(tool, kind): told for (tool, kind, asked), told in found.items() if asked == words})


def watched_flows(side, version):
    """What all of them are told of the same events, at once. A second monitor of each, of the table of the last event,
    tells when all was said."""
    side.run("ovs-ofctl", "del-flows", "@")
    side.run("ovs-ofctl", "add-flows", "@", "-", stdin="\n".join(BEFORE))
    with contextlib.ExitStack() as stack:
        watches = {(tool, side.kind, words): stack.enter_context(ofctl.Watch(
            side, tool, "-O", ofctl.option(version), "monitor", "@", words, "watch:!initial,table=77"))
            for tool in ofctl.TOOLS for words in WATCHES}
        for watch in watches.values():
            watch.wait("table=77", lambda: poke_rules(side))
        for event in EVENTS:
            side.run("ovs-ofctl", *event.split())
        for watch in watches.values():
            watch.wait("table=77 cookie=0x5", lambda: side.run("ovs-ofctl", "add-flow", "@", "cookie=5," + LAST))
        return {key: events(watch.messages()) for key, watch in watches.items()}


def events(messages):
    """What one change did is told in any order; of the messages for the last event, nothing."""
    found = []
    for message in messages:
        title, *lines = message.splitlines()
        lines = sorted(line for line in lines if line and "table=77" not in line)
        found += [title, *lines] if lines else []
    return found


def poke_rules(side):
    side.run("ovs-ofctl", "add-flow", "@", LAST)
    side.run("ovs-ofctl", "--strict", "del-flows", "@", LAST.split(",actions")[0])


# ---- what comes by itself: packets, rules that end, ports that change

RULES = {
    "1.0": ["table=0,priority=1,ip,actions=resubmit(,1)",
            "table=0,priority=9,dl_type={ready},actions=controller", "table=0,priority=9,dl_type={end},actions=controller",
            "table=0,priority=5,in_port=2,ip,cookie=3,actions=controller(max_len=20),load:5->NXM_NX_REG1[],controller(id=0)",
            "table=0,priority=5,in_port=3,ip,actions=controller(userdata=01.02.03),dec_ttl,controller",
            "table=1,priority=7,in_port=1,ip,send_flow_rem,cookie=7,idle_timeout=99,actions=set_tunnel:9,controller",
            "table=1,priority=6,in_port=LOCAL,actions=controller(pause),2"],
    "1.3": ["table=0,priority=0,actions=controller", "table=1,in_port=1,priority=3,actions=goto_table:2",
            "table=2,priority=0,actions=controller:50,write_metadata:7"],
}
FORMATS = {"": [], "standard": ["-P", "standard"], "nxt_packet_in": ["-P", "nxt_packet_in"],
           "nxt_packet_in2": ["-P", "nxt_packet_in2"]}
# What the tools do then; packets come by packet-out, as from a port.
SENDS = [*(f"packet-out @ in_port={port},packet={packet(3)},actions=table" for port in (1, 2, 3, "LOCAL")),
         f"packet-out @ in_port=3,packet={packet(4, ttl=1)},actions=table",
         f"packet-out @ in_port=2,packet={FRAME.format(5)}8100600508060001" + "00" * 40 + ",actions=controller",
         *(f"mod-port @ 2 {word}" for word in ("no-flood", "flood", "no-forward", "forward", "no-packet-in", "packet-in")), "del-flows @ table=1,in_port=1",
         "-O OpenFlow13 --strict del-flows @ table=2,priority=0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_monitors_print_the_same(pair, version):
    found = {}
    for side in pair.sides:
        found.update(watched_messages(side, version))
    for form in FORMATS:
        same({(tool, kind): told for (tool, kind, asked), told in found.items() if asked == form})


def watched_messages(side, version):
    side.run("ovs-ofctl", "del-flows", "@")
    for needed, rules in RULES.items():
        if version >= needed:
            side.run("ovs-ofctl", "-O", ofctl.option(version), "add-flows", "@", "-",
                     stdin="\n".join(rules).format(ready=READY, end=END))
    with contextlib.ExitStack() as stack:
        watches = {(tool, side.kind, form): stack.enter_context(ofctl.Watch(
            side, tool, "-O", ofctl.option(version), *options, "monitor", "@", "65535"))
            for tool in ofctl.TOOLS for form, options in FORMATS.items()}
        for watch in watches.values():
            watch.wait(READY, lambda: send_mark(side, READY))
        for words in SENDS:
            side.run("ovs-ofctl", *words.split())
        for watch in watches.values():
            watch.wait(END, lambda: send_mark(side, END))
        return {key: told(watch.messages(READY, END)) for key, watch in watches.items()}


def send_mark(side, kind):
    side.run("ovs-ofctl", "packet-out", "@", f"in_port=1,packet={mark(kind)},actions=table")


def told(messages):
    text = "".join(messages)
    for pattern, instead in TRUER:
        text = re.sub(pattern, instead, text)
    return text.splitlines()


# What is printed otherwise.
TRUER = [
    (r" continuation.*\n", ""),  # each switch's own
    (r"     (current|speed):.*\n", ""),  # Open vSwitch makes up a speed of taps
    (r"(table_id=1 )?(cookie=0x0 )?(total_len=54 in_port=LOCAL)", r"\3"),  # of paused packets Open vSwitch forgets the rule
    (r",vlan_tci1=0x0000", ""),  # weir-ofctl shows one tag
    (r"(cookie=.*)\(via packet_out\)", r"\1(via action)"),  # of a rule to which a packet-out led
]


# ---- packet-out

OUT_RULES = ["priority=9,in_port=3,actions=1,2", "priority=8,in_port=CONTROLLER,actions=LOCAL,in_port",
             "table=5,priority=1,reg0=7,actions=3", "priority=7,in_port=LOCAL,actions=2,resubmit(,5)"]
OUTS = ["actions=2", "actions=1", "actions=in_port", "actions=2,3,LOCAL", "actions=flood", "actions=all", "actions=normal",
        "actions=drop", "actions=table", "actions=2,2,flood", "actions=controller", "actions=77",
        "actions=load:7->NXM_NX_REG0[],resubmit(,5)", "actions=mod_dl_dst:02:00:00:00:00:07,2,mod_vlan_vid:5,3",
        "actions=resubmit(3,0)", "actions=load:3->NXM_NX_REG1[],output:NXM_NX_REG1[]"]
OUTS_OF = {"1.1": ["actions=group:1,1", "actions=group:2"], "1.2": ["actions=set_field:5->reg3,3,clone(1)"],
           "1.3": ["actions=write_actions(output:1)", "actions=meter:1,1"], "1.5": ["reg0=7,actions=resubmit(,5)"]}
OLD_OUTS = ["1 2,3", "LOCAL flood", "3 table", "controller table", "none 2", "77 2"]


@pytest.fixture(scope="module")
def outs(pair):
    for side in pair.sides:
        side.run("ovs-ofctl", "del-flows", "@")
        side.run("ovs-ofctl", "add-flows", "@", "-", stdin="\n".join(OUT_RULES))
        side.run("ovs-ofctl", "-O", "OpenFlow13", "add-groups", "@", "-",
                 stdin="group_id=1,type=all,bucket=output:2,bucket=output:3\ngroup_id=2,type=indirect,bucket=output:LOCAL\n")
        side.run("ovs-ofctl", "-O", "OpenFlow13", "add-meter", "@", "meter=1,pktps,band=type=drop,rate=100000")
        side.run("ovs-ofctl", "mod-port", "@", "p1", "no-flood")
    return pair


def out_commands(version):
    """Of what all versions have, each a sixth."""
    ports = ("1", "3", "LOCAL", "CONTROLLER")
    common = [(words, port) for words in OUTS for port in ports]
    own = [(words, port) for needed, more in OUTS_OF.items() if version >= needed for words in more for port in ports[:2]]
    for words, port in common[VERSIONS.index(version)::6] + own:
        yield ["packet-out", "@", f"in_port={port},packet={packet()},{words}"]
    for words in OLD_OUTS:
        yield ["packet-out", "@", *words.split(), packet(), packet(3)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tool", ofctl.TOOLS)
def test_packets_leave_by_the_same_ports(outs, tool, version):
    """Each command after the other on both; weir's workers take them when they like."""
    first = {side.kind: side.sent() for side in outs.sides}
    wrong = []
    for words in out_commands(version):
        expected = left_by(outs.ovs, tool, version, words)
        got = left_by(outs.weir, tool, version, words, expected)
        if got != expected:
            wrong.append(f"{tool} {' '.join(words)}: {expected} {got}")
    assert not wrong, "\n".join(wrong)
    assert gone_since(outs.weir, first) == gone_since(outs.ovs, first)  # none left late


def gone_since(side, first):
    return {port: count - first[side.kind][port] for port, count in side.sent().items()}


def left_by(side, tool, version, words, expected=None):
    """How many packets each port sent, and whether the command was taken; waits until it is as expected, if it is."""
    before = side.sent()
    done = side.run(tool, "-O", ofctl.option(version), *words, check=False)
    errors = re.findall(r"OFP[A-Z]+_[A-Z_]+", re.sub(r"OFPT_[A-Z_]+", "", done.stderr))[:1]

    def result():
        after = side.sent()
        return done.returncode, errors, {port: after[port] - before[port] for port in after}

    if expected:
        with contextlib.suppress(TimeoutError):
            proc.wait_until(lambda: result() == expected, 2, "the packets left", 0.02)
    return result()


# ---- snoop

class Controller:
    """Listens where a bridge dials, says HELLO, and what a test wants it to."""

    def __init__(self, side, version):
        self.side, self.version = side, VERSIONS.index(version) + 1
        self.path = side.switch.rundir / "controller"  # Open vSwitch dials none elsewhere
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.listener.settimeout(20)

    def __enter__(self):
        self.side.switch.vsctl("set", "bridge", ofctl.BRIDGE, f"protocols={ofctl.option(VERSIONS[self.version - 1])}")
        self.side.switch.vsctl("set-controller", ofctl.BRIDGE, f"unix:{self.path}")
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(20)
        self.send(hostile.HELLO, xid=1)
        self.read(hostile.HELLO)
        return self

    def __exit__(self, *_):
        self.side.switch.vsctl("del-controller", ofctl.BRIDGE, "--", "clear", "bridge", ofctl.BRIDGE, "protocols")
        self.socket.close()
        self.listener.close()
        self.path.unlink()

    def send(self, kind, body=b"", xid=9):
        self.socket.sendall(hostile.HEADER.pack(self.version, kind, 8 + len(body), xid) + body)

    def read(self, kind):
        """Until a message of this kind came."""
        while True:
            head = self.socket.recv(8, socket.MSG_WAITALL)
            _, got, length, _ = hostile.HEADER.unpack(head)
            if length > 8:
                self.socket.recv(length - 8, socket.MSG_WAITALL)
            if got == kind:
                return

    def talk(self):
        """Questions, and a packet that comes back: in every version the same numbers."""
        barrier = 18 if self.version == 1 else 20
        for kind, body in ((5, b""), (7, b""), (9, struct.pack("!HH", 0, 0xffff)), (99, b"xxxx")):
            self.send(kind, body)
        self.send(barrier)
        self.read(barrier + 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_snoopers_see_the_same(pair, version):
    found = {}
    for side in pair.sides:
        with Controller(side, version) as controller, contextlib.ExitStack() as stack:
            watches = {tool: stack.enter_context(ofctl.Watch(side, tool, "snoop", "@")) for tool in ofctl.TOOLS}
            for watch in watches.values():
                watch.wait("xid=0xabc", lambda: controller.send(hostile.ECHO_REQUEST, xid=0xabc))
            controller.talk()
            for watch in watches.values():
                watch.wait("xid=0xabd", lambda: controller.send(hostile.ECHO_REQUEST, xid=0xabd))
            for tool, watch in watches.items():
                found[tool, side.kind] = told(watch.messages("OFPT_ECHO"))
    same(found)
