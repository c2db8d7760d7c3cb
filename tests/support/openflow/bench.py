# bench.py - a bridge with three links, to which the questions of cases.py and cases10.py are put.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ] <bridge>.mgmt --- the driver (run.py, os-ken's parsers)
#   other - 3 [        ]
from support.openflow import cases, cases10, links, run, run10

VERSIONS = {"1.0": 1, "1.3": 4, "1.4": 5, "1.5": 6}


def questions(version):
    return cases10.cases() if version == 1 else cases.cases(version)


class Bench:
    """Three links of a bridge that is there; what it makes is undone by the ExitStack 'stack'."""

    def __init__(self, switch, bridge, stack):
        self.switch, self.bridge = switch, bridge
        self.links = links.attach(switch, bridge, stack, (cases.IN, cases.OUT, cases.OTHER))
        self.numbers = {part: number for number, part in enumerate(self.links, 1)}
        switch.vsctl("set", "bridge", bridge,
                     "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15")

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
