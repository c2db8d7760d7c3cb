#!/usr/bin/env python3
# udp.py - UDP load without any control connection, and a sink that counts what arrives; run inside namespaces.
#
#   udp.py send ADDRESS PORT MBIT SIZE        sends datagrams of SIZE bytes for ever, paced to MBIT of payload
#   udp.py sink PORT                          a line per 100 ms: time in ns, then {source address: bytes so far};
#                                             bytes count as Ethernet frames without FCS
import json
import socket
import sys
import time

HEADERS = 14 + 20 + 8


def send(address, port, mbit, size):
    payload = bytes(size)
    interval_ns = size * 8e3 / mbit
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        next_ns = time.monotonic_ns()
        while True:
            now_ns = time.monotonic_ns()
            # After a stall the lost time is not made up for, beyond 20 ms.
            next_ns = max(next_ns, now_ns - 20_000_000)
            while next_ns <= now_ns:
                try:
                    sock.send(payload)
                except (ConnectionRefusedError, BlockingIOError, OSError):
                    pass
                next_ns += interval_ns
            time.sleep(0.001)


def sink(port):
    counts = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE, 16 << 20)
        sock.bind(("0.0.0.0", port))
        sock.settimeout(0.05)
        buffer = bytearray(65536)
        next_ns = 0
        while True:
            try:
                length, address = sock.recvfrom_into(buffer)
                counts[address[0]] = counts.get(address[0], 0) + length + HEADERS
            except TimeoutError:
                pass
            now_ns = time.monotonic_ns()
            if now_ns >= next_ns:
                print(now_ns, json.dumps(counts), flush=True)
                next_ns = now_ns + 100_000_000


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
    else:
        sink(int(sys.argv[2]))
