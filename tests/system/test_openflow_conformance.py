# test_openflow_conformance.py - what OpenFlow 1.0, 1.3, 1.4 and 1.5 say, asked with real packets over real links.
# tests/bench/of_conformance.py puts the same questions to Open vSwitch, too, and makes a table of the answers.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] <bridge>.mgmt --- the driver (tests/support/openflow, os-ken's parsers)
#   other - 3 [        ]
import re
import time

import pytest
from support import proc
from support.openflow import cases, wire
from support.openflow.bench import VERSIONS, Bench, ask_all
from support.openflow.packets import Packet


@pytest.fixture(scope="module")
def bench(lab):
    return Bench(lab.switch, lab.bridge, lab.stack)


@pytest.mark.parametrize("name", VERSIONS)
def test_every_question_is_answered_as_the_specification_does(bench, name, record_testsuite_property):
    version = VERSIONS[name]
    runner = bench.runner(version)
    wrong, asked = [], 0
    for case, problem in ask_all(runner, version):
        asked += 1
        if problem:
            wrong.append(f"{case.group}: {case.name}: {problem[:300]}")
    runner.close()
    record_testsuite_property(f"OpenFlow {name}", f"{asked - len(wrong)} of {asked}")
    assert not wrong, f"{len(wrong)} of {asked}\n" + "\n".join(wrong[:30])


def add_meter(runner, number, flags, bands, command=None):
    p, of = runner.parser, runner.of
    runner.switch.send(p.OFPMeterMod(runner.switch, command=of.OFPMC_ADD if command is None else command,
                                     flags=flags, meter_id=number, bands=bands))


def metered_flow(runner, number):
    p, of = runner.parser, runner.of
    actions = [p.OFPActionOutput(runner.port(cases.OUT))]
    if of.OFP_VERSION >= 6:
        made = [p.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, [p.OFPActionMeter(number), *actions])]
    else:
        made = [p.OFPInstructionMeter(number), p.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, actions)]
    runner.switch.send(p.OFPFlowMod(runner.switch, priority=10, match=p.OFPMatch(), instructions=made,
                                    buffer_id=of.OFP_NO_BUFFER))


@pytest.fixture(params=["1.3", "1.4", "1.5"])
def runner(request, bench):
    runner = bench.runner(VERSIONS[request.param])
    runner.clear()
    yield runner
    runner.clear()
    runner.switch.send(runner.parser.OFPMeterMod(runner.switch, command=runner.of.OFPMC_DELETE,
                                                 flags=0, meter_id=runner.of.OFPM_ALL, bands=[]))
    runner.switch.barrier()
    runner.close()


def send_many(bench, frame, n):
    """Sends n frames at once; returns those that came out."""
    for _ in range(n):
        bench.links[cases.IN].send(frame)
    got = []
    while (received := bench.links[cases.OUT].receive(0.3)) is not None:
        got.append(received)
    return got


@pytest.mark.parametrize("flag", ["kbps", "pktps"])
def test_a_meter_drops_what_is_above_its_rate(bench, runner, flag):
    of, p = runner.of, runner.parser
    frame = Packet("udp").bytes().ljust(1000, b"\0")
    rate, burst = (800, 80) if flag == "kbps" else (100, 10)
    add_meter(runner, 1, (of.OFPMF_KBPS if flag == "kbps" else of.OFPMF_PKTPS) | of.OFPMF_BURST | of.OFPMF_STATS,
              [p.OFPMeterBandDrop(rate=rate, burst_size=burst)])
    metered_flow(runner, 1)
    runner.switch.barrier()
    got = len(send_many(bench, frame, 200))
    assert 9 <= got <= 25  # a burst of 10 frames, and what the rate gives meanwhile


def test_a_meter_marks_what_is_above_its_rate(bench, runner):
    of, p = runner.of, runner.parser
    add_meter(runner, 1, of.OFPMF_PKTPS | of.OFPMF_BURST, [p.OFPMeterBandDscpRemark(rate=100, burst_size=10,
                                                                                 prec_level=1)])
    metered_flow(runner, 1)
    runner.switch.barrier()
    packet = Packet("udp", ip_dscp=10)  # AF11, which becomes AF12
    got = send_many(bench, packet.bytes(), 200)
    marked = packet.but(ip_dscp=12).bytes()
    assert len(got) == 200
    assert set(got) == {packet.bytes(), marked}
    assert 9 <= got.count(packet.bytes()) <= 25


