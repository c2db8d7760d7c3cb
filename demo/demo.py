#!/usr/bin/env python3
# demo.py - three guests share a link by floors and ceilings; normally started as "./boot.sh demo".
# Exit status 0 only if all measured rates hold. Standard library only; stage.py, plan.py and show.py do the work.
import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import plan  # noqa: E402
import show  # noqa: E402
import stage as stages  # noqa: E402
from support import tree  # noqa: E402

SETTLE = 1.0  # seconds after the start of an act that are not measured


class Play:
    """Goes through the acts on a stage and collects the checks."""

    def __init__(self, stage, screen, seconds, link):
        self.stage = stage
        self.screen = screen
        self.seconds = seconds
        self.link = link
        self.nodes = []
        self.checks = []

    def run(self):
        self.prepare()
        for number, act in enumerate(plan.ACTS, 1):
            self.screen.act(number, act.title)
            self.begin(number, act)
            self.watch(number, act)
        self.screen.verdict(self.checks)
        return all(check.holds for check in self.checks)

    def prepare(self):
        """Sees how much the guests can send on this machine, and builds the tree for a link of half of that."""
        if not self.link:
            self.stage.send("g1", "g2", "g3")
            self.wait_for_traffic("g1", "g2", "g3")
            offered = sum(self.measure(4).values())
            self.stage.hush("g1", "g2", "g3")
            self.link = plan.choose_link(offered)
            self.screen.step(f"together the guests send {offered:.0f} Mbit/s; the link gets {self.link:g} Mbit/s")
        self.nodes = plan.make_nodes(self.link)
        words = tree.create_words(self.stage.uplink, self.link, [node.as_class() for node in self.nodes])
        for node in self.nodes:
            if len(node.guests) == 1:
                port = node.guests[0].replace("g", "vh")
                words += ["--", "set", "port", port, f"other_config:egress-class={node.number}"]
        self.stage.vsctl(*words)

    def begin(self, number, act):
        if number == 4:
            self.lower_ceiling()
        sending = self.stage.sending()
        self.hush(*(name for name in sending if name not in act.busy))
        arriving = [name for name in act.busy if name not in sending]
        if not arriving:
            return
        before = time.monotonic_ns()
        self.stage.send(*arriving)
        self.wait_for_traffic(*arriving)
        if number == 3:
            self.check_return(before)

    def hush(self, *names):
        """Silences guests and waits until their classes have sent what stood in their queues."""
        self.stage.hush(*names)
        numbers = [node.number for node in self.nodes if len(node.guests) == 1 and node.guests[0] in names]
        deadline = time.monotonic() + 30
        while any(self.stage.switch.qos_classes(self.stage.uplink)[1][number]["queued_bytes"] for number in numbers):
            if time.monotonic() > deadline:
                raise RuntimeError(f"classes {numbers} do not send what stands in their queues")
            time.sleep(0.1)

    def lower_ceiling(self):
        blue = next(node for node in self.nodes if node.name == "blue")
        blue.ceil = round(0.6 * self.link, 3)
        uuid = tree.queue_uuid(self.stage.vsctl, self.stage.uplink, blue.number)
        words = ["set", "queue", uuid, f"other_config:max-rate={tree.mbit(blue.ceil)}"]
        self.screen.step("weir-vsctl " + " ".join(words))
        self.stage.vsctl(*words)

    def check_return(self, since_ns):
        """Red's first second, from its first frame on."""
        red = self.nodes[0]
        first = self.first_arrival("g1", since_ns)
        while time.monotonic_ns() < first + 1_200_000_000:
            time.sleep(0.1)
        got = self.arrived_between(first, first + 1_000_000_000).get("g1", 0)
        self.checks.append(plan.Check(3, "red: floor, in its first second", got, plan.FLOOR_SHARE * red.floor, True))

    def watch(self, number, act):
        """Shows a table every second; then judges what arrived and what the classes were offered."""
        time.sleep(SETTLE)
        first = last = self.stage.switch.qos_classes(self.stage.uplink)
        begin_ns = time.monotonic_ns()
        for second in range(1, self.seconds + 1):
            time.sleep(max(0, begin_ns / 1e9 + second - time.monotonic()))
            reading = self.stage.switch.qos_classes(self.stage.uplink)
            self.screen.table(second, self.nodes, self.link, tree.Rates(last, reading))
            last = reading
        arrived = self.arrived_between(begin_ns, time.monotonic_ns())
        classes = tree.Rates(first, last).classes
        offered = {node.guests[0]: classes[node.number]["offered"] for node in self.nodes if len(node.guests) == 1}
        self.checks += plan.judge(number, act, self.nodes, self.link, arrived, offered)

    # -- measuring behind the uplink

    def measure(self, seconds):
        begin = time.monotonic_ns()
        time.sleep(seconds)
        return self.arrived_between(begin, time.monotonic_ns())

    def arrived_between(self, begin_ns, end_ns):
        """Mbit/s by guest."""
        chosen = [one for one in self.stage.arrivals() if begin_ns <= one[0] <= end_ns]
        if len(chosen) < 2:
            raise RuntimeError(f"nothing was counted behind the uplink for {(end_ns - begin_ns) / 1e9:.1f} s")
        (first_ns, first), (last_ns, last) = chosen[0], chosen[-1]
        return {name: (count - first.get(name, 0)) * 8e3 / (last_ns - first_ns) for name, count in last.items()}

    def first_arrival(self, name, since_ns):
        """When the first frame of a guest came after 'since_ns', or None."""
        samples = [one for one in self.stage.arrivals() if one[0] >= since_ns]
        for before, after in zip(samples, samples[1:]):
            if after[1].get(name, 0) > before[1].get(name, 0):
                return after[0]
        return None

    def wait_for_traffic(self, *names):
        since = time.monotonic_ns()
        deadline = time.monotonic() + 60
        while not all(self.first_arrival(name, since) for name in names):
            if time.monotonic() > deadline:
                raise RuntimeError("not all guests reach the uplink: " + ", ".join(names))
            time.sleep(0.1)


