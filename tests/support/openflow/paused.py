# paused.py - packets that pause, as a controller gets them and sends them back: nxt_packet_in2 and NXT_RESUME, byte
# by byte, because os-ken knows neither.
import struct

from support.openflow import wire

NICIRA = 0x2320
SET_FORMAT, RESUME, PACKET_IN2 = 16, 28, 30
PACKET, METADATA, USERDATA, CONTINUATION = 0, 6, 7, 8
EXPERIMENTER = 4
OXM_IN_PORT = 0x80000004
OXM_REG0 = 0x00010004


class Controller(wire.Switch):
    """A connection that gets packets in Nicira's second form."""

    def __init__(self, path, version=4):
        super().__init__(path, version)
        self.say(SET_FORMAT, struct.pack("!I", 2))
        # A connection that came in gets nothing before it asks.
        self.send_bytes(struct.pack("!BBHIHH", version, 9, 12, 1, 0, 0xffff))
        self.barrier()

    def say(self, subtype, body):
        self.next_xid += 1
        self.send_bytes(struct.pack("!BBHIII", self.ofproto.OFP_VERSION, EXPERIMENTER, 16 + len(body), self.next_xid,
                                    NICIRA, subtype) + body)

    def take_paused(self, deadline):
        """The properties of the next packet-in; None at the deadline."""
        while (data := self.read_message(deadline)) is not None:
            if data[1] == EXPERIMENTER and struct.unpack_from("!II", data, 8) == (NICIRA, PACKET_IN2):
                return split(data[16:])
        return None

    def resume(self, properties):
        self.say(RESUME, b"".join(property_bytes(kind, body) for kind, body in properties.items()))


def split(data):
    found = {}
    while data:
        kind, length = struct.unpack_from("!HH", data)
        found[kind] = data[4:length]
        data = data[(length + 7) // 8 * 8:]
    return found


def property_bytes(kind, body):
    data = struct.pack("!HH", kind, 4 + len(body)) + body
    return data.ljust((len(data) + 7) // 8 * 8, b"\0")


def oxm(header, value):
    return struct.pack("!II", header, value)
