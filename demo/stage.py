# stage.py - sets up and clears away what the demo plays on: hugepages, the switch, the uplink, three guests.
"""
     guest g1            guest g2            guest g3         each: 2 vCPUs, 2 queue pairs
     tenant red     tenant blue, web   tenant blue, batch
     10.77.0.1           10.77.0.2           10.77.0.3
         | vh1               | vh2               | vh3        dpdkvhostuserclient
         +-------------- weir: br0 --------------+
                             |
                    uplink (tap, class tree)                  floors and ceilings act here
                             |
              10.77.0.254 in a network namespace              counts what arrives, by sender
"""
import contextlib
import json
import pathlib
import sys
import time

from support import guest as guests
from support import hugepages, image, netns, proc, switch

BRIDGE = "br0"
UDP = proc.REPO / "tests" / "support" / "udp.py"
SINK_ADDRESS = "10.77.0.254"
STATE = pathlib.Path("/run/weir-demo.json")
# Large datagrams: the fewer system calls an emulated guest makes, the more it sends.
SEND = f"exec socat -u -b 60000 OPEN:/dev/zero UDP4-SENDTO:{SINK_ADDRESS}:9"


class Stage:
    """Everything that runs. Context manager: clears away in any case, unless keep() was called."""

    def __init__(self, tell):
        self._tell = tell
        self._stack = contextlib.ExitStack()
        self._sending = {}
        self.directory = proc.private_directory("weir-demo-")
        self.switch = switch.Weir(self.directory)
        self.guests = {}
        self.space = None
        self.uplink = netns.unique_name("up")
        self.sink_log = self.directory / "sink.log"
        self._sink = None

    def __enter__(self):
        self._stack.callback(proc.remove_directory, self.directory)
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _set_up(self):
        self._tell("kernel and initramfs for the guests")
        picture = image.get_image()
        self._tell(f"hugepages: {switch.MEMORY_MB} MB for packets")
        self._stack.enter_context(hugepages.Hugepages(switch.MEMORY_MB + 64))
        self._tell(f"weir-vswitchd in {self.directory}, worker on the cores of mask {self.switch.pmd_mask}")
        self._stack.callback(self.switch.stop)
        self.switch.start()
        self.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev")
        self._make_uplink()
        self._tell("three guests, booting side by side")
        begin = time.monotonic()
        for number in (1, 2, 3):
            self._make_guest(number, picture)
        guests.start_all(list(self.guests.values()), 600)
        for guest in self.guests.values():
            guest.stand_back()
        self._tell(f"guests are up after {time.monotonic() - begin:.0f} s")

    def vsctl(self, *words):
        return self.switch.weir_vsctl(*words)

    def _make_uplink(self):
        self.space = self._stack.enter_context(netns.Namespace())
        self.vsctl("add-port", BRIDGE, self.uplink, "--", "set", "interface", self.uplink, "type=tap")
        self.space.take(self.uplink, f"{SINK_ADDRESS}/24")
        self._sink = self.space.spawn(sys.executable, UDP, "sink", self.uplink, log=self.sink_log)
        self._stack.callback(proc.end_group, self._sink)

    def _make_guest(self, number, picture):
        port = f"vh{number}"
        path = self.directory / port
        self.vsctl("add-port", BRIDGE, port, "--", "set", "interface", port, "type=dpdkvhostuserclient",
                   f"options:vhost-server-path={path}")
        nic = guests.Nic(path, f"52:54:00:77:00:{number:02x}", f"10.77.0.{number}/24")
        guest = guests.Guest(f"g{number}", self.directory, [nic], image=picture)
        self._stack.callback(guest.kill)
        self.guests[guest.name] = guest

    # -- load

    def sending(self):
        """The names of the guests that send."""
        return list(self._sending)

    def send(self, *names):
        """These guests send as fast as they can."""
        for name in names:
            if name not in self._sending:
                self._sending[name] = self.guests[name].spawn(SEND)

    def hush(self, *names):
        """These guests stop sending."""
        for name in names:
            self._sending[name].kill()
        for name in names:
            self._sending.pop(name).wait(60, check=False)

    def arrivals(self):
        """What arrived behind the uplink: a list of (time in ns, {guest: bytes so far})."""
        found = []
        for line in self.sink_log.read_text().splitlines():
            stamp, _, text = line.partition(" ")
            try:
                counts = json.loads(text)
            except ValueError:
                continue  # half written
            found.append((int(stamp), {f"g{source.rpartition('.')[2]}": count for source, count in counts.items()}))
        return found

    # -- keeping

    def keep(self):
        """Leaves everything running and remembers how to find it; the next stage or stop() clears it away."""
        proc.end_group(self._sink)
        self._stack.pop_all()
        STATE.write_text(json.dumps({
            "directory": str(self.directory), "namespace": self.space.name, "uplink": self.uplink,
            "guests": {name: guest.pid for name, guest in self.guests.items()}}))


def kept_guest(name):
    """A guest of a demo that was left running."""
    state = _read_state()
    if not state or name not in state["guests"]:
        raise SystemExit(f"no demo left running with a guest {name}")
    return guests.Guest(name, state["directory"], []).attach(state["guests"][name]).wait_ready(60)


def stop():
    """Clears away what a demo with --keep left; returns whether there was one."""
    state = _read_state()
    if not state:
        return False
    for pid in state["guests"].values():
        if _is_qemu(pid):
            proc.end_pid(pid, 0)
    left = switch.Weir(state["directory"])
    left.stop()
    proc.run(["ip", "netns", "del", state["namespace"]], check=False)
    proc.remove_directory(state["directory"])
    STATE.unlink()
    hugepages.give_back()
    return True


def _read_state():
    try:
        return json.loads(STATE.read_text())
    except (OSError, ValueError):
        return None


def _is_qemu(pid):
    """Pids are reused: only what still is a guest is ended."""
    try:
        return b"qemu-system" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
