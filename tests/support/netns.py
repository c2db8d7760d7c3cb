# netns.py - network namespaces with names of this run only, veth pairs, and moving taps into them.
import itertools
import json
import os

from support import proc

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

    def counter(self, interface, name):
        """A counter of the interface, such as rx_bytes."""
        text = self.run("ip", "-s", "-s", "-j", "link", "show", "dev", interface).stdout
        direction, _, key = name.partition("_")
        return int(json.loads(text)[0]["stats64"][direction][key])
