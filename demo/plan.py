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

    return [Node("red", 10, share(0.40), share(0.80), ["g1"]),
            Node("blue", 20, share(0.50), share(1.00), ["g2", "g3"]),
            Node("  web", 21, share(0.30), share(0.90), ["g2"], 20),
            Node("  batch", 22, share(0.15), share(0.35), ["g3"], 20)]


def choose_link(offered):
    """A link that the guests can fill twice on this machine, in Mbit/s."""
    return max(2, min(100, math.floor(offered / 2)))


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
    """One line of the verdict."""

    def __init__(self, act, text, measured, bound, is_floor):
        self.act = act
        self.text = text
        self.measured = measured
        self.bound = bound
        self.holds = measured >= bound if is_floor else measured <= bound
        self.sign = ">=" if is_floor else "<="


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
        name = node.name.strip()
        checks.append(Check(number, f"{name}: floor {node.floor:g}", got, FLOOR_SHARE * owed, True))
        checks.append(Check(number, f"{name}: ceiling {node.ceil:g}", got, CEIL_SHARE * node.ceil, False))
    total = sum(arrived.values())
    checks.append(Check(number, f"sum: link {link:g}", total, LINK_SHARE * link, True))
    checks.append(Check(number, f"sum: link {link:g}", total, CEIL_SHARE * link, False))
    checks.append(Check(number, "offered more than the link", sum(offered.values()), link, True))
    return checks
