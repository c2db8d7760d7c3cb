# test_openflow_refusals.py - requests that the specifications forbid, as bytes: each gets the error that they name, or
# Open vSwitch 3.1's where they name none, with the request in it; and what looks odd but is allowed is taken. Answers
# and reports whose bytes only the specifications tell, too.
import contextlib
import socket
import struct
import time

import pytest
from os_ken.ofproto import ofproto_parser

from support.openflow import ofctl, raw

NEW = (3, 4, 5, 6)  # versions on the wire: OpenFlow 1.2 to 1.5; os-ken has no 1.1
MAC = bytes.fromhex("020000000901")  # of port 1
NICIRA = 0x2320
SELECT, FAST_FAILOVER = 1, 3
IP = raw.oxm(raw.ETH_TYPE, raw.pack("H", 0x800))
LAST = 0xfffffffe
TAKEN = None


def one(version):
    return raw.bucket(version, raw.output(1))


def weighted(version, number=1):
    return raw.bucket(version, raw.output(1), 1, number)


def insert(place, number=2, kind=0):
    return lambda v: raw.group(v, 3, kind, 1, raw.bucket(v, raw.output(2), number=number), place=place)


def remove(place, *buckets):
    return lambda v: raw.group(v, 5, 0, 1, *buckets, place=place)


def selected(method, kind=SELECT, fields=b"", command=0):
    return lambda v: raw.group(v, command, kind, 1, weighted(v) if kind == SELECT else one(v),
                               properties=raw.selection(method, fields))


def with_group(version):
    return raw.group(version, 0, 0, 1, one(version))


