# test_openflow_packet_in.py - packets on their way to controllers and back, with real packets and a running daemon.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] <bridge>.mgmt, tcp --- ovs-ofctl, weir-ofctl, and clients of this file
#   other - 3 [        ]
import json
import os
import pathlib
import re
import socket
import struct
import time

import pytest
from support import proc
from support.openflow import links, paused
from support.openflow.packets import Packet


class Bench:
    """A switch with three links."""

    def __init__(self, lab):
        self.lab, self.switch, self.bridge = lab, lab.switch, lab.bridge
        self.links = list(links.attach(lab.switch, lab.bridge, lab.stack, ("in", "out", "other")).values())

    @property
    def service(self):
        return self.switch.rundir / f"{self.bridge}.mgmt"

    def ofctl(self, *words):
        return proc.run(["ovs-ofctl", "-O", "OpenFlow13", *words], 20, True, self.switch.environment()).stdout

    def rules(self, *rules):
        self.ofctl("del-flows", self.bridge)
        for rule in rules:
            self.ofctl("add-flow", self.bridge, rule)
        for link in self.links:
            link.flush()


@pytest.fixture(scope="module")
def bench(lab):
    return Bench(lab)


def frame(**fields):
    return Packet("udp", **fields).bytes().ljust(60, b"\0")


PAUSING = ("table=0,in_port=1,udp,actions=set_field:7->reg0,mod_dl_dst:02:00:00:00:00:99,"
           "controller(pause,userdata=01.02.03),resubmit(,1),output:3", "table=1,reg0=7,actions=output:2")
TOOLS = {"ovs-ofctl": lambda: "ovs-ofctl",
         "weir-ofctl": lambda: str(proc.build_directory() / "utilities" / "weir-ofctl")}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_monitor_resumes_paused_packets(bench, tool, tmp_path):
    bench.rules(*PAUSING)
    log = tmp_path / "monitor.log"
    monitor = proc.spawn([TOOLS[tool](), "-O", "OpenFlow13", "monitor", bench.bridge, "65534", "resume"], log,
                         bench.switch.environment())
    try:
        time.sleep(1)
        for _ in range(5):
            bench.links[0].send(frame())
        for number in (1, 2):
            for _ in range(5):
                got = bench.links[number].receive(3)
                assert got is not None, log.read_text()
                assert got[:6].hex() == "020000000099" and got[12:] == frame()[12:]
        proc.wait_until(lambda: log.read_text().count("NXT_RESUME") == 5, 5, "five resumes in the log")
    finally:
        proc.end_group(monitor)


def test_nothing_goes_on_before_it_is_resumed(bench):
    bench.rules(*PAUSING)
    bench.links[0].send(frame())
    assert bench.links[1].receive(0.5) is None and bench.links[2].receive(0) is None


@pytest.fixture
def controller(bench):
    client = paused.Controller(bench.service)
    yield client
    client.close()


def test_a_controller_changes_packet_and_registers_on_the_way(bench, controller):
    bench.rules(*PAUSING)
    bench.links[0].send(frame())
    properties = controller.take_paused(time.monotonic() + 5)
    assert properties[paused.USERDATA] == bytes([1, 2, 3])
    assert paused.oxm(paused.OXM_REG0, 7) in properties[paused.METADATA]
    assert bench.links[2].receive(0.2) is None
    # Without the register, table 1 has no rule for it.
    changed = dict(properties)
    changed[paused.METADATA] = paused.oxm(paused.OXM_IN_PORT, 1)
    controller.resume(changed)
    controller.barrier()
    assert bench.links[2].receive(3)[:6].hex() == "020000000099"
    assert bench.links[1].receive(0.2) is None
    # Another packet in its place, longer than the first.
    changed = dict(properties)
    changed[paused.PACKET] = properties[paused.PACKET][:12] + frame(sport=4444).ljust(900, b"\7")[12:]
    controller.resume(changed)
    controller.barrier()
    for number in (1, 2):
        assert bench.links[number].receive(3) == changed[paused.PACKET]


def test_what_is_left_of_an_outer_rule_is_done_in_its_own_table(bench, controller):
    """Which is where a resubmit without a table looks the packet up."""
    bench.rules("table=0,priority=9,in_port=1,actions=resubmit(,5),resubmit:7",
                "table=0,priority=8,in_port=7,actions=output:2",
                "table=5,priority=9,in_port=1,actions=controller(pause),set_field:02:00:00:00:00:99->eth_dst",
                "table=5,priority=8,in_port=7,actions=output:3")
    bench.links[0].send(frame())
    controller.resume(controller.take_paused(time.monotonic() + 5))
    controller.barrier()
    assert bench.links[1].receive(3)[:6].hex() == "020000000099"
    assert bench.links[2].receive(0.2) is None


