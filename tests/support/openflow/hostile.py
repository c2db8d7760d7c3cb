# hostile.py - broken OpenFlow messages made of good ones, and connections that send what they like. For
# test_openflow_hostile.py; the good ones are those of tests/unit/of_vectors.txt, which real programs sent.
import pathlib
import re
import select
import socket
import struct
import threading
import time

HEADER = struct.Struct("!BBHI")
VECTORS = pathlib.Path(__file__).resolve().parents[2] / "unit" / "of_vectors.txt"
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
MULTIPART_REPLY = 19
FIRST_BARRIER_XID = 0xb0000000
# Messages that only switches send are cut at every byte up to here, then more coarsely.
REPLY_DETAIL_BYTES = 64
ANSWER_SECONDS = 60


class Sample:
    """A good message: its kind as weir names it, its bytes."""

    def __init__(self, kind, data):
        self.kind, self.data = kind, data
        self.version, self.type, _, self.xid = HEADER.unpack_from(data)

    @property
    def is_for_switches(self):
        return not re.search(r"reply|status$|packet_in$|flow_removed|paused|resumed|request_forward", self.kind)


def samples(version):
    """By kind. All that a controller may send; of what only switches send, the shortest of each kind."""
    found = {}
    for line in VECTORS.read_text().splitlines():
        words = line.split()
        if len(words) < 3 or words[0] not in "=~!":
            continue
        sample = Sample(words[1], bytes.fromhex(words[2]))
        if sample.version == version:
            found.setdefault(sample.kind, []).append(sample)
    for kind, list_ in found.items():
        if not list_[0].is_for_switches:
            found[kind] = [min(list_, key=lambda sample: len(sample.data))]
    return found


def add_rule(version, xid, number, actions, table=4):
    """A flow-mod of 1.3 or later for one destination address, with the bytes of a list of actions."""
    match = struct.pack("!HHIHI2x", 1, 14, 0x80000606, 0x0200, number)
    instruction = struct.pack("!HH4x", 4, 8 + len(actions)) + actions
    body = struct.pack("!QQBBHHHIIIH2x", number, 0, table, 0, 0, 0, 7, 0xffffffff, 0, 0, 0) + match + instruction
    return HEADER.pack(version, 14, 8 + len(body), xid) + body


def output(port):
    return struct.pack("!HHIH6x", 0, 16, port, 0)


def note(n):
    """Nicira's note with 'n' bytes; n + 10 is a multiple of 8."""
    return struct.pack("!HHIH", 0xffff, 10 + n, 0x2320, 8) + bytes(n)


def add_group(version, xid, number, n_buckets):
    """A group-mod of 1.1 to 1.4: all of them send to port 1."""
    bucket = struct.pack("!HHII4x", 32, 0, 0xffffffff, 0xffffffff) + output(1)
    body = struct.pack("!HBxI", 0, 0, number) + bucket * n_buckets
    return HEADER.pack(version, 15, 8 + len(body), xid) + body


def add_meter(version, xid, number, n_bands):
    """A meter-mod whose bands drop what is above one rate or another."""
    body = struct.pack("!HHI", 0, 1, number)
    body += b"".join(struct.pack("!HHII4x", 1, 16, 1000 + i, 0) for i in range(n_bands))
    return HEADER.pack(version, 29, 8 + len(body), xid) + body


def multipart(version, xid, kind, body=b""):
    return HEADER.pack(version, 18, 16 + len(body), xid) + struct.pack("!HH4x", kind, 0) + body


def with_length(data, length):
    return data[:2] + struct.pack("!H", length) + data[4:]


def cuts(sample):
    """The message up to each byte, with a header that says so."""
    n, step = 8, 1
    while n < len(sample.data):
        yield with_length(sample.data[:n], n)
        if not sample.is_for_switches and n >= REPLY_DETAIL_BYTES:
            step = 64
        n += step


def stretched(sample):
    """With more behind it than belongs to it."""
    for more in (b"\0", b"\0" * 8, b"\xff" * 8, b"\0" * 64):
        yield with_length(sample.data + more, len(sample.data) + len(more))


def wrong_numbers(sample):
    """Each byte and each 16-bit word with other values: among them are all lengths inside, made too short, too long,
    0 and 0xffff."""
    data = sample.data
    end = len(data) if sample.is_for_switches else min(len(data), REPLY_DETAIL_BYTES)
    for at in range(8, end):
        value = data[at]
        for wrong in {0, (value - 1) & 0xff, (value + 1) & 0xff, 0xff} - {value}:
            yield data[:at] + bytes([wrong]) + data[at + 1:]
    for at in range(8, end - 1, 2):
        value = struct.unpack_from("!H", data, at)[0]
        for wrong in {0, (value - 8) & 0xffff, (value + 8) & 0xffff, 0xffff} - {value}:
            yield data[:at] + struct.pack("!H", wrong) + data[at + 2:]


def mutants(sample):
    seen = {sample.data}
    for make in (cuts, stretched, wrong_numbers):
        for data in make(sample):
            if data not in seen:
                seen.add(data)
                yield data


