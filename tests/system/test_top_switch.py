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


# Of everything a class and its link can be given, under the names of the database and of the JSON.
KEYS = {"burst": ("burst_bits", 80000), "peak-rate": ("peak_bps", 19000000), "peak-burst": ("peak_burst_bits", 30000),
        "priority": ("priority", 2), "weight": ("weight", 7), "limit-bytes": ("limit_bytes", 90000),
        "limit-packets": ("limit_packets", 60), "limit-time": ("limit_us", 250000), "min-pps": ("floor_pps", 11),
        "max-pps": ("ceil_pps", 5000), "burst-packets": ("burst_packets", 40),
        "codel-target": ("codel_target_us", 7000), "codel-interval": ("codel_interval_us", 120000),
        "codel": ("codel", True), "ecn": ("ecn", True), "fair": ("fair", True)}
SCALE = {"limit-time": 1000}


def test_every_key_of_the_live_tree_is_simulated(site):
    words = [f"other_config:{key}={str(value // SCALE.get(key, 1) if value is not True else value).lower()}"
             for key, (_, value) in KEYS.items()]
    qos = site.switch.vsctl("get", "port", site.out, "qos").strip()
    queue = tree.queue_uuid(site.switch.vsctl, site.out, 20)
    site.switch.vsctl("set", "queue", queue, *words, "other_config:max-rate=15000000", "--", "set", "qos", qos,
                      "other_config:overhead=38", "other_config:mpu=90", "other_config:burst=400000",
                      "other_config:max-pps=9000", "other_config:burst-packets=50")
    try:
        assert "qos_error" not in site.switch.vsctl("get", "port", site.out, "status")
        outcome = json.loads(run(site, "weir-qos-simulate", "--json", f"--live={site.out}", "--seconds=10ms",
                                 "--load=class 20 backlogged", "/dev/null"))
    finally:
        site.switch.vsctl(*(word for key in KEYS for word in ("--", "remove", "queue", queue, "other_config", key)),
                          "--", "set", "qos", qos, "other_config:overhead=0", "--",
                          *("remove", "qos", qos, "other_config", "mpu", "burst", "max-pps", "burst-packets"))
    classes = {one["number"]: one for one in outcome["classes"]}
    assert {name: classes[20].get(name) for name, _ in KEYS.values()} == dict(KEYS.values())
    assert classes[20]["ceil_bps"] == 15000000 and "codel" not in classes[10]
    assert classes[None]["burst_bits"] == 400000 and classes[None]["ceil_pps"] == 9000
    assert classes[None]["burst_packets"] == 50
    assert (outcome["overhead_bytes"], outcome["mpu_bytes"]) == (38, 90)


def test_recorded_load_on_the_live_tree(site):
    loads = site.directory / "loads.json"
    loads.write_text(run(site, "weir-qos-record", "-i", "500ms", site.out, "3"))
    outcome = json.loads(run(site, "weir-qos-simulate", "--json", f"--live={site.out}", loads))
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
