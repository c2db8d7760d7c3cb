"""flow_mods.py - sends flow-mods of OpenFlow 1.3 in large writes with a barrier behind each
batch, and times the barriers. flows.py drives it.

Messages are built before they are sent, so that building them costs the switch nothing. At
most 'window' batches are under way at a time.
"""

import select
import socket
import struct
import time

VERSION = 4
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FLOW_MOD, BARRIER_REQUEST, BARRIER_REPLY = \
    0, 1, 2, 3, 14, 20, 21
ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
ANY = 0xffffffff
ALL_TABLES = 255
IN_PORT, ETH_TYPE, IP_PROTO, IPV4_SRC, IPV4_DST, UDP_SRC, UDP_DST = 0, 5, 10, 11, 12, 15, 16
RECEIVE_BYTES = 1 << 16
REPLY_TIMEOUT_S = 60


def match(*fields):
    """OXM fields, each (number, bytes of the value) or (number, value, mask)."""
    oxm = b''.join(struct.pack('!HBB', 0x8000, field << 1 | bool(mask),
                               sum(map(len, (value, *mask)))) + b''.join((value, *mask))
                   for field, value, *mask in fields)
    length = 4 + len(oxm)
    return struct.pack('!HH', 1, length) + oxm + bytes(-length % 8)


def output(port):
    """An instruction that applies one output."""
    return struct.pack('!HH4x HHIH6x', 4, 24, 0, 16, port, 0xffff)


def goto(table):
    return struct.pack('!HHB3x', 1, 8, table)


def flow_mod(command, table, priority, where, instructions=b'', cookie=0):
    body = struct.pack('!QQBBHHHIIIH2x', cookie, 0, table, command, 0, 0, priority,
                       ANY, ANY, ANY, 0) + where + instructions
    return struct.pack('!BBHI', VERSION, FLOW_MOD, 8 + len(body), 0) + body


def batches_of(messages, size):
    """Lists of bytes: 'size' flow-mods each, with a barrier at the end."""
    barrier = struct.pack('!BBHI', VERSION, BARRIER_REQUEST, 8, 0)
    return [(b''.join(messages[i:i + size]) + barrier, len(messages[i:i + size]))
            for i in range(0, len(messages), size)]


class Failure(Exception):
    """The switch refused something, or did not answer."""


class Client:
    """One connection to a bridge's management socket; use as a context manager."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(REPLY_TIMEOUT_S)
        self.socket.connect(path)
        self.socket.sendall(struct.pack('!BBHI', VERSION, HELLO, 8, 1))
        self.received = b''
        while not any(kind == HELLO for kind, _ in self.take()):
            self.receive()
        self.socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def receive(self):
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise Failure('the switch closed the connection')
        self.received += data

    def take(self):
        """The whole messages that have arrived, as (type, bytes)."""
        messages, at = [], 0
        while len(self.received) - at >= 8:
            _, kind, length, _ = struct.unpack_from('!BBHI', self.received, at)
            if len(self.received) - at < length:
                break
            messages.append((kind, self.received[at:at + length]))
            at += length
        self.received = self.received[at:]
        return messages

    def run(self, batches, per_s=0, window=2, seconds=None, limit=1 << 40):
        """Sends batches, over and over for 'seconds' if given. With 'per_s' that many
        flow-mods per second, else as fast as they are answered. Returns (flow-mods,
        seconds, barrier latencies in seconds)."""
        begin = time.monotonic()
        sent = answered = done = 0
        latencies, under_way = [], []
        pending = b''
        while True:
            now = time.monotonic()
            is_over = (now - begin >= seconds) if seconds else sent == len(batches)
            if is_over and not pending and not under_way:
                break
            may_send = not per_s or done + batches[sent % len(batches)][1] \
                <= (now - begin) * per_s
            if not pending and not is_over and len(under_way) < window and may_send \
                    and done < limit:
                pending, n = batches[sent % len(batches)]
                under_way.append(now)
                sent += 1
                done += n
            # Who waits for the clock looks again in a moment.
            wait = 0.0002 if not is_over and not may_send else REPLY_TIMEOUT_S
            readable, writable, _ = select.select(
                [self.socket], [self.socket] if pending else [], [], wait)
            if writable:
                pending = pending[self.socket.send(pending):]
            if readable:
                self.receive()
                for kind, data in self.take():
                    answered += self.answer(kind, data, under_way, latencies)
            elif not writable and wait == REPLY_TIMEOUT_S:
                raise Failure(f'no reply within {REPLY_TIMEOUT_S} s')
        return done, time.monotonic() - begin, latencies

    def answer(self, kind, data, under_way, latencies):
        if kind == ERROR:
            raise Failure(f'the switch says {data[:12].hex()} of {data[12:76].hex()}')
        if kind == ECHO_REQUEST:
            self.socket.send(data[:1] + bytes([ECHO_REPLY]) + data[2:])
        if kind != BARRIER_REPLY:
            return 0
        latencies.append(time.monotonic() - under_way.pop(0))
        return 1
