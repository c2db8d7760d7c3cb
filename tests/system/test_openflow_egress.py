# test_openflow_egress.py - egress tables of OpenFlow 1.5, told by os-ken's messages and asked with real packets.
import pytest
from support.openflow import cases, wire
from support.openflow.bench import Bench
from support.openflow.packets import Packet

FIRST = 100
MARK = "02:00:00:00:00:99"


@pytest.fixture(scope="module")
def bench(lab):
    return Bench(lab.switch, lab.bridge, lab.stack)


@pytest.fixture
def runner(bench):
    runner = bench.runner(6)
    runner.clear()
    yield runner
    runner.clear()
    set_features(runner, 0, runner.of.OFPTFF_FIRST_EGRESS)
    runner.close()


def set_features(runner, table, features, command=None):
    """Sets ofp_table_features.features of a table; the reply's, by table."""
    of, p = runner.of, runner.parser
    part = p.OFPTableFeaturesStats(table_id=table, command=of.OFPTFC_MODIFY if command is None else command,
                                   features=features, name=b"", metadata_match=0, metadata_write=0, capabilities=0,
                                   max_entries=0, properties=[])
    return {reply.table_id: reply for reply in runner.switch.request(
        p.OFPTableFeaturesStatsRequest(runner.switch, 0, [part]))}


def flow(runner, table, match, *instructions):
    runner.switch.send(runner.parser.OFPFlowMod(
        runner.switch, table_id=table, priority=10, match=runner.match(match), buffer_id=runner.of.OFP_NO_BUFFER,
        instructions=[runner.instruction(each) for each in instructions]))
    runner.switch.barrier()


def received(bench):
    return {part: link.receive(0.3) for part, link in bench.links.items()}


def next_tables(reply, of):
    return max((each for part in reply.properties if part.type == of.OFPTFPT_NEXT_TABLES
                for each in part.table_ids), default=None)


def test_tables_say_which_they_are(runner):
    of = runner.of
    replies = set_features(runner, FIRST, of.OFPTFF_FIRST_EGRESS)
    assert replies[0].features == of.OFPTFF_INGRESS_TABLE
    either = of.OFPTFF_INGRESS_TABLE | of.OFPTFF_EGRESS_TABLE
    assert [table for table, reply in replies.items() if table and reply.features != either] == [FIRST]
    assert replies[FIRST].features == either | of.OFPTFF_FIRST_EGRESS
    assert next_tables(replies[0], of) == FIRST - 1
    assert next_tables(replies[FIRST], of) == len(replies) - 1
    replies = set_features(runner, FIRST, either)
    assert not any(reply.features & of.OFPTFF_FIRST_EGRESS for reply in replies.values())
    assert next_tables(replies[0], of) == len(replies) - 1


def test_packets_go_through_the_tables_of_their_port(bench, runner):
    of = runner.of
    packet = Packet("tcp")
    set_features(runner, FIRST, of.OFPTFF_FIRST_EGRESS)
    flow(runner, 0, {}, ("apply", [("output", "all")]))
    flow(runner, FIRST, {"actset_output": bench.numbers[cases.OUT]}, ("goto", FIRST + 1))
    flow(runner, FIRST, {"actset_output": bench.numbers[cases.OTHER]}, ("clear",))
    flow(runner, FIRST + 1, {"eth_type": 0x0800}, ("write", [("set", "eth_dst", MARK)]))
    bench.links[cases.IN].send(packet.bytes())
    got = received(bench)
    assert got == {cases.IN: None, cases.OTHER: None, cases.OUT: packet.but(eth_dst=MARK).bytes()}
    # Without egress tables the same rules let it out at once.
    set_features(runner, FIRST, of.OFPTFF_EGRESS_TABLE)
    bench.links[cases.IN].send(packet.bytes())
    assert received(bench) == {cases.IN: None, cases.OTHER: packet.bytes(), cases.OUT: packet.bytes()}


def refusal(call, *arguments, **named):
    with pytest.raises(wire.Refused) as caught:
        call(*arguments, **named)
    return caught.value.type, caught.value.code


def test_what_may_not_be_is_refused(runner):
    of = runner.of
    set_features(runner, FIRST, of.OFPTFF_FIRST_EGRESS)
    bad_table = of.OFPET_BAD_INSTRUCTION, of.OFPBIC_BAD_TABLE_ID
    assert refusal(flow, runner, 3, {}, ("goto", FIRST)) == bad_table
    bad_action = of.OFPET_BAD_ACTION, of.OFPBAC_BAD_TYPE
    assert refusal(flow, runner, FIRST, {}, ("write", [("output", cases.OUT)])) == bad_action
    flow(runner, 3, {}, ("goto", FIRST - 1))
    # That rule would lead into egress tables now.
    failed = of.OFPET_TABLE_FEATURES_FAILED
    assert refusal(set_features, runner, FIRST - 1, of.OFPTFF_FIRST_EGRESS) == (failed, of.OFPTFFC_EPERM)
    assert refusal(set_features, runner, FIRST, 1 << 9) == (failed, of.OFPTFFC_BAD_FEATURES)
    assert refusal(set_features, runner, FIRST, 0, command=7) == (failed, of.OFPTFFC_BAD_COMMAND)
    assert refusal(set_features, runner, 255, of.OFPTFF_FIRST_EGRESS) == (failed, of.OFPTFFC_BAD_TABLE)
    replies = set_features(runner, 1, of.OFPTFF_EGRESS_TABLE)
    assert [table for table, reply in replies.items() if reply.features & of.OFPTFF_FIRST_EGRESS] == [FIRST]