def test_meters_report_what_was_configured(runner):
    of, p = runner.of, runner.parser
    add_meter(runner, 5, of.OFPMF_KBPS | of.OFPMF_BURST | of.OFPMF_STATS,
              [p.OFPMeterBandDrop(rate=1000, burst_size=100),
               p.OFPMeterBandDscpRemark(rate=500, burst_size=50, prec_level=1)])
    runner.switch.barrier()
    config = (p.OFPMeterDescStatsRequest if of.OFP_VERSION >= 6 else p.OFPMeterConfigStatsRequest)(
        runner.switch, 0, 5)
    (meter,) = runner.switch.request(config)
    assert (meter.flags, meter.meter_id) == (of.OFPMF_KBPS | of.OFPMF_BURST | of.OFPMF_STATS, 5)
    assert [(band.type, band.rate, band.burst_size) for band in meter.bands] == [
        (of.OFPMBT_DROP, 1000, 100), (of.OFPMBT_DSCP_REMARK, 500, 50)]


def test_a_select_group_spreads_what_differs_in_addresses_alone(bench, runner):
    runner.add_group(1, "select", [[("output", cases.OUT)], [("output", cases.OTHER)]])
    runner.switch.send(runner.parser.OFPFlowMod(
        runner.switch, priority=10, match=runner.parser.OFPMatch(), buffer_id=runner.of.OFP_NO_BUFFER,
        instructions=[runner.instruction(("apply", [("group", 1)]))]))
    runner.switch.barrier()
    for i in range(256):
        frame = bytes.fromhex("020000000001") + b"\2\0\0\0\0" + bytes([i]) + b"\x88\xb5" + bytes(46)
        bench.links[cases.IN].send(frame)
    came = {}
    for part in (cases.OUT, cases.OTHER):
        came[part] = 0
        while bench.links[part].receive(0.2) is not None:
            came[part] += 1
    assert came[cases.OUT] + came[cases.OTHER] == 256
    assert min(came.values()) > 64


def change_group(runner, command, number, *actions):
    """An indirect group, or none; the error that comes of it, None."""
    p, of = runner.parser, runner.of
    buckets = [] if not actions else [
        p.OFPBucket(bucket_id=0, actions=runner.actions(actions), properties=[]) if of.OFP_VERSION >= 6
        else p.OFPBucket(actions=runner.actions(actions))]
    more = {"command_bucket_id": of.OFPG_BUCKET_ALL} if of.OFP_VERSION >= 6 else {}
    runner.switch.send(p.OFPGroupMod(runner.switch, command=command, type_=of.OFPGT_INDIRECT, group_id=number,
                                     buckets=buckets, **more))
    try:
        runner.switch.barrier()
    except wire.Refused as refused:
        return refused.type, refused.code
    return None


def test_a_group_that_leads_to_itself_is_refused(runner):
    of = runner.of
    runner.add_group(1, "indirect", [[("output", cases.OUT)]])
    runner.add_group(2, "indirect", [[("group", 1)]])
    runner.switch.barrier()
    assert change_group(runner, of.OFPGC_MODIFY, 1, ("group", 2)) == (of.OFPET_GROUP_MOD_FAILED, of.OFPGMFC_LOOP)


def test_a_group_that_others_lead_to_may_go_and_come_back(bench, runner):
    """The specification leaves it to the switch to refuse that, as CHAINED_GROUP, and has a capability for those that
    do. Open vSwitch does not; nor does this one, and packets find nothing there."""
    p, of = runner.parser, runner.of
    frame = Packet("udp").bytes()

    def send():
        bench.links[cases.IN].send(frame)
        return tuple(bench.links[part].receive(0.3) is not None for part in (cases.OUT, cases.OTHER))

    (features,) = runner.switch.request(p.OFPGroupFeaturesStatsRequest(runner.switch, 0))
    assert features.capabilities & of.OFPGFC_CHAINING
    assert not features.capabilities & of.OFPGFC_CHAINING_CHECKS
    runner.add_group(1, "indirect", [[("output", cases.OUT)]])
    runner.add_group(2, "all", [[("group", 1)], [("output", cases.OTHER)]])
    runner.switch.send(p.OFPFlowMod(
        runner.switch, priority=10, match=p.OFPMatch(), buffer_id=of.OFP_NO_BUFFER,
        instructions=[runner.instruction(("apply", [("group", 2)]))]))
    runner.switch.barrier()
    assert send() == (True, True)
    assert change_group(runner, of.OFPGC_DELETE, 1) is None
    assert send() == (False, True)
    # What still leads there counts when it comes back.
    assert change_group(runner, of.OFPGC_ADD, 1, ("group", 2)) == (of.OFPET_GROUP_MOD_FAILED, of.OFPGMFC_LOOP)
    assert change_group(runner, of.OFPGC_ADD, 1, ("output", cases.OUT)) is None
    assert send() == (True, True)


