# wire.py - a blocking OpenFlow connection, with os-ken's parsers, for tests that say exactly what is sent when.
import socket
import struct
import time

from os_ken.ofproto import ofproto_parser, ofproto_protocol

HEADER = struct.Struct("!BBHI")


class Refused(Exception):
    """The switch answered with an error message."""

    def __init__(self, message):
        super().__init__(f"error type {message.type} code {message.code}")
        self.type, self.code = message.type, message.code


class Switch(ofproto_protocol.ProtocolDesc):
    """One connection, as what os-ken's messages call a datapath."""

    def __init__(self, path, version, timeout=10):
        super().__init__(version)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.timeout = timeout
        self.buffer = b""
        self.next_xid = 1
        self.packet_ins = []
        self.errors = []
        self.others = []
        self.send_bytes(HEADER.pack(version, 0, 8, 0))
        self.handshake()

    def handshake(self):
        data = self.read_message(time.monotonic() + self.timeout)
        if HEADER.unpack_from(data)[1] != 0:
            raise ConnectionError("no hello")

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def set_xid(self, message):
        self.next_xid += 1
        message.set_xid(self.next_xid)
        return self.next_xid

    def send(self, message):
        """Returns the message's xid."""
        if message.xid is None:
            self.set_xid(message)
        message.serialize()
        self.send_bytes(bytes(message.buf))
        return message.xid

    def read_message(self, deadline):
        while True:
            if len(self.buffer) >= 8:
                length = HEADER.unpack_from(self.buffer)[2]
                if len(self.buffer) >= length:
                    data, self.buffer = self.buffer[:length], self.buffer[length:]
                    return data
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except (socket.timeout, BlockingIOError):
                return None
            if not more:
                raise ConnectionError("the switch closed the connection")
            self.buffer += more

    def take(self, deadline):
        """Reads one message into the lists; returns it, None at the deadline."""
        data = self.read_message(deadline)
        if data is None:
            return None
        version, kind, length, xid = HEADER.unpack_from(data)
        if kind == self.ofproto.OFPT_ECHO_REQUEST:
            self.send_bytes(HEADER.pack(version, self.ofproto.OFPT_ECHO_REPLY, length, xid) + data[8:])
            return self.take(deadline)
        message = ofproto_parser.msg(self, version, kind, length, xid, data)
        if kind == self.ofproto.OFPT_PACKET_IN:
            self.packet_ins.append(message)
        elif kind == self.ofproto.OFPT_ERROR:
            self.errors.append(message)
        else:
            self.others.append(message)
        return message

    def drain(self):
        while self.take(time.monotonic()) is not None:
            pass

    def barrier(self):
        """Everything sent before took effect, or an error is raised for it."""
        self.errors = []
        xid = self.send(self.ofproto_parser.OFPBarrierRequest(self))
        self.wait_reply(xid)
        if self.errors:
            raise Refused(self.errors[0])

    def wait_reply(self, xid):
        deadline = time.monotonic() + self.timeout
        while True:
            message = self.take(deadline)
            if message is None:
                raise TimeoutError(f"no answer to xid {xid} within {self.timeout} s")
            if message.xid == xid and message not in self.packet_ins:
                return message

    def request(self, message):
        """The bodies of all parts of the answer, or the message itself if it has no parts."""
        xid = self.send(message)
        bodies = []
        while True:
            reply = self.wait_reply(xid)
            if reply.msg_type == self.ofproto.OFPT_ERROR:
                raise Refused(reply)
            if not hasattr(reply, "body"):
                return reply
            bodies += reply.body if isinstance(reply.body, list) else [reply.body]
            if not reply.flags & 1:
                return bodies

    def wait_packet_in(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.packet_ins:
            if self.take(deadline) is None:
                return None
        return self.packet_ins.pop(0)