def test_a_continuation_comes_back_as_it_was_or_not_at_all(bench, controller):
    bench.rules(*PAUSING)
    bench.links[0].send(frame())
    properties = controller.take_paused(time.monotonic() + 5)
    sealed = properties[paused.CONTINUATION]
    for at in range(4, len(sealed) - 8, 3):  # four bytes align the rest
        properties[paused.CONTINUATION] = sealed[:at] + bytes([sealed[at] ^ 0x40]) + sealed[at + 1:]
        assert refusal(controller, properties) == (0xffff, 35)
    properties[paused.CONTINUATION] = sealed[:4]
    assert refusal(controller, properties) == (0xffff, 35)
    assert bench.links[1].receive(0.2) is None and bench.links[2].receive(0) is None
    properties[paused.CONTINUATION] = sealed
    assert refusal(controller, properties) is None
    assert bench.links[1].receive(3) is not None


def test_the_longest_packets_come_as_far_as_they_fit_and_wait_only_whole(bench, controller):
    head = frame()[:14].replace(frame()[12:14], b"\x88\xb5")
    out = struct.pack("!IIH6xHHIH6x", 0xffffffff, 1, 16, 0, 16, 0xfffffff9, 0)  # as port 1's, through the tables

    def send(n):
        packet = head + os.urandom(n - len(head))
        controller.send_bytes(struct.pack("!BBHI", 4, 13, 8 + len(out) + n, 5) + out + packet)
        return packet, controller.take_paused(time.monotonic() + 1)

    bench.rules("table=0,dl_type=0x88b5,actions=controller:65535")
    packet, properties = send(65000)
    assert len(properties[paused.PACKET]) > 60000 and packet.startswith(properties[paused.PACKET])
    bench.rules("table=0,dl_type=0x88b5,actions=controller(pause,userdata=01)")
    packet, properties = send(64000)
    assert properties[paused.PACKET] == packet and paused.CONTINUATION in properties
    assert send(64800)[1] is None


def refusal(controller, properties):
    """Type and code of the error that a resume gives; None = it is taken."""
    controller.resume(properties)
    try:
        controller.barrier()
    except paused.wire.Refused as refused:
        return refused.type, refused.code if refused.type != 0xffff else refused.code or controller.errors[0].exp_type
    return None


# ---- rates and slow readers ----

class Listener:
    """A controller that a switch dials, one connection: what the switch says is read by whoever wants it."""

    def __init__(self):
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen()
        self.port = self.server.getsockname()[1]
        self.connection, self.data = None, b""

    def accept(self, buffer_bytes=None):
        self.server.settimeout(20)
        self.connection, _ = self.server.accept()
        if buffer_bytes:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self.connection.sendall(struct.pack("!BBHI", 4, 0, 8, 1))
        self.read_until(0, 10)

    def send(self, kind, body=b"", xid=7):
        self.connection.sendall(struct.pack("!BBHI", 4, kind, 8 + len(body), xid) + body)

    def messages(self, deadline):
        """Those that come until the deadline; echo requests are answered."""
        while True:
            while len(self.data) >= 8 and len(self.data) >= (length := struct.unpack_from("!H", self.data, 2)[0]):
                message, self.data = self.data[:length], self.data[length:]
                if message[1] == 2:
                    self.send(3, message[8:], struct.unpack_from("!I", message, 4)[0])
                else:
                    yield message
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self.connection.settimeout(left)
            try:
                more = self.connection.recv(1 << 20)
            except socket.timeout:
                return
            if not more:
                raise ConnectionError("the switch closed the connection")
            self.data += more

    def read_until(self, kind, seconds):
        for message in self.messages(time.monotonic() + seconds):
            if message[1] == kind:
                return message
        raise TimeoutError(f"no message of type {kind}")

    def close(self):
        for some in (self.connection, self.server):
            if some:
                some.close()


@pytest.fixture
def dialed(bench):
    """Sets controllers, and removes them afterwards."""
    listeners = []

    def dial(n, *columns):
        listeners.extend(Listener() for _ in range(n))
        bench.switch.vsctl("set-controller", bench.bridge, *(f"tcp:127.0.0.1:{one.port}" for one in listeners))
        if columns:
            for row in bench.switch.vsctl("--bare", "--columns=_uuid", "list", "controller").split():
                bench.switch.vsctl("set", "controller", row, *columns)
        for listener in listeners:
            listener.accept()
        return listeners

    yield dial
    bench.switch.vsctl("del-controller", bench.bridge)
    for listener in listeners:
        listener.close()


