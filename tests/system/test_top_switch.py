# test_top_switch.py - weir-top, qos-record and qos-simulate ask the running switch: their figures agree with it.
"""
    namespace A  10.0.0.101  class 10 --(system)-- br0 --(system)-- port under test: namespace S 10.0.0.200
        30 Mbit/s of UDP                                link 20 Mbit/s -+- 1: floor 12 -- 10: floor 8
                                                                        +- 20: floor 4
"""
import json
import re
import sys
import types

import pytest

from support import proc, terminal, traffic, tree

pytestmark = pytest.mark.weir_only("the tools are weir's")

UDP = proc.REPO / "tests" / "support" / "udp.py"
CLASSES = [tree.QosClass(1, floor=12), tree.QosClass(10, floor=8, parent=1), tree.QosClass(20, floor=4)]


@pytest.fixture(scope="module")
def site(lab):
    sender, sink = lab.namespace(), lab.namespace()
    inside, out = sender.veth("p0", "10.0.0.101/24"), sink.veth("p0", "10.0.0.200/24")
    lab.switch.add_system("br0", inside, "--", "set", "port", inside, "other_config:egress-class=10")
    lab.switch.add_system("br0", out)
    traffic.wait_ping(sender, "10.0.0.200", 20)
    lab.switch.vsctl(*tree.create_words(out, 20, CLASSES))
    load = sender.spawn(sys.executable, UDP, "send", "10.0.0.200", 9000, 30, 1400)
    yield types.SimpleNamespace(switch=lab.switch, out=out, utilities=lab.switch.build / "utilities",
                                directory=lab.directory)
    proc.end_group(load)


def run(site, name, *words, timeout=60):
    command = [site.utilities / name, *words]
    return proc.run(command, timeout, True, site.switch.environment()).stdout


def test_batch(site):
    def busy():
        text = run(site, "weir-top", "--batch", "-n", "2", "-d", "1s", "-w", "150").split("\n\n")[-1]
        line = next((line for line in text.splitlines() if line.startswith("    class 10 ")), "")
        found = re.search(r"\] +([\d.]+)M +8\.00M", line)
        return text if found and 17 < float(found.group(1)) < 22 else None

    text = proc.wait_until(busy, 20, "class 10 at 20 Mbit/s")
    names = re.findall(rf"^ *({site.out}|class \d+) ", text, re.M)
    assert names == [site.out, "class 0", "class 1", "class 10", "class 20"], text


def test_terminal_explains(site):
    top = terminal.Terminal([str(site.utilities / "weir-top"), "-f", "class 10"], env=site.switch.environment().items())
    try:
        top.wait(r"^ +class 10 ")
        top.press("e")
        top.press("G")
        text = top.wait(rf"^-- {site.out}, class 10")
        pane = text[text.index("\n-- "):].splitlines()[2:]
        assert pane and pane[0].strip(), text
        assert "not a valid command" not in text
        top.press("q")
        assert top.wait_end() == 0
    finally:
        top.close()


def test_recorded_load_on_the_live_tree(site):
    loads = site.directory / "loads.json"
    loads.write_text(run(site, "weir-qos-record", "-i", "500ms", site.out, "3"))
    outcome = json.loads(run(site, "weir-qos-simulate", "--json", f"--live={site.out}", "--catch-up=20ms", loads))
    classes = {one["number"]: one for one in outcome["classes"]}
    assert classes[1]["floor_bps"] == 12_000_000 and classes[10]["parent"] == 1
    # What the switch was offered, and what it lets pass.
    assert 27e6 < classes[10]["offered_bps"] < 34e6, classes[10]
    assert abs(classes[10]["sent_bps"] - 20e6) < 1e6, classes[10]
    assert classes[10]["floor"] == "met"

    text = run(site, "weir-qos-simulate", f"--live={site.out}", "--change=class 20 min-rate 8M",
               "--load=class 20 backlogged", loads)
    lines = {line.split()[1]: line for line in text.splitlines() if line.startswith(" ")}
    assert re.search(r"20\.\dM|1\d\.\dM", lines["10"]), text
