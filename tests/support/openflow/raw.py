# raw.py - OpenFlow messages as bytes, legal and not, and a connection that tells which errors came for them: for
# test_openflow_refusals.py. Where os-ken would not write what is wrong, or would write it right.
import struct
import time

from support.openflow import wire

ANY = 0xffffffff
ALL_TABLES = 255
OFPT_ERROR = 1
EXPERIMENTER_ERROR = 0xffff
XID = 0x1234
ETH_TYPE, IP_PROTO, VLAN_VID = 5, 10, 6


def pack(fmt, *values):
    return struct.pack("!" + fmt, *values)


def message(version, kind, body=b"", xid=XID):
    return wire.HEADER.pack(version, kind, 8 + len(body), xid) + body


def multipart(version, kind, body=b"", flags=0):
    if version == 1:
        return message(version, 16, pack("HH", kind, flags) + body)
    return message(version, 18, pack("HH4x", kind, flags) + body)


def oxm(field, value, field_class=0x8000):
    return pack("HBB", field_class, field << 1, len(value)) + value


def match(*fields):
    body = b"".join(fields)
    return pack("HH", 1, 4 + len(body)) + body + bytes(-(4 + len(body)) % 8)


def output(port):
    return pack("HHIH6x", 0, 16, port, 0xffff)


def set_field(field):
    return pack("HH", 25, (len(field) + 11) // 8 * 8) + field + bytes(-(len(field) + 4) % 8)


def apply(*actions):
    body = b"".join(actions)
    return pack("HH4x", 4, 8 + len(body)) + body


def flow(version, what=None, instructions=b"", table=0, command=0, flags=0, priority=100):
    return message(version, 14, pack("QQBBHHHIIIHH", 0, 0, table, command, 0, 0, priority, ANY, ANY, ANY, flags, 0) +
                   (what or match()) + instructions)


def match10(wildcards, in_port=0, eth_type=0, protocol=0):
    """OpenFlow 1.0's, of packets without a tag."""
    return pack("IH6x6xHBxHBB2xIIHH", wildcards, in_port, 0xffff, 0, eth_type, 0, protocol, 0, 0, 0, 0)


def flow10(what=match10(0x3fffff), command=0, flags=0, idle=0, priority=100, actions=b""):
    return message(1, 14, what + pack("QHHHHIHH", 0, command, idle, 0, priority, ANY, 0xffff, flags) + actions)


def bucket(version, actions=b"", weight=0, number=1, watch_port=ANY):
    if version < 6:
        return pack("HHII4x", 16 + len(actions), weight, watch_port, ANY) + actions
    properties = pack("HHH2x", 0, 8, weight) if weight else b""
    if watch_port != ANY:
        properties += pack("HHI", 1, 8, watch_port)
    return pack("HHI", 8 + len(actions) + len(properties), len(actions), number) + actions + properties


def group(version, command, kind, number, *buckets, place=ANY, properties=b""):
    body = b"".join(buckets)
    if version < 6:
        return message(version, 15, pack("HBxI", command, kind, number) + body)
    return message(version, 15, pack("HBxIH2xI", command, kind, number, len(body), place) + body + properties)


def selection(method, fields=b""):
    """Netronome's property: how a bucket is chosen."""
    body = pack("II4x16sQ", 0x154d, 1, method, 0) + fields
    return pack("HH", 0xffff, 4 + len(body)) + body + bytes(-(4 + len(body)) % 8)


def port_mod(version, port, mac, config=0, mask=0):
    if version == 1:
        return message(1, 15, pack("H6sIII4x", port, mac, config, mask, 0))
    if version < 5:
        return message(version, 16, pack("I4x6s2xIII4x", port, mac, config, mask, 0))
    return message(version, 16, pack("I4x6s2xII", port, mac, config, mask))


def monitor(version, flags, number=1):
    """Nicira's for 1.0, ONF's for 1.3, 1.4's."""
    if version == 1:
        return multipart(1, 0xffff, pack("II4xIHHHB5x", 0x2320, 2, number, flags, 0xffff, 0, ALL_TABLES))
    if version == 4:
        return multipart(4, 0xffff, pack("IIIHHIB3x", 0x4f4e4600, 1870, number, flags, 4, ANY, ALL_TABLES) + match())
    return multipart(version, 16, pack("IIIHBB", number, ANY, ANY, flags, ALL_TABLES, 0) + match())


def table_features(version, table=0, properties=b"", flags=0):
    return multipart(version, 12, pack("HBBI32sQQII", 64 + len(properties), table, 0, 0, b"", 2**64 - 1, 2**64 - 1,
                                       0, 100) + properties, flags)


class Connection(wire.Switch):
    """Speaks bytes; what comes is not parsed."""

    def exchange(self, data):
        """What came for these bytes, before a barrier's answer, as bytes."""
        self.send_bytes(data + message(self.ofproto.OFP_VERSION, self.ofproto.OFPT_BARRIER_REQUEST, xid=XID + 1))
        answers = []
        while True:
            answer = self.read_message(time.monotonic() + self.timeout)
            if answer is None:
                raise TimeoutError("no answer to a barrier")
            if answer[1] == self.ofproto.OFPT_BARRIER_REPLY:
                return answers
            answers.append(answer)

    def refusal(self, data):
        """(type, code) of the one error for a message, with the experimenter if it is one's; None if it was taken.
        The error repeats the message."""
        errors = [answer for answer in self.exchange(data) if answer[1] == OFPT_ERROR]
        if not errors:
            return None
        assert len(errors) == 1
        kind, code = struct.unpack_from("!HH", errors[0], 8)
        numbers = (kind, code)
        start = 12
        if kind == EXPERIMENTER_ERROR:
            numbers += struct.unpack_from("!I", errors[0], 12)
            start = 16
        assert struct.unpack_from("!I", errors[0], 4) == (XID,)
        assert errors[0][start:] == data[:len(errors[0]) - start]
        assert len(errors[0]) - start >= min(len(data), 64)
        return numbers