# What, in which versions, the request, what it gets, and what was there before.
CASES = [
    ("add to all tables", NEW, lambda v: raw.flow(v, table=255), (5, 2)),
    ("modify in all tables", NEW, lambda v: raw.flow(v, table=255, command=1), (5, 2)),
    ("modify strictly in all tables", NEW, lambda v: raw.flow(v, table=255, command=2), (5, 2)),
    ("delete in all tables", NEW, lambda v: raw.flow(v, table=255, command=3), TAKEN),
    ("unknown command", NEW, lambda v: raw.flow(v, command=9), (5, 6)),
    ("unknown flag", NEW, lambda v: raw.flow(v, flags=0x20), (5, 7)),
    ("goto backwards", NEW, lambda v: raw.flow(v, instructions=raw.pack("HHB3x", 1, 8, 1), table=3), (3, 2)),
    ("field twice", NEW, lambda v: raw.flow(v, raw.match(IP, IP)), (4, 10)),
    ("field without its prerequisite", NEW,
     lambda v: raw.flow(v, raw.match(raw.oxm(raw.IP_PROTO, b"\6"))), (4, 9)),
    ("set the port it came from", NEW,
     lambda v: raw.flow(v, instructions=raw.apply(raw.set_field(raw.oxm(0, raw.pack("I", 1))))), (2, 15)),
    ("set the port it came from, as Nicira does", NEW,
     lambda v: raw.flow(v, instructions=raw.apply(raw.set_field(raw.oxm(0, raw.pack("H", 1), 0)))), TAKEN),
    ("time to live of any packet", NEW,
     lambda v: raw.flow(v, instructions=raw.apply(raw.pack("HHB3x", 23, 8, 5))), (2, 10)),
    ("time to live of IP", NEW,
     lambda v: raw.flow(v, raw.match(IP), raw.apply(raw.pack("HHB3x", 23, 8, 5))), TAKEN),

    ("emergency flow with a timeout", (1,), lambda v: raw.flow10(flags=4, idle=5), (3, 3)),
    ("emergency flow", (1,), lambda v: raw.flow10(flags=4), (3, 0)),
    ("packet that is none", (1,),
     lambda v: raw.message(1, 13, raw.pack("IHHHHHH", raw.ANY, 0xffff, 8, 0, 8, 1, 0) + bytes(6)), (1, 6)),
    ("statistics of nobody we know", (1,), lambda v: raw.multipart(1, 0xffff, raw.pack("I", 9)), (1, 3)),
    ("message of nobody we know", (1,), lambda v: raw.message(1, 4, raw.pack("I", 9)), (1, 3)),
    ("form of flows that there is not", (1,), lambda v: raw.message(1, 4, raw.pack("III", NICIRA, 12, 1)), (1, 5)),

    ("group with weights that is no select group", NEW,
     lambda v: raw.group(v, 0, 0, 1, weighted(v)), (6, 1)),
    ("failover group with weights", NEW,
     lambda v: raw.group(v, 0, FAST_FAILOVER, 1, raw.bucket(v, raw.output(1), 1, watch_port=1)), (6, 1)),
    ("group that leads to itself", NEW,
     lambda v: raw.group(v, 0, 0, 1, raw.bucket(v, raw.pack("HHI", 22, 8, 1))), (6, 7)),
    ("group that is there", NEW, with_group, (6, 0), with_group),
    ("delete of a group with buckets", (4, 5, 6), lambda v: raw.group(v, 2, 0, 1, one(v)), (6, 1)),
    ("delete of a group with buckets, as it was", (3,), lambda v: raw.group(v, 2, 0, 1, one(v)), TAKEN),
    ("add with a place for buckets", (6,), lambda v: raw.group(v, 0, 0, 1, one(v), place=5), (6, 12)),
    ("bucket with a reserved number", (6,),
     lambda v: raw.group(v, 0, 0, 1, raw.bucket(v, number=0xffffff01)), (6, 12)),
    ("bucket with the number of all", (6,), lambda v: raw.group(v, 0, 0, 1, raw.bucket(v, number=raw.ANY)), (6, 12)),
    ("insert nowhere", (6,), insert(raw.ANY), (6, 12), with_group),
    ("insert at a reserved place", (6,), insert(0xffffff01), (6, 12), with_group),
    ("insert after no bucket", (6,), insert(9), (6, 15), with_group),
    ("insert what is there", (6,), insert(LAST, 1), (6, 16), with_group),
    ("insert at the end", (6,), insert(LAST), TAKEN, with_group),
    ("insert, whatever the type says", (6,), insert(LAST, kind=SELECT), TAKEN, with_group),
    ("remove at a reserved place", (6,), remove(0xffffff05), (6, 12), with_group),
    ("remove with buckets", (6,), remove(1, one(6)), (6, 12), with_group),
    ("remove no bucket", (6,), remove(9), (6, 15), with_group),
    ("remove all", (6,), remove(raw.ANY), TAKEN, with_group),
    ("select by hash", (6,), selected(b"hash", fields=raw.oxm(raw.ETH_TYPE, b"\xff\xff")), TAKEN),
    ("select by dp_hash", (6,), selected(b"dp_hash"), TAKEN),
    ("select by dp_hash of fields", (6,), selected(b"dp_hash", fields=raw.oxm(raw.ETH_TYPE, b"\xff\xff")), (14, 2)),
    ("select by what there is not", (6,), selected(b"bogus"), (14, 2)),
    ("select by nothing", (6,), selected(b""), (14, 2)),
    ("select by a name without end", (6,), selected(b"hash" * 4), (14, 2)),
    ("select where all are taken", (6,), selected(b"hash", 0), (14, 2)),
    ("select for a delete", (6,), lambda v: raw.group(v, 2, SELECT, 1, properties=raw.selection(b"hash")), (14, 2)),

    ("port of another address", (3, 4, 5, 6), lambda v: raw.port_mod(v, 1, bytes(6)), (7, 1)),
    ("port of another address, in 1.0", (1,), lambda v: raw.port_mod(v, 1, bytes(6)), (4, 1)),
    ("port that is not there", (4, 5, 6), lambda v: raw.port_mod(v, 99, MAC), (7, 0)),
    ("port as it is", (1, 3, 4, 5, 6), lambda v: raw.port_mod(v, 1, MAC), TAKEN),
    ("vacancy itself", (5, 6),
     lambda v: raw.message(v, 17, raw.pack("B3xIHHBBBx", 0, 8, 3, 8, 10, 20, 50)), (14, 2)),
    ("table features of no kind", (5, 6),
     lambda v: raw.table_features(v, properties=raw.pack("HH4x", 99, 4)), (14, 0)),
    ("table features of no kind, as they were", (4,),
     lambda v: raw.table_features(v, properties=raw.pack("HH4x", 99, 4)), (13, 2)),
    ("monitor of nothing", (5, 6), lambda v: raw.monitor(v, 0x10), (16, 5)),
    ("monitor with an unknown flag", (5, 6), lambda v: raw.monitor(v, 0x82), (16, 5)),
    ("monitor of 1.3 with 1.4's flag", (4,), lambda v: raw.monitor(v, 0x42), (raw.EXPERIMENTER_ERROR, 7, NICIRA)),
    ("monitor of own changes", (5, 6), lambda v: raw.monitor(v, 0x42), TAKEN),
]


