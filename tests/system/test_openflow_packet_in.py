# test_openflow_packet_in.py - packets on their way to controllers and back, with real packets and a running daemon.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] <bridge>.mgmt, tcp --- ovs-ofctl, weir-ofctl, and clients of this file
#   other - 3 [        ]
import pathlib
import time

import pytest
from support import proc
from support.openflow import links, paused
from support.openflow.packets import Packet


class Bench:
    """A switch with three links."""

    def __init__(self, lab):
        self.lab, self.switch, self.bridge = lab, lab.switch, lab.bridge
        self.switch.vsctl("set", "bridge", self.bridge, "fail_mode=secure")
        space = lab.namespace()
        self.links = []
        for number, part in enumerate(("in", "out", "other"), 1):
            link = links.Link(space, part)
            lab.stack.callback(link.close)
            self.switch.add_system(lab.bridge, link.outside, f"ofport_request={number}")
            self.links.append(link)
        for link in self.links:
            carrier = pathlib.Path(f"/sys/class/net/{link.outside}/carrier")
            proc.wait_until(lambda path=carrier: path.read_text().strip() == "1", 10, f"carrier of {link.outside}")

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


def refusal(controller, properties):
    """Type and code of the error that a resume gives; None = it is taken."""
    controller.resume(properties)
    try:
        controller.barrier()
    except paused.wire.Refused as refused:
        return refused.type, refused.code if refused.type != 0xffff else refused.code or controller.errors[0].exp_type
    return None
