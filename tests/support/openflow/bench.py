# bench.py - a bridge with three links, to which the questions of cases.py and cases10.py are put.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] <bridge>.mgmt --- the driver (run.py, os-ken's parsers)
#   other - 3 [        ]
import pathlib

from support import netns, proc
from support.openflow import cases, cases10, links, run, run10

VERSIONS = {"1.0": 1, "1.3": 4, "1.4": 5, "1.5": 6}


def questions(version):
    return cases10.cases() if version == 1 else cases.cases(version)


class Bench:
    """Three links of a bridge that is there; what it makes is undone by the ExitStack 'stack'."""

    def __init__(self, switch, bridge, stack):
        self.switch, self.bridge = switch, bridge
        self.space = stack.enter_context(netns.Namespace())
        switch.vsctl("set", "bridge", bridge, "fail_mode=secure",
                     "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15")
        quiet = pathlib.Path(f"/proc/sys/net/ipv6/conf/{bridge}/disable_ipv6")
        if quiet.exists():
            quiet.write_text("1")
        self.links, self.numbers = {}, {}
        for number, part in enumerate((cases.IN, cases.OUT, cases.OTHER), 1):
            link = links.Link(self.space, part)
            stack.callback(link.close)
            switch.add_system(bridge, link.outside, f"ofport_request={number}")
            self.links[part], self.numbers[part] = link, number
        for link in self.links.values():
            carrier = pathlib.Path(f"/sys/class/net/{link.outside}/carrier")
            proc.wait_until(lambda path=carrier: path.read_text().strip() == "1", 10, f"carrier of {link.outside}")

    def runner(self, version, settle=None):
        """'settle': as in run.Runner."""
        kind = run10.Runner10 if version == 1 else run.Runner
        return kind(self.switch.rundir / f"{self.bridge}.mgmt", version, self.links, self.numbers, settle)


def ask_all(runner, version, tries=1):
    """Puts all questions; yields each with what is wrong with the answer, None if nothing is. 'tries' above 1 are for
    switches that cannot be held to what they say after a barrier, and for measuring on a busy machine."""
    for case in questions(version):
        for _ in range(tries):
            problem = runner.ask(case)
            if not problem:
                break
        yield case, problem
    runner.clear()