@pytest.fixture(scope="module")
def side():
    with contextlib.ExitStack() as stack:
        yield ofctl.Side("weir", stack)


def connect(side, version):
    return raw.Connection(side.socket.removeprefix("unix:"), version)


def clean(connection, version):
    if version == 1:
        connection.exchange(raw.flow10(command=3))
        return
    connection.exchange(raw.flow(version, table=raw.ALL_TABLES, command=3))
    connection.exchange(raw.group(version, 2, 0, 0xfffffffc))


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_refusal(side, case):
    _, versions, request, expected, *before = case
    found = {}
    for version in versions:
        connection = connect(side, version)
        for make in before:
            assert connection.refusal(make(version)) is None
        found[version] = connection.refusal(request(version))
        clean(connection, version)
        connection.close()
    assert found == dict.fromkeys(versions, expected)


def test_exact_match_of_10_comes_first(side):
    """OpenFlow 1.0, 3.4: an entry without wildcards has the highest priority, whatever it says."""
    connection = connect(side, 1)
    assert connection.refusal(raw.flow10(raw.match10(0, 1, 0x800, 6), priority=7)) is None
    rules = side.run("ovs-ofctl", "dump-flows", "@").stdout
    clean(connection, 1)
    connection.close()
    assert "priority=65535,tcp" in rules


@pytest.mark.parametrize("version", (5, 6))
def test_reports_stay_as_they_are(side, version):
    """What SET_ASYNC does not name does not change, even if it names nothing."""
    connection = connect(side, version)
    asked = raw.message(version, 26)
    first = connection.exchange(asked)
    assert connection.refusal(raw.message(version, 28)) is None
    assert connection.exchange(asked) == first
    assert connection.refusal(raw.message(version, 28, raw.pack("HHI", 0, 8, 1))) is None
    after, = connection.exchange(asked)
    connection.close()
    changed = bytearray(first[0])
    struct.pack_into("!I", changed, 12, 1)
    assert after == bytes(changed)


@pytest.mark.parametrize("version", (4, 5, 6))
def test_parts_of_a_request_have_one_answer(side, version):
    """Table features that more are to follow for are answered with the last."""
    connection = connect(side, version)
    assert connection.exchange(raw.table_features(version, flags=1)) == []
    answers = connection.exchange(raw.table_features(version, 1))
    connection.close()
    assert len(answers) > 1
    assert [answer[11] for answer in answers] == [1] * (len(answers) - 1) + [0]


