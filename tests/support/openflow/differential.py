# differential.py - the same rules and the same frames through weir and Open vSwitch 3.1, each in a namespace of its own:
# what test_openflow_differential.py asks. Behind every frame goes a marker out of all ports, so that each frame that
# comes out is known to be of one that went in.
#
#   p1 .. p4 --- 1..4 [ Open vSwitch ]      a frame into a port of both, then its marker;
#   p1 .. p4 --- 1..4 [     weir     ]      what came out of each of the four before the marker
import collections
import random
import re
import struct

from support import netns, proc, switch
from support.openflow import links, ofctl, random_frames, random_pipelines

BRIDGE = "br0"
PORTS = (1, 2, 3, 4)
MARKER_TYPE = 0x88b5
PATIENCE_S = 10
MARKER_RULE = f"table=0,priority=65535,dl_type={MARKER_TYPE:#x},actions=1,2,3,4,in_port"


def accepted(rules):
    """Without the few that Debian's tool finds wrong, such as a third tag."""
    rules = list(rules)
    while True:
        done = proc.run(["ovs-ofctl", "-O", "OpenFlow15", "parse-flows", "-"], 60, False, None, "\n".join(rules) + "\n")
        if not done.returncode:
            return rules
        del rules[int(re.search(r"-:(\d+):", done.stderr).group(1)) - 1]


def marker(number):
    return bytes(12) + struct.pack("!HI", MARKER_TYPE, number) + bytes(44)


class Side:
    def __init__(self, kind, stack):
        self.kind = kind
        directory = proc.private_directory(f"weir-{kind}-")
        stack.callback(proc.remove_directory, directory)
        space = stack.enter_context(netns.Namespace())
        space.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1")
        self.switch = switch.KINDS[kind](directory, hugepages=False, pmd_mask="0x1")
        self.switch.prefix = ("ip", "netns", "exec", space.name)
        stack.callback(self.switch.stop)
        self.switch.start()
        self.switch.vsctl("set", "open", ".", "other_config:vlan-limit=0")  # of Open vSwitch: as many tags as it can
        self.switch.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev", "fail_mode=secure")
        self.links = list(links.attach(self.switch, BRIDGE, stack, [f"p{n}" for n in PORTS], space,
                                       random_frames.LARGEST).values())
        self.switch.ofctl("set-frags", BRIDGE, "nx-match")
        if kind != "weir":
            # With masks its cache changes all of a label for the packets that follow one that has the same number.
            self.switch.appctl("upcall/disable-megaflows")
        self.next_marker = 0
        self.lost = []

    def install(self, groups, rules):
        def ofctl(*words, lines=()):
            self.switch.ofctl("-O", "OpenFlow15", *words, stdin="\n".join(lines) + "\n")

        ofctl("del-flows", BRIDGE)
        ofctl("del-groups", BRIDGE)
        if self.kind != "weir":
            # Else its revalidators put what is cached from before through the new tables, and some of that fails an
            # assertion (commit_mpls_action(), odp-util.c), which is its end.
            self.switch.appctl("revalidator/purge")
        ofctl("add-groups", BRIDGE, "-", lines=groups)
        ofctl("--bundle", "add-flows", BRIDGE, "-", lines=[MARKER_RULE, *rules])

    def trace(self, port, frame):
        return self.switch.appctl("ofproto/trace", BRIDGE, f"in_port={port}", frame.hex(), check=False)

    def carry(self, number, frame):
        """What comes out of each port for a frame into port 'number': {port: [frame]}. Asked again, twice, if a marker was
        lost on its way, which is counted."""
        for _ in range(3):
            result = self.carry_once(number, frame)
            if result is not None:
                return result
            self.lost.append(f"{self.kind}: no marker came out after {frame.hex()} into port {number}")
            for link in self.links:
                link.flush()
        raise AssertionError("three times: " + self.lost[-1])

    def carry_once(self, number, frame):
        """None if a marker is lost. A switch may send what it received together in any order: the second marker goes in
        once the first is out, so that nothing is left behind it."""
        result = {port: [] for port in PORTS}
        for sent in ((frame,), ()):
            self.next_marker += 1
            for one in (*sent, marker(self.next_marker)):
                self.links[number - 1].send(one)
            for port, link in zip(PORTS, self.links):
                while (out := link.receive(PATIENCE_S)) != marker(self.next_marker):
                    if out is None:
                        return None
                    result[port].append(out)
        return result


class Pair(ofctl.Pair):
    """Both switches with links."""

    side = Side

    def round(self, seed, n_rules=12, n_frames=60):
        """New tables and frames; yields (port, frame, what Open vSwitch made of it, what weir made of it)."""
        r = random.Random(seed)
        pushes = r.choice(random_pipelines.PUSHES)
        decrements = r.random() < 0.6
        pipeline = random_pipelines.Pipeline(r, pushes, decrements)
        frames = random_frames.Frames(r, pushes not in ("no", "cut"), pushes == "cut")
        self.groups, self.rules = pipeline.groups(), accepted(pipeline.rules(n_rules))
        for side in self.sides:
            side.install(self.groups, self.rules)
        for _ in range(n_frames):
            port, frame = r.choice(PORTS), frames.frame()
            yield port, frame, self.ovs.carry(port, frame), self.weir.carry(port, frame)


def explain(port, frame, expected, got):
    """Where two answers of carry() differ."""
    lines = [f"in_port {port}, {len(frame)} bytes: {frame[:200].hex()}"]
    for number in PORTS:
        wanted, found = collections.Counter(expected[number]), collections.Counter(got[number])
        lines += [f"  port {number} -{n} {one[:200].hex()}" for one, n in (wanted - found).items()]
        lines += [f"  port {number} +{n} {one[:200].hex()}" for one, n in (found - wanted).items()]
        if wanted == found and expected[number] != got[number]:
            lines.append(f"  port {number}: in another order")
    return "\n".join(lines)
