# links.py - the far ends of a switch's links, as raw sockets: veth pairs whose other ends are ports of the switch.
import ctypes
import os
import select
import socket
import struct
import time

from support import netns, proc

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
STATUS_VLAN_VALID = 1 << 4
STATUS_VLAN_TPID_VALID = 1 << 6
SO_RCVBUFFORCE = 33
RECEIVE_BYTES = 16 << 20  # nothing is lost while the other switch is asked
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter_namespace(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class End:
    """An interface in a namespace, as a raw socket."""

    def __init__(self, space, name):
        self.socket = self._open(space, name)

    def _open(self, space, name):
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{space.name}", os.O_RDONLY)
        try:
            enter_namespace(there)
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            raw.bind((name, ETH_P_ALL))
        finally:
            enter_namespace(here)
            os.close(here)
            os.close(there)
        raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
        raw.setblocking(False)
        return raw

    def send(self, frame):
        self.socket.send(frame)

    def receive(self, seconds):
        """The next frame, with the VLAN tag that the kernel takes out; None after 'seconds'."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                data, control, _, _ = self.socket.recvmsg(65536, 256)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                    return None
                continue
            for level, kind, content in control:
                if level == SOL_PACKET and kind == PACKET_AUXDATA:
                    status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", content[:20])
                    if status & STATUS_VLAN_VALID:
                        tpid = tpid if status & STATUS_VLAN_TPID_VALID else 0x8100
                        data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
            return data

    def flush(self):
        while self.receive(0) is not None:
            pass

    def close(self):
        self.socket.close()


def run_here(*words, check=True):
    return proc.run(words, check=check)


class Link(End):
    """One link: 'outside' is the interface to give to the switch, which runs in the namespace 'home', if not here."""

    def __init__(self, space, name, home=None, mtu=1500):
        self.outside = netns.unique_name("wof")
        self.at_home = home.run if home else run_here
        self.at_home("ip", "link", "add", self.outside, "type", "veth", "peer", "name", name, "netns", space.name)
        for run, interface in ((self.at_home, self.outside), (space.run, name)):
            # Nothing of the kernel's own may be on the link.
            run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{interface}/disable_ipv6")
            run("ethtool", "-K", interface, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
                "rxvlan", "off", "txvlan", "off", check=False)
            run("ip", "link", "set", interface, "mtu", str(mtu), "arp", "off", "up")
        super().__init__(space, name)

    def has_carrier(self):
        path = f"/sys/class/net/{self.outside}/carrier"
        return self.at_home("cat", path, check=False).stdout.strip() == "1"

    def close(self):
        super().close()
        self.at_home("ip", "link", "del", self.outside, check=False)


def attach(switch, bridge, stack, parts, home=None, mtu=1500):
    """A link for each of 'parts', as ports 1, 2 and so on of a bridge that forwards only what controllers say and sends
    nothing of its own: {part: link}. What it makes is undone by the ExitStack 'stack'."""
    space = stack.enter_context(netns.Namespace())
    switch.vsctl("set", "bridge", bridge, "fail_mode=secure")
    quiet = f"/proc/sys/net/ipv6/conf/{bridge}/disable_ipv6"
    (home.run if home else run_here)("sh", "-c", f"test ! -e {quiet} || echo 1 > {quiet}")
    made = {}
    for number, part in enumerate(parts, 1):
        made[part] = link = Link(space, part, home, mtu)
        stack.callback(link.close)
        switch.add_system(bridge, link.outside, f"ofport_request={number}", f"mtu_request={mtu}")
    for link in made.values():
        proc.wait_until(link.has_carrier, 10, f"carrier of {link.outside}")
    return made
