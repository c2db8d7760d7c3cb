# netns.py - network namespaces with names of this run only, veth pairs, and moving taps into them.
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

from support import proc

FRAMES = pathlib.Path(__file__).resolve().parent / "frames.py"

_numbers = itertools.count(1)


def unique_name(prefix):
    """A name for an interface or namespace that no other run uses; at most 15 characters."""
    name = f"{prefix}{os.getpid():x}n{next(_numbers)}"
    assert len(name) <= 15, name
    return name


class Namespace:
    """A network namespace. Context manager; deleting it also ends what still runs inside."""

    def __init__(self):
        self.name = unique_name("wns")
        self._processes = []

    def __enter__(self):
        proc.run(["ip", "netns", "add", self.name])
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for process in self._processes:
            proc.end_group(process)
        proc.run(["ip", "netns", "del", self.name], check=False)

    def run(self, *words, timeout=60, check=True):
        """Runs a program inside; returns CompletedProcess."""
        return proc.run(["ip", "netns", "exec", self.name, *words], timeout, check)

    def spawn(self, *words, log=os.devnull):
        """Starts a program inside; ended with the namespace at the latest."""
        process = proc.spawn(["ip", "netns", "exec", self.name, *words], log)
        self._processes.append(process)
        return process

    def take(self, interface, address=None):
        """Moves an interface of the root namespace inside, sets it up with an address."""
        proc.wait_until(lambda: os.path.exists(f"/sys/class/net/{interface}"), 10, f"interface {interface}")
        proc.run(["ip", "link", "set", interface, "netns", self.name])
        self.up(interface, address)

    def up(self, interface, address=None):
        if address:
            self.run("ip", "addr", "add", address, "dev", interface)
        self.run("ip", "link", "set", interface, "up")

    def veth(self, inside, address=None):
        """A veth pair: 'inside' in here, the other end (its name is returned) up in the root namespace."""
        outside = unique_name("wve")
        proc.run(["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name])
        proc.run(["ip", "link", "set", outside, "up"])
        # The switch sees frames as they are on the wire: no checksums left for hardware that is not there.
        for feature in ("tx", "tso", "gso", "gro"):
            self.run("ethtool", "-K", inside, feature, "off", check=False)
            proc.run(["ethtool", "-K", outside, feature, "off"], check=False)
        self.up(inside, address)
        return outside

    def send_frames(self, interface, *frames):
        """Sends raw frames, given as bytes."""
        self.run(sys.executable, FRAMES, "send", interface, *(frame.hex() for frame in frames))

    def sniff(self, interface):
        """Starts to listen; the returned function listens a second more, ends and returns the frames, as bytes."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, FRAMES, "sniff", interface],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._processes.append(process)
        assert process.stdout.readline() == "ready\n"

        def finish():
            time.sleep(1)
            process.kill()
            text, _ = process.communicate(timeout=30)
            return [bytes.fromhex(line) for line in text.split("\n")[:-1]]

        return finish

    def counter(self, interface, name):
        """A counter of the interface, such as rx_bytes."""
        text = self.run("ip", "-s", "-s", "-j", "link", "show", "dev", interface).stdout
        direction, _, key = name.partition("_")
        return int(json.loads(text)[0]["stats64"][direction][key])