@pytest.mark.parametrize("version", (5, 6))
def test_groups_of_a_bundle_are_forwarded(side, version):
    """OpenFlow 1.4, 7.4.6: others hear of a group-mod when it takes effect, in a bundle as well."""
    by, to = connect(side, version), connect(side, version)
    to.exchange(raw.message(version, 9, raw.pack("HH", 0, 128)))
    assert to.refusal(raw.message(version, 28, raw.pack("HHI", 11, 8, 3))) is None
    wanted = with_group(version)
    for request in (raw.message(version, 33, raw.pack("IHH", 1, 0, 3)),
                    raw.message(version, 34, raw.pack("I2xH", 1, 3) + wanted)):
        assert by.refusal(request) is None
    assert to.exchange(b"") == []
    assert by.refusal(raw.message(version, 33, raw.pack("IHH", 1, 4, 3))) is None
    forwarded, = to.exchange(b"")
    assert forwarded[1] == 32 and forwarded[8:] == wanted
    clean(by, version)
    by.close()
    to.close()


def test_short_id_is_remembered(side):
    """OpenFlow 1.5, 7.3.8: a role has the number that the controller gave itself, 0 before."""
    connection = connect(side, 6)
    ids = []
    for role, number in ((0, 9), (1, 7), (0, 9)):
        answer, = connection.exchange(raw.message(6, 24, raw.pack("IH2xQ", role, number, 2**64 - 1)))
        ids.append(struct.unpack_from("!H", answer, 12)[0])
    connection.close()
    assert ids == [0, 7, 7]


def statuses(data):
    """(URI, short id, role, reason, channel) of each."""
    found = []
    while data:
        length, short_id, role, reason, channel = struct.unpack_from("!HHIBB", data)
        kind, size = struct.unpack_from("!HH", data, 16)
        assert kind == 0 and length == 16 + (size + 7) // 8 * 8
        found.append((data[20:16 + size].decode(), short_id, role, reason, channel))
        data = data[length:]
    return found


def next_status(connection):
    answer = connection.read_message(time.monotonic() + connection.timeout)
    assert answer is not None and answer[1] == 35
    status, = statuses(answer[8:])
    parsed = ofproto_parser.msg(connection, *raw.wire.HEADER.unpack_from(answer), answer).status
    assert (parsed.short_id, parsed.role, parsed.reason, parsed.channel_status) == status[1:]
    return status


def accept(listener):
    """Says HELLO in 1.5."""
    stream, _ = listener.accept()
    stream.sendall(raw.message(6, 0))
    return stream


def test_controllers_hear_of_each_other(side):
    """OpenFlow 1.5 tells of all that are configured; the one that says nothing is down.

       by itself ---> br0 ---> two listeners, of which one answers, both configured
    """
    watcher = connect(side, 6)
    assert watcher.refusal(raw.message(6, 28, raw.pack("HHIHHI", 14, 8, 0x7f, 15, 8, 0x7f))) is None
    with contextlib.ExitStack() as stack:
        paths = [str(side.switch.rundir / f"controller{i}") for i in range(2)]
        listeners = [stack.enter_context(socket.create_server(path, family=socket.AF_UNIX)) for path in paths]
        uris = [f"unix:{path}" for path in paths]
        listeners[0].settimeout(20)
        stack.callback(side.switch.vsctl, "del-controller", ofctl.BRIDGE)
        side.switch.vsctl("set-controller", ofctl.BRIDGE, *uris)
        assert {next_status(watcher) for _ in uris} == {(uri, 0, 1, 3, 1) for uri in uris}
        with accept(listeners[0]) as controller:
            assert next_status(watcher) == (uris[0], 0, 1, 1, 0)
            controller.sendall(raw.message(6, 24, raw.pack("IH2xQ", 2, 7, 1)))
            assert next_status(watcher) == (uris[0], 7, 2, 2, 0)
            assert next_status(watcher) == (uris[0], 7, 2, 5, 0)
            answer, = watcher.exchange(raw.multipart(6, 18))
            assert answer[1] == 19
            assert sorted(statuses(answer[16:])) == sorted([(uris[0], 7, 2, 0, 0), (uris[1], 0, 1, 0, 1)])
        assert next_status(watcher) == (uris[0], 7, 2, 1, 1)
        side.switch.vsctl("set-controller", ofctl.BRIDGE, uris[0])
        assert next_status(watcher) == (uris[1], 0, 1, 4, 1)
    watcher.close()