def test_no_packet_takes_the_old_way_after_a_barrier(bench, runner):
    """A rule changes between two ports, 1,000 times, each time followed by one packet."""
    frame = Packet("udp").bytes()
    p, of = runner.parser, runner.of
    old = lost = 0
    for i in range(1000):
        part, other = (cases.OUT, cases.OTHER) if i % 2 else (cases.OTHER, cases.OUT)
        runner.switch.send(p.OFPFlowMod(
            runner.switch, priority=10, match=p.OFPMatch(), buffer_id=of.OFP_NO_BUFFER,
            instructions=[runner.instruction(("apply", [("output", part)]))]))
        runner.switch.barrier()
        bench.links[cases.IN].send(frame)
        if bench.links[part].receive(0.2) is None:
            lost += 1
        old += bench.links[other].receive(0) is not None
    assert (old, lost) == (0, 0)


def test_a_rule_expires_and_says_so(bench, runner):
    p, of = runner.parser, runner.of
    runner.switch.send(p.OFPFlowMod(
        runner.switch, priority=10, match=p.OFPMatch(), buffer_id=of.OFP_NO_BUFFER, hard_timeout=1, cookie=77,
        flags=of.OFPFF_SEND_FLOW_REM, instructions=[runner.instruction(("apply", [("output", cases.OUT)]))]))
    runner.switch.barrier()
    bench.links[cases.IN].send(Packet("udp").bytes())
    deadline = time.monotonic() + 5
    removed = None
    while removed is None and time.monotonic() < deadline:
        message = runner.switch.take(deadline)
        if message is not None and message.msg_type == of.OFPT_FLOW_REMOVED:
            removed = message
    assert removed is not None
    assert (removed.cookie, removed.reason) == (77, of.OFPRR_HARD_TIMEOUT)
    if of.OFP_VERSION < 6:
        assert removed.packet_count == 1


def test_fields_for_options_of_tunnels_are_refused_while_there_are_none(bench):
    """As by a table without room: what is not in it is refused as Open vSwitch does."""
    def said(*words):
        result = proc.run(["ovs-ofctl", *words], 20, False, bench.switch.environment())
        found = re.search(r"OFPT_ERROR .*: (\w+)", result.stdout + result.stderr)
        return found and found.group(1)

    field = "{class=0xffff,type=0,len=4}->tun_metadata0"
    full = "NXTTMFC_TABLE_FULL" if bench.switch.kind == "weir" else None
    assert said("add-tlv-map", bench.bridge, field) == full
    assert said("del-tlv-map", bench.bridge, field) is None
    assert said("del-tlv-map", bench.bridge) is None
    for version in ("OpenFlow10", "OpenFlow13", "OpenFlow15"):
        for flow in ("tun_metadata0=1,actions=drop", "actions=set_field:5->tun_metadata63,output:1"):
            assert said("-O", version, "add-flow", bench.bridge, flow) == "NXFMFC_INVALID_TLV_FIELD", flow


@pytest.fixture
def rules(bench):
    """A function that leaves these rules, as ovs-ofctl takes them, as the only ones."""
    def replace(*lines):
        bench.switch.ofctl("replace-flows", bench.bridge, "-", stdin="\n".join(lines) + "\n")

    yield replace
    bench.switch.ofctl("del-flows", bench.bridge)


def came_out(bench, part, frame):
    """Which frames each link brings after one was sent into 'part'."""
    bench.links[part].send(frame)
    got = {}
    for name, link in bench.links.items():
        got[name] = []
        while (received := link.receive(0.3)) is not None:
            got[name].append(received)
    return got


@pytest.mark.parametrize("tag", [(0x8100, 0), (0x88a8, 0x6005), (0x88a8, 0)])
def test_a_tag_is_carried_as_it_came(bench, rules, tag):
    rules("priority=10,vlan_tci=0x1000/0x1000,actions=2", "priority=1,actions=3")
    frame = Packet("udp", tags=[tag]).bytes()
    assert came_out(bench, cases.IN, frame) == {cases.IN: [], cases.OUT: [frame], cases.OTHER: []}


@pytest.mark.parametrize("what", ["flood", "all"])
@pytest.mark.parametrize("in_port,spared", [(0, None), (2, "out"), (0xffff, None), (1, "in")])
def test_floods_spare_the_in_port_that_was_set(bench, rules, what, in_port, spared):
    """What output and IN_PORT go by, too; 0 and OFPP_NONE are the usual ways to send a packet back as well."""
    rules(f"actions=load:{in_port}->NXM_OF_IN_PORT[],{what}")
    frame = Packet("udp").bytes()
    expected = {cases.IN: "in", cases.OUT: "out", cases.OTHER: "other"}
    assert came_out(bench, cases.IN, frame) == {
        part: [] if name == spared else [frame] for part, name in expected.items()}
