# plan.py - the class tree of the demo, its four acts, and what must hold in each.
import math

from support import tree

FLOOR_SHARE = 0.97  # of its floor a busy class must get at least
CEIL_SHARE = 1.02   # of its ceiling a class may get at most
LINK_SHARE = 0.97   # of the link must be used while there is load


class Node:
    """A class with a name for the table, and the guests whose frames it carries."""

    def __init__(self, name, number, floor, ceil, guests, parent=None):
        self.name = name
        self.number = number
        self.floor = floor
        self.ceil = ceil
        self.guests = guests
        self.parent = parent

    def as_class(self):
        return tree.QosClass(self.number, self.floor, self.ceil, self.parent)


def make_nodes(link):
    """Two tenants with floors and ceilings; blue divides its share between two guests."""
    def share(part):
        return round(part * link, 3)

    return [Node("red", 10, share(0.30), share(0.60), ["g1"]),
            Node("blue", 20, share(0.40), share(1.00), ["g2", "g3"]),
            Node("  web", 21, share(0.25), share(0.80), ["g2"], 20),
            Node("  batch", 22, share(0.10), share(0.25), ["g3"], 20)]


LOWERED_CEILING = 0.45  # of the link: blue's ceiling in the last act, below what it takes before


def choose_link(offered):
    """A link in Mbit/s that two guests can fill on this machine even when it has other things to do."""
    return max(2, min(50, math.floor(offered / 4)))


class Act:
    """What happens, and who sends meanwhile."""

    def __init__(self, title, busy):
        self.title = title
        self.busy = busy


ACTS = [Act("all three guests send more than the link has", ["g1", "g2", "g3"]),
        Act("red falls silent: blue borrows what is left", ["g2", "g3"]),
        Act("red returns and has its floor back at once", ["g1", "g2", "g3"]),
        Act("blue's ceiling is lowered while it sends", ["g1", "g2", "g3"])]


class Check:
    """One line of the verdict: a rate in Mbit/s and the bounds it must keep."""

    def __init__(self, act, name, rule, measured, low, high=None):
        self.act = act
        self.name = name
        self.rule = rule
        self.measured = measured
        self.low = low
        self.high = high
        self.holds = measured >= low and (high is None or measured <= high)


def judge(number, act, nodes, link, arrived, offered):
    """The checks of one act. 'arrived' and 'offered' are Mbit/s by guest; who offers less than its floor is
    owed what it offers."""
    checks = []
    for node in nodes:
        busy = [guest for guest in node.guests if guest in act.busy]
        if not busy:
            continue
        got = sum(arrived.get(guest, 0) for guest in busy)
        owed = min(node.floor, sum(offered.get(guest, 0) for guest in busy))
        checks.append(Check(number, node.name, f"floor {node.floor:g}, ceiling {node.ceil:g}", got,
                            FLOOR_SHARE * owed, CEIL_SHARE * node.ceil))
    checks.append(Check(number, "sum", f"link {link:g}", sum(arrived.values()), LINK_SHARE * link, CEIL_SHARE * link))
    if sum(offered.values()) < link:
        checks.append(Check(number, "offered", "more than the link; the guests got too little CPU time",
                            sum(offered.values()), link))
    return checks
