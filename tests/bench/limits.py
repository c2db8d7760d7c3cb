#!/usr/bin/python3
# limits.py - what a rate limit gives: TCP from a guest that sends 64 KB frames, through weir, OVS-DPDK and tc.
"""
   guest g (QEMU, TSO) ---- limit under test ---- namespace r (iperf3 -s)

   weir-gate    vhost-user port, options:ingress-shaping=true
   weir-police  vhost-user port, ingress_policing_rate, default burst
   ovs-police   the same on OVS-DPDK with userspace-tso-enable, default burst
   tc-police    tap, ingress police as libvirt sets it (burst of one second)
   tc-htb       tap, bridge, veth with htb on the way out of the bridge

Reported: Mbit/s of whole frames at the receiver (payload times 1514/1448), its ratio to the limit, and what
TCP had to send again. Needs root. One guest at a time, one arm after the other.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import guest as guests
from support import hugepages, netns, proc, switch

LIMITS_MBIT = (8, 16, 32, 64, 128, 256, 512)
ADDRESS_GUEST = "10.0.0.1/24"
ADDRESS_SINK = "10.0.0.200"
MAC = "52:54:00:00:00:01"
FRAME_BYTES, PAYLOAD_BYTES = 1514, 1448


class Arm:
    """A guest, a sink, and something between them that can be given a limit."""

    def __init__(self, stack, directory, options):
        self.stack = stack
        self.directory = directory
        self.options = options
        self.space = stack.enter_context(netns.Namespace())
        self.guest = None

    def boot(self, nic):
        self.guest = guests.Guest(f"g-{self.name}", self.directory, [nic])
        self.stack.callback(self.guest.kill)
        return self.guest.start()

    def set_limit(self, mbit):
        raise NotImplementedError


class SwitchArm(Arm):
    """Guest and sink on ports of a userspace switch."""

    def __init__(self, stack, directory, options):
        super().__init__(stack, directory, options)
        kind = switch.Weir if self.name.startswith("weir") else switch.OvsDpdk
        self.switch = kind(directory)
        self.switch.start()
        self.stack.callback(self.switch.stop)
        if kind is switch.OvsDpdk:
            self.switch.vsctl("set", "open", ".", "other_config:userspace-tso-enable=true")
            proc.end_pid(self.switch.pid)
            self.switch.start()
        self.switch.add_bridge("br0")
        socket = directory / "vh1.sock"
        self.boot(guests.Nic(socket, MAC, ADDRESS_GUEST, queues=1))
        self.switch.add_vhost_client("br0", "vh1", socket)
        self.tap = netns.unique_name("sink")
        if kind is switch.Weir:
            self.switch.add_tap("br0", self.tap)
        else:
            self.switch.vsctl("add-port", "br0", self.tap, "--", "set", "interface", self.tap, "type=internal")
        self.space.take(self.tap, f"{ADDRESS_SINK}/24")
        self.guest.wait_ready()
        self.switch.wait_link("vh1")


class WeirGate(SwitchArm):
    name = "weir-gate"

    def set_limit(self, mbit):
        self.switch.vsctl("set", "interface", "vh1", "options:ingress-shaping=true",
                          f"ingress_policing_rate={mbit * 1000}")


class WeirPolice(SwitchArm):
    name = "weir-police"

    def set_limit(self, mbit):
        self.switch.vsctl("set", "interface", "vh1", f"ingress_policing_rate={mbit * 1000}")


class OvsPolice(SwitchArm):
    name = "ovs-police"

    def set_limit(self, mbit):
        self.switch.vsctl("set", "interface", "vh1", f"ingress_policing_rate={mbit * 1000}")


class TcPolice(Arm):
    """The sink sits on the tap itself."""
    name = "tc-police"

    def __init__(self, stack, directory, options):
        super().__init__(stack, directory, options)
        self.tap = netns.unique_name("tap")
        self.boot(guests.TapNic(self.tap, MAC, ADDRESS_GUEST))
        self.space.take(self.tap, f"{ADDRESS_SINK}/24")
        self.guest.wait_ready()

    def set_limit(self, mbit):
        self.space.run("tc", "qdisc", "del", "dev", self.tap, "ingress", check=False)
        self.space.run("tc", "qdisc", "add", "dev", self.tap, "ingress")
        self.space.run("tc", "filter", "add", "dev", self.tap, "parent", "ffff:", "protocol", "all", "u32",
                       "match", "u32", "0", "0", "police", "rate", f"{mbit * 1000}kbit",
                       "burst", f"{mbit * 1000 // 8}kb", "mtu", "64kb", "drop", "flowid", ":1")


class TcHtb(Arm):
    """tap and veth on a bridge in one namespace, the sink in another."""
    name = "tc-htb"

    def __init__(self, stack, directory, options):
        super().__init__(stack, directory, options)
        self.middle = stack.enter_context(netns.Namespace())
        tap = netns.unique_name("tap")
        self.boot(guests.TapNic(tap, MAC, ADDRESS_GUEST))
        self.middle.run("ip", "link", "add", "br0", "type", "bridge")
        self.middle.run("ip", "link", "set", "br0", "up")
        self.middle.run("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", self.space.name)
        self.middle.take(tap)
        for port in (tap, "out"):
            self.middle.run("ip", "link", "set", port, "master", "br0", "up")
        self.space.up("in", f"{ADDRESS_SINK}/24")
        self.guest.wait_ready()

    def set_limit(self, mbit):
        self.middle.run("tc", "qdisc", "del", "dev", "out", "root", check=False)
        self.middle.run("tc", "qdisc", "add", "dev", "out", "root", "handle", "1:", "htb", "default", "1")
        self.middle.run("tc", "class", "add", "dev", "out", "parent", "1:", "classid", "1:1", "htb",
                        "rate", f"{mbit * 1000}kbit")


ARMS = {arm.name: arm for arm in (WeirGate, WeirPolice, OvsPolice, TcPolice, TcHtb)}


def transfer(arm, seconds, warm):
    """One TCP connection from the guest; returns frames' Mbit/s at the sink, and segments sent again."""
    server = arm.space.spawn("iperf3", "-s", "-1")
    try:
        proc.wait_until(lambda: ":5201" in arm.space.run("ss", "-ltn").stdout, 10, "iperf3 listens")
        text = arm.guest.run(f"iperf3 -c {ADDRESS_SINK} -t {seconds} -O {warm} -J -l 256K",
                             timeout=seconds + warm + 60).text
    finally:
        proc.end_group(server)
    end = json.loads(text[text.index("{"):])["end"]
    goodput = end["sum_received"]["bits_per_second"] / 1e6
    return goodput * FRAME_BYTES / PAYLOAD_BYTES, end["sum_sent"].get("retransmits", 0)