def count(bench, key):
    status = json.loads(bench.switch.vsctl("--format=json", "--columns=status", "list", "controller"))["data"][0][0]
    return int(dict(status[1]).get(f"packet-in-action-{key}", 0))


def test_packets_above_the_rate_wait_and_ports_share_it(bench, dialed):
    listener, = dialed(1, "controller_rate_limit=100", "controller_burst_limit=50", "inactivity_probe=60000")
    bench.rules("in_port=1,actions=controller", "in_port=2,actions=controller")
    # 300 by one port, then 20 by another: 50 go at once, 50 wait, and the few are among them.
    for _ in range(300):
        bench.links[0].send(frame())
    for _ in range(20):
        bench.links[1].send(frame())
    begin = time.monotonic()
    came = []
    for message in listener.messages(begin + 3):
        if message[1] == 10:
            came.append((time.monotonic() - begin, in_port_of(message)))
    assert 95 <= len(came) <= 110, len(came)
    assert sum(1 for _, port in came if port == 2) >= 20
    # The last of the 50 that waited came when the rate let it: after about half a second.
    assert 0.3 < came[-1][0] < 1.5
    proc.wait_until(lambda: count(bench, "dropped") >= 200 and count(bench, "backlog") == 0, 15,
                    "counts in the database", 0.5)
    assert count(bench, "bypassed") >= 50
    assert count(bench, "queued") + count(bench, "bypassed") == 320
    assert count(bench, "queued") - count(bench, "dropped") + count(bench, "bypassed") == len(came)


def test_one_meter_is_for_all_that_controllers_get(bench, dialed):
    """But for what has a meter of its own."""
    listener, = dialed(1, "inactivity_probe=60000")
    for meter, rate in (("controller", 1), ("1", 100000)):
        bench.ofctl("add-meter", bench.bridge, f"meter={meter},pktps,burst,stats,bands=type=drop,rate={rate},burst_size=9")
    try:
        bench.rules("in_port=1,actions=controller,output:2")
        for _ in range(50):
            bench.links[0].send(frame())
            assert bench.links[1].receive(3) is not None
        stats = bench.ofctl("meter-stats", bench.bridge, "meter=controller")
        asked, dropped = map(int, re.search(r"packet_in_count:(\d+).*\s0: packet_count:(\d+)", stats, re.S).groups())
        assert asked == 50 and 9 <= asked - dropped < 50
        for _ in range(asked - dropped):
            listener.read_until(10, 10)
        listener.send(20)
        assert next(message[1] for message in listener.messages(time.monotonic() + 10)) == 21
        bench.rules("in_port=1,actions=controller(meter_id=1),output:2")
        bench.links[0].send(frame())
        listener.read_until(10, 10)
        assert "packet_in_count:50 " in bench.ofctl("meter-stats", bench.bridge, "meter=controller")
    finally:
        bench.ofctl("del-meters", bench.bridge)


def in_port_of(message):
    """Of a 1.3 packet-in: its match begins with in_port."""
    at = message.index(struct.pack("!I", 0x80000004))
    return struct.unpack_from("!I", message, at + 4)[0]


