#!/usr/bin/env python3
# stream.py - the host's end of a checked TCP transfer: listens, sends or receives once, prints the MD5 of the bytes.
import hashlib
import random
import socket
import sys

BLOCK = 1 << 20


def send(connection, megabytes):
    """Random blocks; returns their MD5."""
    source, digest = random.Random(megabytes), hashlib.md5()
    for _ in range(megabytes):
        block = source.randbytes(BLOCK)
        digest.update(block)
        connection.sendall(block)
    connection.shutdown(socket.SHUT_WR)
    return digest.hexdigest()


def receive(connection):
    digest = hashlib.md5()
    while data := connection.recv(BLOCK):
        digest.update(data)
    return digest.hexdigest()


def main():
    verb, port, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        print("ready", flush=True)
        connection, _ = server.accept()
        with connection:
            print(send(connection, megabytes) if verb == "send" else receive(connection), flush=True)


if __name__ == "__main__":
    main()
