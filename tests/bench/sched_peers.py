#!/usr/bin/python3
# sched_peers.py - what a packet costs in weir's scheduler, DPDK's rte_sched and the kernel's htb, in turns.
"""
Each turn runs tests/sim/sched_cost (weir, several loads, without and with the quantum that ports use), then
cost_rte_sched, then cost_htb on a veth without and with an htb tree of the same size; what it adds is htb's.
All on one core, in CPU time. The smallest figure of all turns is the one least disturbed: it is what is reported,
with the median beside it. Needs root (htb).
"""
import argparse
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import netns, proc

LINE = re.compile(r"^(.*?)\s+best +([\d.]+) ns, mean +([\d.]+) ns")
FIRST_LEAF = 0x1000
WIDE = 10  # children of an inner class


def batch_of(device, classes):
    """tc commands for root, 10, 100 inner classes and the leaves."""
    lines = [f"qdisc add dev {device} root handle 1: htb default 0",
             f"class add dev {device} parent 1: classid 1:1 htb rate 10gbit quantum 60000"]
    for upper in range(WIDE):
        lines.append(f"class add dev {device} parent 1:1 classid 1:{0x10 + upper:x} htb rate 950mbit ceil 9500mbit "
                     "quantum 60000")
        for lower in range(WIDE):
            lines.append(f"class add dev {device} parent 1:{0x10 + upper:x} classid "
                         f"1:{0x100 + upper * WIDE + lower:x} htb rate 90mbit ceil 9500mbit quantum 60000")
    for leaf in range(classes):
        lines.append(f"class add dev {device} parent 1:{0x100 + leaf % (WIDE * WIDE):x} classid "
                     f"1:{FIRST_LEAF + leaf:x} htb rate {8000000 // classes}kbit ceil 10gbit quantum 1514")
    return "\n".join(lines) + "\n"


class Htb:
    """A veth pair in a namespace of its own, with htb put on and taken off."""

    def __init__(self, program, classes):
        self.program = program
        self.classes = classes

    def run(self, found):
        with netns.Namespace() as space:
            space.run("ip", "link", "add", "ve0", "type", "veth", "peer", "name", "ve1")
            for end in ("ve0", "ve1"):
                space.run("ip", "link", "set", end, "up")
            words = [self.program, "ve0", FIRST_LEAF, self.classes]
            without = float(space.run(*words).stdout.split()[0])
            proc.run(["ip", "netns", "exec", space.name, "tc", "-batch", "-"], 300,
                     stdin=batch_of("ve0", self.classes))
            having = float(space.run(*words).stdout.split()[0])
        found.setdefault("send on a veth", []).append(without)
        found.setdefault("the same with htb, random class", []).append(having)


def run_lines(command, prefix, found):
    for line in proc.run(command, 300).stdout.splitlines():
        match = LINE.match(line)
        if match:
            found.setdefault(f"{prefix}{match[1]}", []).append(float(match[2]))


def main():
    parser = argparse.ArgumentParser(description="cost of a packet in three schedulers")
    parser.add_argument("--build", required=True, help="weir's build directory")
    parser.add_argument("--classes", type=int, default=10000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--core", default="1")
    options = parser.parse_args()
    build = pathlib.Path(options.build)
    pin = ["taskset", "-c", options.core]
    sched_cost = [*pin, build / "tests/sim/sched_cost", options.classes]
    htb = Htb(build / "tests/bench/cost_htb", min(options.classes, 0xffff - FIRST_LEAF))
    found = {}
    for _ in range(options.turns):
        run_lines([*sched_cost, 0], "weir: ", found)
        run_lines([*sched_cost, 1514], "weir, quantum 1514 B: ", found)
        run_lines([*pin, build / "tests/bench/cost_rte_sched", options.classes], "", found)
        htb.run(found)
    print(f"{options.classes} classes, 64 B, ns per packet: smallest and median of {options.turns} turns")
    for name, values in found.items():
        print(f"{name:55} {min(values):8.1f} {statistics.median(values):8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
