# test_openflow_learn.py - learn actions with a limit that write whether there was room: real packets, asked of weir and
# of Debian's Open vSwitch 3.1.
#
#   p1, p2 ---- [ switch ] ---- p3: the last bit of eth_dst is what the action wrote
import contextlib
import re
import shutil

import pytest
from support import proc
from support.openflow import links, ofctl

LEARNED = 1  # the table
KINDS = ["weir", pytest.param("ovs-plain", marks=pytest.mark.skipif(
    shutil.which("ovs-vswitchd") is None, reason="needs Debian's openvswitch-switch"))]


def learn(limit=2, result="NXM_NX_REG0[3]", more=""):
    return (f"learn(table={LEARNED},cookie=9,limit={limit},result_dst={result},{more}NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
            "output:NXM_OF_IN_PORT[])")


def frame(number):
    return bytes.fromhex(f"02000000000202000000{number:04x}88b5") + bytes(46)


class Asked:
    """A switch, and what came of packets."""

    def __init__(self, side, stack):
        self.side = side
        self.ends = {number: links.End(side.space, f"p{number}") for number in ofctl.PORTS}
        for end in self.ends.values():
            stack.callback(end.close)

    def ofctl(self, *words):
        return self.side.run("ovs-ofctl", "-O", "OpenFlow13", *words).stdout

    def rules(self, *texts):
        self.ofctl("del-flows", "@")
        for text in texts:
            self.ofctl("add-flow", "@", text)
        self.settle()

    def settle(self):
        """What was told and learned so far counts for the packets to come. Open vSwitch learns again from packets that
        its cache took, when it looks at that."""
        self.ofctl("del-flows", "@", "table=99")  # with a barrier
        if self.side.kind != "weir":
            self.side.switch.appctl("revalidator/purge")

    def learned(self):
        """The numbers of frames."""
        text = self.ofctl("dump-flows", "@", f"table={LEARNED}")
        return [int(high + low, 16) for high, low in re.findall(r"cookie=0x9,.* dl_dst=\S*:(\S\S):(\S\S) ", text)]

    def bit(self, port, number):
        """What the action wrote into a packet; None if it did not arrive."""
        self.ends[3].flush()
        self.ends[port].send(frame(number))
        got = self.ends[3].receive(5)
        return got and got[5] & 1


@pytest.fixture(scope="module", params=KINDS)
def asked(request):
    with contextlib.ExitStack() as stack:
        yield Asked(ofctl.Side(request.param, stack), stack)


def answers(asked, steps):
    """What packets find, each twice more once what it taught is known: [(step, bits, rules learned)]."""
    found = []
    for step, _, n_rules in steps:
        if isinstance(step, str):
            asked.ofctl(*step.split())
            asked.settle()
            bits = None
        else:
            bits = [asked.bit(*step)]
        proc.wait_until(lambda n=n_rules: len(asked.learned()) == n, 5, f"{n_rules} rules after {step}")
        asked.settle()
        if bits:
            bits += [asked.bit(*step) for _ in range(2)]
            asked.settle()
        found.append((step, bits, len(asked.learned())))
    return found


ROOM, NONE = [1, 1, 1], [0, 0, 0]
STEPS = [
    ((1, 1), ROOM, 1),
    ((1, 2), ROOM, 2),
    ((1, 3), NONE, 2),
    ((2, 1), NONE, 2),  # it moved, which would be another rule
    ((1, 1), ROOM, 2),  # it is known
    ("--strict del-flows @ table=1,dl_dst=02:00:00:00:00:02", None, 1),
    ((2, 1), ROOM, 1),
    ((1, 3), ROOM, 2),
    ((1, 2), NONE, 2),
    # A rule gets another cookie, which makes room; then there is one more with this cookie.
    ("add-flow @ table=1,cookie=8,dl_dst=02:00:00:00:00:03,actions=drop", None, 1),
    ("add-flow @ table=1,cookie=9,dl_dst=02:00:00:00:00:77,actions=drop", None, 2),
    ((1, 2), NONE, 2),
    ("del-flows @ cookie=9/-1", None, 0),
    ((1, 2), ROOM, 1),
    ((1, 4), ROOM, 2),
    ((1, 5), NONE, 2),
]


@pytest.mark.parametrize("result, actions", [
    ("NXM_NX_REG0[3]", "resubmit(,5)"), ("NXM_OF_ETH_DST[0]", "output:3")])
def test_a_packet_sees_whether_there_was_room(asked, result, actions):
    asked.rules(f"table=0,actions={learn(result=result)},{actions}",
                "table=5,reg0=8/8,actions=set_field:02:00:00:00:00:01->eth_dst,output:3",
                "table=5,reg0=0/8,actions=set_field:02:00:00:00:00:00->eth_dst,output:3")
    assert answers(asked, STEPS) == STEPS


def test_without_a_limit_there_is_always_room(asked):
    asked.rules(f"table=0,actions={learn(limit=0, result='NXM_OF_ETH_DST[0]')},output:3")
    for number in range(1, 6):
        assert asked.bit(1, number) == 1
    proc.wait_until(lambda: len(asked.learned()) == 5, 5, "rules are learned")


def test_a_trace_tells_the_bit(asked):
    asked.rules(f"table=0,actions={learn(limit=1, result='NXM_OF_ETH_DST[0]')},output:3")
    flow = "in_port=1,dl_type=0x88b5,dl_src=02:00:00:00:00:0{},dl_dst=02:00:00:00:00:02"

    def trace(number, *more):
        told = asked.side.switch.appctl("ofproto/trace", ofctl.BRIDGE, flow.format(number), *more)
        asked.settle()
        return [line for line in ("is now 0x1", "is now 0\n", "Limit exceeded, learn failed") if line in told]

    assert [trace(number, "-generate") for number in (1, 1, 2, 1)] == [
        ["is now 0x1"], ["is now 0x1"], ["is now 0\n", "Limit exceeded, learn failed"], ["is now 0x1"]]
    if asked.side.kind == "weir":  # Open vSwitch ignores the action then, the bit as well
        assert [trace(1), trace(2)] == [["is now 0x1"], ["is now 0\n", "Limit exceeded, learn failed"]]
    assert asked.learned() == [1]


def test_a_burst_makes_no_more_rules_than_there_is_room(asked):
    asked.rules(f"table=0,actions={learn(limit=50, result='NXM_OF_ETH_DST[0]')},output:3")
    for number in range(1, 1001):
        asked.ends[1].send(frame(number))
    proc.wait_until(lambda: len(asked.learned()) >= 50, 5, "rules are learned")
    asked.settle()
    learned = asked.learned()
    assert len(learned) == 50
    for number in (*learned[:5], 1001, *learned[-5:], 1002):
        assert asked.bit(1, number) == (number in learned), number
    assert sorted(asked.learned()) == sorted(learned)
