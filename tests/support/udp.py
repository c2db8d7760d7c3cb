#!/usr/bin/env python3
# udp.py - UDP load without any control connection, and a sink that counts what arrives; run inside namespaces.
#
#   udp.py send ADDRESS PORT MBIT SIZE [N]    sends N (default: for ever) datagrams of SIZE bytes, paced to MBIT of payload
#   udp.py sink INTERFACE                     a line per 100 ms: CLOCK_MONOTONIC in ns, then {source address: bytes}
#                                             of all IPv4 frames so far, each with its Ethernet header
import json
import socket
import sys
import time

SO_RCVBUFFORCE = 33


def send(address, port, mbit, size, count=None):
    payload = bytes(size)
    interval_ns = size * 8e3 / mbit
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        next_ns = time.monotonic_ns()
        while count != 0:
            now_ns = time.monotonic_ns()
            # After a stall the lost time is not made up for, beyond 20 ms.
            next_ns = max(next_ns, now_ns - 20_000_000)
            while next_ns <= now_ns and count != 0:
                try:
                    sock.send(payload)
                    count = count and count - 1
                except (ConnectionRefusedError, BlockingIOError, OSError):
                    pass
                next_ns += interval_ns
            time.sleep(0.001)


def sink(interface):
    counts = {}
    buffer = bytearray(65536)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        raw.bind((interface, 0x0800))
        raw.settimeout(0.05)
        next_ns = 0
        while True:
            try:
                length, address = raw.recvfrom_into(buffer)
                if address[2] != socket.PACKET_OUTGOING:
                    source = bytes(buffer[26:30])
                    counts[source] = counts.get(source, 0) + length
            except TimeoutError:
                pass
            now_ns = time.monotonic_ns()
            if now_ns >= next_ns:
                report = {socket.inet_ntoa(source): count for source, count in counts.items()}
                print(now_ns, json.dumps(report), flush=True)
                next_ns = now_ns + 100_000_000


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]),
             *map(int, sys.argv[6:]))
    else:
        sink(sys.argv[2])
