# ofctl.py - weir and Debian's Open vSwitch side by side, each in a network namespace of its own, and both of the
# tools on either: what the tests test_openflow_compare*.py ask.
import contextlib
import pathlib
import re
import tempfile

from support import netns, proc, switch

BRIDGE = "br0"
TOOLS = ("ovs-ofctl", "weir-ofctl")
PORTS = (1, 2, 3)
# What two switches that do the same still differ in.
CHANGING = [
    (re.compile(r"duration([=:]?)[0-9.]+s"), r"duration\1Ns"),
    (re.compile(r"(idle|hard)_age=[0-9]+, "), ""),
    (re.compile(r"\(?xid=0x[0-9a-f]+\)?"), "(xid=N)"),
]
COUNTS = re.compile(r"\b(pkts|bytes|drop|errs|frame|over|crc|coll|lookup|matched)=[0-9?]+")


class Side:
    """One of the two switches."""

    def __init__(self, kind, stack):
        self.kind = kind
        self.directory = proc.private_directory(f"weir-{kind}-")
        stack.callback(proc.remove_directory, self.directory)
        self.space = stack.enter_context(netns.Namespace())
        self.switch = switch.KINDS[kind](self.directory, hugepages=False, pmd_mask="0x1")
        self.switch.prefix = ("ip", "netns", "exec", self.space.name)
        # No neighbour discovery of the kernel's: counters stay at 0.
        self.space.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1")
        stack.callback(self.switch.stop)
        self.switch.start()
        self.switch.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev", "fail_mode=secure",
                          "other-config:datapath-id=0000020000000009", "other-config:hwaddr=02:00:00:00:00:09")
        for number in PORTS:
            self.switch.vsctl("add-port", BRIDGE, f"p{number}", "--", "set", "interface", f"p{number}", "type=internal",
                              f"ofport_request={number}", f'mac="02:00:00:00:09:{number:02x}"')
        for name in (BRIDGE, *(f"p{number}" for number in PORTS)):
            self.space.run("ip", "link", "set", name, "up")
        self.socket = f"unix:{self.switch.rundir}/{BRIDGE}.mgmt"

    @staticmethod
    def command(tool, words):
        program = proc.build_directory() / "utilities" / tool if tool.startswith("weir") else tool
        return [program, *(BRIDGE if word == "@" else word for word in words)]

    def run(self, tool, *words, stdin=None, timeout=120, check=True):
        """A command of one of the tools; "@" is the bridge."""
        return proc.run(self.command(tool, words), timeout, check, self.switch.environment(), stdin)

    def sent(self):
        """How many packets left by each port."""
        text = self.run("ovs-ofctl", "dump-ports", "@").stdout
        return {port: int(count) for port, count in re.findall(r"port +(\w+): rx.*\n +tx pkts=([0-9]+)", text)}


class Watch:
    """A tool that stays and prints what comes: monitor, snoop."""

    def __init__(self, side, tool, *words):
        self.side, self.tool = side, tool
        self.path = pathlib.Path(tempfile.mkstemp(prefix="watch-", dir=side.directory)[1])
        self.process = proc.spawn(side.command(tool, words), self.path, side.switch.environment())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        proc.end_group(self.process, grace=5)

    def text(self):
        return self.path.read_text(errors="replace")

    def wait(self, mark, poke):
        """Calls 'poke' until the text has 'mark': messages are only sent to who is there already."""
        def is_there():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.tool} ended: {self.text()}")
            poke()
            return mark in self.text()
        proc.wait_until(is_there, 20, f"{self.tool} prints {mark}", 0.05)

    def messages(self, *without):
        """What was printed until now by message, but those that have one of the words 'without'."""
        text = neutral(neutral_errors(self.text(), self.side, self.tool), self.side)
        found = re.split(r"(?m)^(?=[A-Z]+_[A-Z_0-9]+ )", text)
        return [message for message in found if message and not any(word in message for word in without)]


class Pair:
    """Both switches, as 'side' makes one; everything ends with close()."""

    side = Side

    def __init__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.ovs = self.side("ovs-plain", self.stack)
            self.weir = self.side("weir", self.stack)
        except BaseException:
            self.stack.close()
            raise

    def close(self):
        self.stack.close()

    @property
    def sides(self):
        return (self.ovs, self.weir)

    def do(self, *words, stdin=None):
        """Debian's tool does the same to both; nothing may be refused."""
        for side in self.sides:
            side.run("ovs-ofctl", *words, stdin=stdin)

    def answers(self, *words, stdin=None, normalise=None, tools=TOOLS):
        """What each tool says on each switch: {(tool, kind): text}, errors and the status included."""
        result = {}
        for tool in tools:
            for side in self.sides:
                done = side.run(tool, *words, stdin=stdin, check=False)
                text = neutral(done.stdout + neutral_errors(done.stderr, side, tool), side)
                if done.returncode:
                    text += f"status {done.returncode}\n"
                result[tool, side.kind] = normalise(text) if normalise else text
        return result

    def differences(self, *words, **more):
        """Lines that tell where others differ from ovs-ofctl on Open vSwitch; empty if nowhere."""
        answers = self.answers(*words, **more)
        expected = answers.pop(("ovs-ofctl", "ovs-plain"))
        return [difference(f"{tool} on {kind}: {' '.join(words)}", expected, got)
                for (tool, kind), got in answers.items() if got != expected]


def option(version):
    """What -O takes."""
    return f"OpenFlow{version.replace('.', '')}"


def neutral(text, side):
    """Without what changes from run to run."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return text.replace(str(side.switch.rundir), "RUNDIR")


def neutral_errors(text, side, tool):
    """A tool's own name in front, and log lines with the time, are no difference."""
    lines = [line for line in text.splitlines(keepends=True) if "|WARN|" not in line and "|INFO|" not in line]
    return "".join(line.replace(f"{tool}: ", "ofctl: ") for line in lines)


def without_counts(text):
    """Counters of ports and tables, which the kernel's own packets may move."""
    return COUNTS.sub(r"\1=N", text)


def sorted_lines(text):
    """Of what has no order of its own: messages' parts and rules."""
    lines = [line for line in text.splitlines() if "_FLOW reply" not in line and "_FLOW_DESC reply" not in line]
    return "\n".join(sorted(lines)) + "\n"


def sorted_blocks(text):
    """The same for ports and meters, which have no order of their own: the lines of one stay together."""
    blocks = re.split(r"\n(?=  ?(?:port +)?[0-9L]| [a-z]|meter)", text.rstrip("\n"))
    return "\n".join(sorted(block.strip("\n") for block in blocks if "_FLOW" not in block.split("\n")[0])) + "\n"


def sorted_words(text):
    """The same for groups and meters, each in a line."""
    return "\n".join(sorted(text.splitlines())) + "\n"


def difference(title, expected, got, most=4):
    """The first lines that only one has."""
    wanted, found = expected.splitlines(), got.splitlines()
    if set(wanted) != set(found):
        had, has = set(wanted), set(found)
        missing = [line for line in wanted if line not in has]
        added = [line for line in found if line not in had]
    else:
        pairs = [(a, b) for a, b in zip(wanted, found) if a != b]
        missing, added = [a for a, _ in pairs], [b for _, b in pairs]
    return "\n".join([f"{title}: {len(missing)} lines missing, {len(added)} others",
                      *(f"  - {line}" for line in missing[:most]), *(f"  + {line}" for line in added[:most])])


def write_lines(directory, name, lines):
    path = pathlib.Path(directory) / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)
