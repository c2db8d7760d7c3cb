# random_frames.py - frames of every kind that a switch parses, and broken ones, for test_openflow_differential.py. Few
# values each, so that random rules (random_pipelines.py) meet them.
import ipaddress
import struct

from support.openflow.packets import checksum, crc32c, mac

MACS = ["02:00:00:00:00:01", "02:00:00:00:00:02", "06:00:00:00:ff:03"]
GROUP_MACS = ["01:00:5e:00:00:05", "33:33:00:00:00:01", "ff:ff:ff:ff:ff:ff"]
IPV4 = ["10.0.0.1", "10.0.0.2", "10.1.255.3", "224.0.0.5", "255.255.255.255", "0.0.0.0"]
IPV6 = ["fd00::1", "fd00::2", "fd01:0:0:ffff::3", "ff02::1", "::"]
PORTS = [0, 1, 53, 1000, 65535]
VIDS = [0, 1, 5, 100, 4095]
TTLS = [0, 1, 2, 64, 255]
LABELS = [0, 3, 16, 1000, 0xfffff]
TOSES = [0, 0x28, 0x2b, 0xb8, 0xff]
LARGEST = 9000


class Frames:
    """With 'room' one more tag or label does not make more than Open vSwitch knows; with 'three_tags' there are three of
    them, which is more. Some have headers that are cut off or wrong."""

    def __init__(self, r, room, three_tags):
        self.r = r
        self.room = room
        self.three_tags = three_tags

    def frame(self):
        r = self.r
        addresses = mac(r.choice(MACS + GROUP_MACS if r.random() < 0.5 else MACS)) + mac(r.choice(MACS))
        eth_type, body = self.layer3()
        tags = r.choice([[], [], [], [0x8100], [0x8100], [0x88a8],
                         *([] if self.room else [[0x88a8, 0x8100], [0x8100, 0x8100],
                                                 [0x88a8, 0x88a8, 0x8100][not self.three_tags:]])])
        head = b"".join(struct.pack("!HH", tpid, self.tci()) for tpid in tags)
        if eth_type is None:  # LLC, SNAP: a length instead of a type
            frame = addresses + head + struct.pack("!H", len(body)) + body
        else:
            frame = addresses + head + struct.pack("!H", eth_type) + body
        return self.cut(frame)

    def cut(self, frame):
        r = self.r
        choice = r.random()
        if choice < 0.08:
            return frame[:r.randrange(14, max(15, min(len(frame), 90)))]
        if choice < 0.30:
            return frame
        if choice < 0.35:
            return frame + bytes(r.randrange(256) for _ in range(r.randrange(1, 30)))
        return frame.ljust(60, b"\0")

    def tci(self):
        r = self.r
        return r.choice(VIDS) | r.choice([0, 0, 3, 7]) << 13

    def payload(self):
        r = self.r
        most = r.choice([0, 7, 26, 26, 26, 100, 1400, LARGEST - 300] if r.random() < 0.3 else [26])
        return bytes((7 * i + most) & 0xff for i in range(most))

    def layer3(self):
        """(EtherType, what follows)."""
        r = self.r
        kind = r.choice(["ip"] * 8 + ["ipv6"] * 8 + ["mpls"] * 4 + ["arp"] * 3 + ["rarp", "llc", "snap", "other", "nsh",
                                                                                 "pbb"])
        if kind == "ip":
            return 0x0800, self.ipv4()
        if kind == "ipv6":
            return 0x86dd, self.ipv6()
        if kind == "mpls":
            return r.choice([0x8847, 0x8847, 0x8848]), self.mpls()
        if kind in ("arp", "rarp"):
            return (0x0806 if kind == "arp" else 0x8035), self.arp(kind)
        if kind == "llc":
            return None, b"\x42\x42\x03" + self.payload()[:1400]
        if kind == "snap":
            return None, b"\xaa\xaa\x03\0\0\0" + r.choice([b"\x08\x00" + self.ipv4(), b"\x88\xb6" + bytes(30)]
                                                           [self.room:])[:1400]
        if kind == "nsh":
            return 0x894f, bytes.fromhex("0fc60103000001ff") + bytes(16) + self.ipv4()
        return r.choice([0x88cc, 0x1234, 0x0600, 0x05ff, 0x88b6]), self.payload()

    def mpls(self):
        r = self.r
        n = r.choice([1, 1, 2] if self.room else [1, 1, 2, 3])
        labels = [r.choice(LABELS) << 12 | r.choice([0, 5, 7]) << 9 | (i == n - 1) << 8 | r.choice(TTLS)
                  for i in range(n)]
        inner = r.choice([self.ipv4, self.ipv6, self.payload])()
        return b"".join(struct.pack("!I", label) for label in labels) + inner

    def arp(self, kind):
        r = self.r
        op = r.choice([1, 2, 3, 255] if kind == "arp" else [3, 4])
        head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op)
        return (head + mac(r.choice(MACS)) + packed(r.choice(IPV4)) + mac(r.choice(MACS)) + packed(r.choice(IPV4)))

    def ipv4(self):
        r = self.r
        src, dst = packed(r.choice(IPV4)), packed(r.choice(IPV4))
        protocol = r.choice([6, 6, 17, 17, 132, 1, 2, 47, 4])
        l4 = self.layer4(protocol, src + dst, False)
        options = r.choice([b""] * 5 + [b"\x94\x04\0\0", b"\x01" * 40])
        fragment = r.choice([0] * 6 + [0x4000, 0x4000, 0x2000, 0x2005, 0x0010, 0x8000])
        if fragment & 0x1fff:
            protocol, l4 = self.later_fragment()
        elif fragment == 0x2000 and protocol == 132:  # its checksum is of what the other fragments hold, too
            fragment = 0
        version, words, length = 4, 5 + len(options) // 4, 20 + len(options) + len(l4)
        if r.random() < 0.06:  # what is no IPv4 header
            version, words, length = r.choice([(4, 4, length), (4, 15, length),
                                               (4, words, length + 5), (4, words, 19), (4, words, length - len(l4)),
                                               (4, words, max(length - 9, 0))])
        head = struct.pack("!BBHHHBBH", version << 4 | words, r.choice(TOSES), length, 7, fragment, r.choice(TTLS),
                           protocol, 0) + src + dst + options
        value = checksum(head) if r.random() < 0.95 else 0x1234
        return head[:10] + struct.pack("!H", value) + head[12:] + l4

    def ipv6(self):
        r = self.r
        src, dst = packed(r.choice(IPV6)), packed(r.choice(IPV6))
        chosen = r.choice([[]] * 5 + [[0], [60], [43], [0, 43, 60], [44], [44, 0], [44, 60], [51], [135]])
        protocol = 17 if 44 in chosen else r.choice([6, 6, 17, 17, 132, 58, 58, 58, 47, 59])
        l4 = self.layer4(protocol, src + dst, True)
        fragment = r.choice([0x0001, 0x0101, 0x0100]) if 44 in chosen else 0
        if fragment > 7:
            protocol, l4 = self.later_fragment()
        following, extensions = protocol, b""
        for number in chosen:
            content = (struct.pack("!BHI", 0, fragment, 9) if number == 44 else b"\x02" + bytes(14) if number == 51
                       else bytes(7) if number == 43 else b"\0\x01\x04\0\0\0\0")
            extensions = bytes([following]) + content + extensions
            following = number
        length = len(extensions) + len(l4)
        if r.random() < 0.05:
            length = r.choice([length + 8, length + 8 if extensions else max(length - 9, 1)])
        word = 6 << 28 | r.choice(TOSES) << 20 | r.choice([0, 1, 0x12345, 0xfffff])
        return struct.pack("!IHBB", word, length, following, r.choice(TTLS)) + src + dst + extensions + l4

    def later_fragment(self):
        """Not of what has a checksum: Open vSwitch believes to find it there when it changes addresses."""
        return 47, self.payload() or b"12345678"

    def layer4(self, protocol, addresses, six):
        r = self.r
        ports, payload = struct.pack("!HH", r.choice(PORTS), r.choice(PORTS)), self.payload()
        if protocol == 6:
            words = r.choice([5, 5, 5, 6])
            data = (ports + struct.pack("!IIBBHHH", 1, 2, words << 4, r.choice([2, 0x12, 0x10, 0xff, 0]), 99, 0, 0)
                    + bytes(4 * words - 20) + payload)
            at = 16
        elif protocol == 17:
            data, at = ports + struct.pack("!HH", 8 + len(payload), 0) + payload, 6
        elif protocol == 132:
            data = ports + bytes(4) + b"\0\0\0\0" + b"\x0e\0\0\x08\0\0\0\0"
            return data[:8] + crc32c(data) + data[12:]
        elif protocol == 1:
            data, at = bytes([r.choice([0, 8, 3, 255]), r.choice([0, 1, 255]), 0, 0]) + b"\0\1\0\2" + payload, 2
        elif protocol == 58:
            data, at = self.icmpv6() + payload * (r.random() < 0.2), 2
        else:
            return payload
        pseudo = b"" if protocol == 1 else addresses + (
            struct.pack("!II", len(data), protocol) if six else struct.pack("!HH", protocol, len(data)))
        value = checksum(pseudo + data)
        choice = r.random()
        if protocol == 17 and value == 0:
            value = 0xffff
        if choice < 0.08:
            value = r.choice([0x1234, 0xffff, 1])
        elif protocol == 17 and choice < 0.25:
            value = 0
        return data[:at] + struct.pack("!H", value) + data[at + 2:]

    def icmpv6(self):
        r = self.r
        kind = r.choice([128, 129, 133, 135, 135, 136, 136, 143, 1])
        if kind not in (135, 136):
            return bytes([kind, r.choice([0, 1]), 0, 0]) + bytes(8)
        option = bytes([1 if kind == 135 else 2, 1]) + mac(r.choice(MACS))
        both = option + bytes([3 - option[0]]) + option[1:]
        options = r.choice([option, option, option, b"", both, b"\x0e\x01" + bytes(6) + option,
                            option[:5], b"\x01\x00" + bytes(6), b"\x01\x02" + bytes(14)])
        return (bytes([kind, r.choice([0, 0, 0, 0, 1]), 0, 0]) + r.choice([b"\0\0\0\0", b"\xe0\0\0\0"])
                + packed(r.choice(IPV6)) + options)


def packed(address):
    return ipaddress.ip_address(address).packed