def required_error(version, message):
    """(type, code) where the specification leaves no choice: a message of fixed size that has another, or one that
    is shorter than its fixed part. None otherwise."""
    kind, n = message[1], len(message)
    exact = {5: 8, 7: 8, 9: 12}
    least = {4: 12 if version == 1 else 16}
    if version == 1:
        exact.update({15: 32, 18: 8, 20: 12})
        least.update({13: 16, 14: 72, 16: 12})
    else:
        exact.update({20: 8})
        least.update({13: 16 if version == 6 else 24, 14: 48, 15: 24 if version == 6 else 16, 18: 16})
        if version <= 4:
            exact.update({16: 40, 17: 16, 22: 16})
        else:
            least.update({16: 32, 17: 16, 28: 8, 33: 16, 34: 16})
        if version >= 3:
            exact.update({24: 24})
        if version >= 4:
            exact.update({26: 8})
            least.update({29: 16})
        if version == 4:
            exact.update({28: 32})
    if (kind in exact and n != exact[kind]) or (kind in least and n < least[kind]):
        return 1, 6  # OFPET_BAD_REQUEST, OFPBRC_BAD_LEN
    return None


class Answer:
    """What came for one message: the errors, whole, and how many other messages."""

    def __init__(self):
        self.errors = []
        self.others = 0


class Connection:
    """A connection that has said HELLO, unless version is None."""

    def __init__(self, path, version, timeout=ANSWER_SECONDS):
        self.version, self.timeout = version, timeout
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = bytearray()
        self.is_closed = False
        if version is not None:
            self.socket.sendall(HEADER.pack(version, HELLO, 8, 0))
            assert self.read()[1] == HELLO

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _take(self):
        """The next whole message of what came; None."""
        if len(self.buffer) < 8:
            return None
        n = self.buffer[2] << 8 | self.buffer[3]
        if len(self.buffer) < n:
            return None
        message = bytes(self.buffer[:n])
        del self.buffer[:n]
        return message

    def read(self, seconds=None):
        """The next message; None when the switch closes, TimeoutError after 'seconds'."""
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        while (message := self._take()) is None:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                self.is_closed = True
                return None
            self.buffer += more
        return message

    def read_all(self, seconds=None):
        """All that comes until the switch closes."""
        found = []
        while (message := self.read(seconds)) is not None:
            found.append(message)
        return found

    def echo(self, data=b"", seconds=None):
        """Seconds until an echo's answer came; other messages before it are dropped."""
        start = time.monotonic()
        self.send(HEADER.pack(self.version, ECHO_REQUEST, 8 + len(data), 77) + data)
        while (message := self.read(seconds)) is not None:
            if message[1] == ECHO_REPLY:
                assert message[8:] == data
                return time.monotonic() - start
        raise ConnectionError("the switch closed the connection")

    def items(self, xid, length_at=0):
        """How many items a multipart's answer has, each with its length at a place of it."""
        n, has_more = 0, True
        while has_more:
            message = self.read()
            if message is None:
                raise ConnectionError("the switch closed the connection")
            if message[1] != MULTIPART_REPLY or HEADER.unpack_from(message)[3] != xid:
                continue
            has_more = struct.unpack_from("!H", message, 10)[0] & 1
            at = 16
            while at < len(message):
                at += struct.unpack_from("!H", message, at + length_at)[0]
                n += 1
        return n

    def barrier_message(self, xid):
        return HEADER.pack(self.version, 18 if self.version == 1 else 20, 8, xid)

    def ask(self, messages):
        """Sends all, a barrier behind each; one Answer each. Shorter if the switch closes the connection."""
        barrier_reply = 19 if self.version == 1 else 21
        out = memoryview(b"".join(message + self.barrier_message(FIRST_BARRIER_XID + i)
                                  for i, message in enumerate(messages)))
        answers, answer = [], Answer()
        self.socket.setblocking(False)
        poll = select.poll()
        poll.register(self.socket)
        deadline = time.monotonic() + self.timeout
        while len(answers) < len(messages) and not self.is_closed:
            poll.modify(self.socket, select.POLLIN | (select.POLLOUT if out else 0))
            events = sum(event for _, event in poll.poll(max(0, deadline - time.monotonic()) * 1000))
            if not events:
                raise TimeoutError(f"no answer to message {len(answers)}: {messages[len(answers)].hex()}")
            if events & select.POLLOUT:
                try:
                    out = out[self.socket.send(out[:1 << 16]):]
                except (BrokenPipeError, ConnectionResetError):
                    out = out[:0]
            if events & ~select.POLLOUT:
                try:
                    more = self.socket.recv(1 << 18)
                except ConnectionResetError:
                    more = b""
                self.is_closed = not more
                self.buffer += more
                deadline = time.monotonic() + self.timeout
            while (message := self._take()) is not None:
                if message[1] == barrier_reply and HEADER.unpack_from(message)[3] == FIRST_BARRIER_XID + len(answers):
                    answers.append(answer)
                    answer = Answer()
                elif message[1] == ERROR:
                    answer.errors.append(message)
                else:
                    answer.others += 1
        self.socket.settimeout(self.timeout)
        return answers


class Bystander:
    """Another controller, which asks for an echo all the time, in a thread of its own."""

    PAUSE_SECONDS = 0.02

    def __init__(self, path, version=4):
        self.connection = Connection(path, version)
        self.worst, self.n, self.error = 0.0, 0, None
        self.is_ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            while not self.is_ended.is_set():
                self.worst = max(self.worst, self.connection.echo(b"alive?"))
                self.n += 1
                time.sleep(self.PAUSE_SECONDS)
        except (OSError, AssertionError) as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ended.set()
        self.thread.join(ANSWER_SECONDS)
        self.connection.close()