def resident_bytes(bench):
    pages = pathlib.Path(f"/proc/{bench.switch.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def barrier_seconds(listener):
    begin = time.monotonic()
    listener.send(20)
    listener.read_until(21, 10)
    return time.monotonic() - begin


def test_who_does_not_read_its_packets_costs_itself_alone(bench, dialed):
    slow, good = dialed(2, "inactivity_probe=60000")
    bench.rules("in_port=1,actions=controller", "in_port=2,actions=output:3")
    big = frame().ljust(1500, b"\5")
    for _ in range(20):
        barrier_seconds(good)
    before = resident_bytes(bench)
    got, sent, worst = 0, 0, 0
    end = time.monotonic() + 8
    while time.monotonic() < end:
        for _ in range(40):
            bench.links[0].send(big)
        sent += 40
        got += sum(1 for message in good.messages(time.monotonic() + 0.04) if message[1] == 10)
        worst = max(worst, barrier_seconds(good))
    grown = resident_bytes(bench) - before
    got += sum(1 for message in good.messages(time.monotonic() + 1) if message[1] == 10)
    print(f"grown by {grown >> 10} KiB, the slowest barrier took {worst * 1000:.1f} ms")
    assert grown < 16 << 20, grown
    assert worst < 1, worst
    assert got > 3000
    assert bench.switch.vsctl("--bare", "--columns=is_connected", "list", "controller").split() == ["true", "true"]
    # It reads again: it is still there, and gets what waited, then what is new.
    late = sum(1 for message in slow.messages(time.monotonic() + 2) if message[1] == 10)
    assert 100 < late < got
    bench.links[0].send(big)
    assert slow.read_until(10, 5)


def test_who_does_not_read_its_replies_costs_itself_alone(bench, dialed):
    slow, good = dialed(2, "inactivity_probe=60000")
    rules = bench.lab.directory / "many"
    rules.write_text("".join(f"table=5,priority={i % 65000 + 1},ip,nw_dst=10.{i >> 8 & 255}.{i & 255}.1,actions=output:2\n"
                             for i in range(4000)))
    bench.ofctl("add-flows", bench.bridge, str(rules))
    request = struct.pack("!HHIBxxxIIxxxxQQHHxxxx", 1, 0, 0, 0xff, 0xffffffff, 0xffffffff, 0, 0, 1, 4)
    before = resident_bytes(bench)
    # Each answer is about 400 kB: 80 MB in all, if somebody kept them.
    for i in range(200):
        slow.send(18, request, i)
    worst = 0
    for _ in range(50):
        worst = max(worst, barrier_seconds(good))
        time.sleep(0.02)
    grown = resident_bytes(bench) - before
    # It reads again: all answers come, whole.
    parts = 0
    for message in slow.messages(time.monotonic() + 60):
        parts += message[1] == 19 and not struct.unpack_from("!H", message, 10)[0] & 1
        if parts == 200:
            break
    bench.ofctl("del-flows", bench.bridge)
    assert parts == 200
    print(f"grown by {grown >> 10} KiB, the slowest barrier took {worst * 1000:.1f} ms")
    assert grown < 16 << 20, grown
    assert worst < 1, worst


# ---- connections that end ----

SYN, ACK, FIN, RST = 2, 16, 1, 4


def segment(flags):
    """A TCP segment from 'in'; flags are not covered by any checksum that the switch looks at."""
    data = bytearray(Packet("tcp").bytes().ljust(60, b"\0"))
    data[14 + 20 + 13] = flags
    return bytes(data)


def timeouts(bench):
    """Idle and hard timeout of the rule of table 0; None if it is gone."""
    text = bench.ofctl("dump-flows", bench.bridge, "table=0")
    if "fin_timeout" not in text:
        return None
    return tuple(int(found.group(1)) if (found := re.search(rf"[ ,]{key}=(\d+)", text.split("actions=")[0])) else 0
                 for key in ("idle_timeout", "hard_timeout"))


@pytest.mark.parametrize("last", [FIN | ACK, RST])
def test_a_rule_times_out_sooner_once_its_connection_ends(bench, last):
    bench.rules("table=0,in_port=1,tcp,idle_timeout=60,actions=fin_timeout(idle_timeout=2,hard_timeout=30),output:2")
    for flags in (SYN, ACK, ACK):
        bench.links[0].send(segment(flags))
        assert bench.links[1].receive(3) == segment(flags)
    time.sleep(0.3)
    assert timeouts(bench) == (60, 0)
    bench.links[0].send(segment(last))
    assert bench.links[1].receive(3) == segment(last)
    proc.wait_until(lambda: timeouts(bench) == (2, 30), 3, "shorter timeouts")
    # It is used for a while, and goes two seconds after that.
    for _ in range(5):
        time.sleep(0.5)
        bench.links[0].send(segment(ACK))
    assert timeouts(bench) == (2, 30)
    begin = time.monotonic()
    proc.wait_until(lambda: timeouts(bench) is None, 10, "end of the rule")
    assert 1 < time.monotonic() - begin < 5


def test_a_learned_rule_times_out_sooner_as_well(bench):
    bench.rules("table=0,in_port=1,tcp,actions=learn(table=7,idle_timeout=60,fin_idle_timeout=1,"
                "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),output:2,resubmit(,7)")
    for flags in (SYN, ACK):
        bench.links[0].send(segment(flags))
        assert bench.links[1].receive(3) == segment(flags)
    proc.wait_until(lambda: "fin_timeout(idle_timeout=1)" in bench.ofctl("dump-flows", bench.bridge, "table=7"), 5,
                    "a rule that was learned")