def print_what_next(stage):
    build = stage.switch.build
    print(f"""
Everything goes on running. What you can type next, as root:

  export WEIR_RUNDIR={stage.switch.rundir} PATH={build}/utilities:$PATH
  weir-vsctl show
  weir-appctl qos/show {stage.uplink}
  weir-vsctl list queue
  weir-vsctl set queue UUID other_config:max-rate=1000000
  weir-appctl fdb/show {stages.BRIDGE}
  weir-appctl dpif-netdev/pmd-rxq-show
  ./boot.sh demo --in g1 'ping -c 3 {stages.SINK_ADDRESS}'

To end it:

  ./boot.sh demo --stop""")


def parse_options():
    parser = argparse.ArgumentParser(prog="boot.sh demo", description=__doc__ or "Floors and ceilings with real guests.")
    parser.add_argument("--keep", action="store_true", help="leave everything running in the end")
    parser.add_argument("--stop", action="store_true", help="end what an earlier --keep left running")
    parser.add_argument("--in", dest="guest", nargs=2, metavar=("GUEST", "COMMAND"),
                        help="run a shell command in a guest that an earlier --keep left running")
    parser.add_argument("--seconds", type=int, default=10, help="length of each act (default 10)")
    parser.add_argument("--link", type=float, default=0,
                        help="rate of the link in Mbit/s (default: half of what the guests can send)")
    return parser.parse_args()


def main():
    options = parse_options()
    if options.stop:
        print("ended" if stages.stop() else "no demo was left running")
        return 0
    if options.guest:
        result = stages.kept_guest(options.guest[0]).run(options.guest[1], 600, check=False)
        print(result.text, end="")
        return result.status
    # A signal must clear away just as ^C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if stages.stop():
        print("-- ended a demo that was left running")
    screen = show.Screen()
    try:
        with stages.Stage(screen.step) as stage:
            holds = Play(stage, screen, options.seconds, options.link).run()
            if options.keep:
                stage.keep()
                print_what_next(stage)
    except KeyboardInterrupt:
        print("\ninterrupted; everything is cleared away")
        return 130
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