def measure(arm, mbit, options):
    arm.set_limit(mbit)
    rates, again = [], []
    for _ in range(options.repeat):
        rate, retransmits = transfer(arm, options.seconds, options.warm)
        rates.append(rate)
        again.append(retransmits)
    return {"arm": arm.name, "limit": mbit, "rates": rates, "retransmits": again,
            "rate": statistics.median(rates), "ratio": statistics.median(rates) / mbit}


def table(results, names, limits):
    lines = ["| limit, Mbit/s | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for mbit in limits:
        cells = []
        for name in names:
            found = [r for r in results if r["arm"] == name and r["limit"] == mbit]
            cells.append(f"{found[0]['rate']:.2f} ({found[0]['ratio']:.3f})" if found else "-")
        lines.append(f"| {mbit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="TCP of a guest with TSO through rate limits")
    parser.add_argument("--arms", default=",".join(ARMS), help="which to compare")
    parser.add_argument("--limits", default=",".join(map(str, LIMITS_MBIT)), help="Mbit/s")
    parser.add_argument("--seconds", type=int, default=10, help="of each transfer")
    parser.add_argument("--warm", type=int, default=4, help="seconds before that do not count")
    parser.add_argument("--repeat", type=int, default=1, help="transfers for each figure")
    parser.add_argument("--json", help="file for all figures")
    options = parser.parse_args()
    names = options.arms.split(",")
    limits = [int(word) for word in options.limits.split(",")]
    results = []
    for name in names:
        with contextlib.ExitStack() as stack:
            directory = proc.private_directory(f"weir-limits-{name}-")
            stack.callback(proc.remove_directory, directory)
            stack.enter_context(hugepages.Hugepages(switch.MEMORY_MB))
            try:
                arm = ARMS[name](stack, directory, options)
                for mbit in limits:
                    results.append(measure(arm, mbit, options))
                    last = results[-1]
                    print(f"{name:12} {mbit:4} Mbit/s: {last['rate']:8.2f}  {last['ratio']:.4f}  "
                          f"retransmits {last['retransmits']}", flush=True)
            except proc.CommandError as error:
                print(f"{name:12} left out: {error}", flush=True)
    print(table(results, names, limits))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
