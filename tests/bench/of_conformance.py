#!/usr/bin/env python3
# of_conformance.py - puts the questions of tests/support/openflow to weir and to Open vSwitch, and makes a table of
# how many each answers as the specification does, by kind. Needs root and what the system tests need.
#
#   WEIR_BUILD=build /usr/bin/python3 tests/bench/of_conformance.py --switch weir,ovs --version 1.0,1.3,1.4,1.5
import argparse
import collections
import contextlib
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import netns, proc, switch  # noqa: E402
from support.openflow import bench  # noqa: E402

SWITCHES = {"weir": switch.Weir, "ovs": switch.OvsPlain}
TRIES = 3  # on a busy machine a packet may come later than it is waited for


def flush_ovs(switch_):
    """Open vSwitch forwards by cached flows that its revalidators mend some time after a change: gives what throws
    them away at once, so that it is asked about the rules there are."""
    path = switch_.rundir / f"ovs-vswitchd.{switch_.pid}.ctl"
    control = socket.socket(socket.AF_UNIX)
    control.connect(str(path))
    control.settimeout(10)

    def flush():
        control.sendall(b'{"id":0,"method":"revalidator/purge","params":[]}')
        answer = b""
        while True:
            answer += control.recv(4096)
            with contextlib.suppress(ValueError):
                if json.loads(answer)["error"] is not None:
                    raise RuntimeError(f"revalidator/purge: {answer!r}")
                return

    return flush


@contextlib.contextmanager
def running(kind):
    """A switch of that kind with a bridge and three links."""
    directory = proc.private_directory()
    # Not br0: whatever has that name in this namespace is somebody's.
    bridge = netns.unique_name("wbc")
    with contextlib.ExitStack() as stack:
        stack.callback(proc.remove_directory, directory)
        switch_ = SWITCHES[kind](directory, hugepages=False)
        stack.callback(switch_.stop)
        switch_.start()
        switch_.add_bridge(bridge)
        stack.callback(switch_.vsctl, "del-br", bridge, check=False)
        yield bench.Bench(switch_, bridge, stack), flush_ovs(switch_) if kind == "ovs" else None


def ask(kind, version, show_wrong):
    """[right, asked] by kind of question. A switch of its own: what one version leaves behind is not the next's."""
    counts = collections.defaultdict(lambda: [0, 0])
    with running(kind) as (asked, settle):
        runner = asked.runner(bench.VERSIONS[version], settle)
        for case, problem in bench.ask_all(runner, bench.VERSIONS[version], TRIES):
            counts[case.group][0] += problem is None
            counts[case.group][1] += 1
            if problem and show_wrong:
                print(f"{kind} {version}: {case.group}: {case.name}: {problem[:200]}", file=sys.stderr)
        runner.close()
    return dict(counts)


def table(results, kinds, versions):
    """Markdown. 'results': by (switch, version), then as of ask()."""
    yield "| OpenFlow | kind | questions | " + " | ".join(kinds) + " |"
    yield "|---|---|---|" + "---|" * len(kinds)
    for version in versions:
        by_kind = [results[kind, version] for kind in kinds]
        for group in by_kind[0]:
            yield (f"| {version} | {group} | {by_kind[0][group][1]} | "
                   + " | ".join(str(counts[group][0]) for counts in by_kind) + " |")
        total = [[sum(column) for column in zip(*counts.values())] for counts in by_kind]
        yield f"| {version} | all | {total[0][1]} | " + " | ".join(str(right) for right, _ in total) + " |"


def main():
    parser = argparse.ArgumentParser(description="Counts the answers of switches that are as OpenFlow says.")
    parser.add_argument("--switch", default="weir,ovs", help="weir, ovs or both, with a comma (default: both)")
    parser.add_argument("--version", default=",".join(bench.VERSIONS), help="1.0, 1.3, 1.4, 1.5 (default: all)")
    parser.add_argument("--wrong", action="store_true", help="print what was answered otherwise")
    parser.add_argument("--json", metavar="FILE", help="write the counts there, too")
    options = parser.parse_args()
    kinds, versions = options.switch.split(","), options.version.split(",")
    for word in [*(kind for kind in kinds if kind not in SWITCHES),
                 *(version for version in versions if version not in bench.VERSIONS)]:
        parser.error(f"{word}: no such switch or version")
    results = {}
    for kind in kinds:
        for version in versions:
            start = time.monotonic()
            results[kind, version] = ask(kind, version, options.wrong)
            print(f"{kind} {version}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            [{"switch": kind, "version": version, "counts": counts} for (kind, version), counts in results.items()],
            indent=1))
    print("\n".join(table(results, kinds, versions)))


if __name__ == "__main__":
    main()
