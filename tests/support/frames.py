#!/usr/bin/env python3
# frames.py - sends and sees raw Ethernet frames, VLAN tags included; run inside namespaces by Namespace.sniff/send.
#
#   frames.py send INTERFACE HEX...        sends each frame
#   frames.py sniff INTERFACE              prints each frame that arrives, in hex; "ready" comes first
import socket
import struct
import sys

SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3


def send(interface, frames):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, 0))
        for frame in frames:
            raw.send(bytes.fromhex(frame))


def sniff(interface):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as raw:
        raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        raw.bind((interface, ETH_P_ALL))
        print("ready", flush=True)
        while True:
            data, ancillary, _, address = raw.recvmsg(65536, 512)
            if address[2] != socket.PACKET_OUTGOING:
                print((data[:12] + vlan_tag(ancillary) + data[12:]).hex(), flush=True)


def vlan_tag(ancillary):
    """The kernel takes the tag out of a frame and tells it beside the data."""
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack_from("=IIIHHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                return struct.pack("!HH", tpid or 0x8100, tci)
    return b""


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3:])
    else:
        sniff(sys.argv[2])
