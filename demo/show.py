# show.py - how the demo looks: a table that is redrawn in place on a terminal, plain lines elsewhere.
import sys

BAR = 24


class Screen:
    """Prints steps, and a table of the classes that replaces the one before on a terminal."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.live = stream.isatty()
        self._drawn = 0

    def colour(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.live else text

    def step(self, text):
        self._drawn = 0
        print(f"-- {text}", file=self.stream, flush=True)

    def act(self, number, title):
        self._drawn = 0
        print("\n" + self.colour("1", f"Act {number}: {title}"), file=self.stream, flush=True)

    def table(self, second, nodes, link, rates):
        """One reading: 'rates' is support.tree.Rates."""
        if not self.live:
            words = [f"{node.name.strip()} {rates.sent(node.number):.1f}" for node in nodes]
            total = sum(rates.sent(node.number) for node in nodes if node.parent is None)
            print(f"   {second:3d} s  delivered: {'  '.join(words)}  sum {total:.1f} of {link:g} Mbit/s",
                  file=self.stream, flush=True)
            return
        lines = self._table_lines(second, nodes, link, rates)
        if self._drawn:
            self.stream.write(f"\033[{self._drawn}A")
        self.stream.write("".join(f"\033[K{line}\n" for line in lines))
        self.stream.flush()
        self._drawn = len(lines)

    def _table_lines(self, second, nodes, link, rates):
        head = f"{'class':9} {'floor':>7} {'ceiling':>8} {'offered':>8} {'delivered':>9} {'borrowed':>9} {'dropped':>8}"
        lines = [self.colour("2", f"{head}   Mbit/s, second {second}")]
        for node in nodes:
            one = rates.classes[node.number]
            lines.append(f"{node.name:9} {node.floor:7.2f} {node.ceil:8.2f} {one['offered']:8.2f} "
                         f"{self.colour('1', format(one['sent'], '9.2f'))} {one['borrowed']:9.2f} "
                         f"{one['dropped']:8.2f}   {self._bar(node, link, one['sent'])}")
        tenants = [node for node in nodes if node.parent is None]
        total = sum(rates.sent(node.number) for node in tenants)
        lines.append(f"{'sum':9} {sum(node.floor for node in tenants):7.2f} {link:8.2f} "
                     f"{sum(rates.classes[node.number]['offered'] for node in tenants):8.2f} "
                     f"{self.colour('1', format(total, '9.2f'))}")
        return lines

    def _bar(self, node, link, sent):
        """Delivered as a part of the link; the bar is marked where the floor and the ceiling are."""
        cells = ["#" if cell < round(sent / link * BAR) else "." for cell in range(BAR + 1)]
        cells[min(BAR, round(node.floor / link * BAR))] = "|"
        cells[min(BAR, round(node.ceil / link * BAR))] = "]"
        return "".join(cells)

    def verdict(self, checks):
        print("\n" + self.colour("1", "Verdict") + "   Mbit/s over whole acts, counted by the receiver behind the uplink;",
              "at least 97 % of floors and link, at most 102 % of ceilings", file=self.stream)
        for check in checks:
            mark = self.colour("32", "holds") if check.holds else self.colour("31;1", "FAILS")
            high = "" if check.high is None else f" to {check.high:.2f}"
            print(f"  act {check.act}  {check.name:8} {check.measured:7.2f}   {mark}   "
                  f"{f'{check.low:.2f}{high}':>16}   {check.rule}", file=self.stream)
        failed = sum(not check.holds for check in checks)
        print(f"\n{len(checks) - failed} of {len(checks)} hold." +
              ("" if not failed else self.colour("31;1", f" {failed} do not.")), file=self.stream, flush=True)
