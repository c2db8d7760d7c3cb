# switch.py - the switch under test: Weir from the build tree, or Debian's OVS to compare with, with DPDK or without.
# Both take the same ovs-vsctl commands; a test sees only the class Switch.
import json
import os
import pathlib
import signal

from support import proc

PMD_MASK = os.environ.get("WEIR_TEST_PMD_MASK") or ("0x2" if (os.cpu_count() or 1) >= 2 else "0x1")
MEMORY_MB = 512  # packet memory of one switch


class Switch:
    """A switch with a run-time directory of its own."""

    kind = None
    features = frozenset()

    def __init__(self, directory, hugepages=True, pmd_mask=PMD_MASK):
        self.directory = pathlib.Path(directory)
        self.hugepages = hugepages
        self.pmd_mask = pmd_mask
        self.more_eal = ""  # more words for EAL; to be set before start()
        self.prefix = ()  # words in front of the forwarding daemon, such as ("ip", "netns", "exec", NAME); likewise
        self.rundir = self.directory / "run"
        self.dbdir = self.directory / "db"
        self.logdir = self.directory / "log"
        for path in (self.rundir, self.dbdir, self.logdir):
            path.mkdir(parents=True, exist_ok=True)

    # -- for the implementations

    def start(self, timeout=60):
        """Returns once commands are accepted and DPDK is up."""
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def kill(self):
        """SIGKILL to the forwarding process, as a crash would."""
        raise NotImplementedError

    def log_text(self):
        raise NotImplementedError

    @property
    def pid(self):
        raise NotImplementedError

    # -- commands

    def environment(self):
        return {"OVS_RUNDIR": str(self.rundir), "OVS_DBDIR": str(self.dbdir), "OVS_LOGDIR": str(self.logdir),
                "OVS_SYSCONFDIR": str(self.dbdir), "WEIR_RUNDIR": str(self.rundir)}

    def vsctl(self, *words, timeout=20, check=True):
        """Debian's ovs-vsctl; returns stdout without the last newline."""
        return self.vsctl_result(*words, timeout=timeout, check=check).stdout.rstrip("\n")

    def vsctl_result(self, *words, timeout=20, check=True):
        return proc.run(["ovs-vsctl", f"--timeout={timeout}", *words], timeout + 10, check, self.environment())

    def ofctl(self, *words, stdin=None):
        """Debian's ovs-ofctl; returns stdout."""
        return proc.run(["ovs-ofctl", *words], 60, True, self.environment(), stdin).stdout

    def appctl(self, *words, timeout=20, check=True):
        """Debian's ovs-appctl; returns stdout."""
        return proc.run(["ovs-appctl", *self.appctl_target(), f"--timeout={timeout}", *words], timeout + 10,
                        check, self.environment()).stdout

    def appctl_target(self):
        """Nothing: the tool finds the daemon by its pidfile."""
        return []

    # -- configuration

    def add_bridge(self, name):
        self.vsctl("add-br", name, "--", "set", "bridge", name, "datapath_type=netdev")

    def add_vhost_client(self, bridge, port, socket_path, *more):
        """The switch dials: QEMU listens at 'socket_path'."""
        self.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=dpdkvhostuserclient",
                   f"options:vhost-server-path={socket_path}", *more)

    def add_vhost_server(self, bridge, port, *more):
        """The switch listens; returns the socket's path."""
        self.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=dpdkvhostuser", *more)
        return self.rundir / port

    def add_tap(self, bridge, port, *more):
        self.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=tap", *more)

    def add_system(self, bridge, port, *more):
        self.vsctl("add-port", bridge, port, "--", "set", "interface", port, "type=system", *more)

    def interface_error(self, port):
        return self.vsctl("--bare", "--columns=error", "list", "interface", port)

    def statistics(self, port):
        """Interface.statistics as a dict of int; refreshed by the switch about every 5 s in OVS."""
        row = json.loads(self.vsctl("--format=json", "--columns=statistics", "list", "interface", port))
        return dict(row["data"][0][0][1])

    def link_up(self, port):
        return self.vsctl("--bare", "--columns=link_state", "list", "interface", port) == "up"

    def wait_link(self, port, timeout=60):
        proc.wait_until(lambda: self.link_up(port), timeout, f"link of {port} up", 0.2)

    def dpdk_options(self):
        prefix = f"--no-pci --file-prefix={self.directory.name}-{os.getpid()} {self.more_eal}".rstrip()
        if self.hugepages:
            return f"--in-memory {prefix}", str(MEMORY_MB)
        return f"--no-huge -m {MEMORY_MB} {prefix}", None


class OvsDpdk(Switch):
    """Open vSwitch with DPDK, from Debian's packages, in a private directory."""

    kind = "ovs"
    schema = "/usr/share/openvswitch/vswitch.ovsschema"
    daemon = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"

    def start(self, timeout=60):
        database = self.dbdir / "conf.db"
        if not database.exists():
            proc.run(["ovsdb-tool", "create", database, self.schema])
        if not self._pid("ovsdb-server"):
            proc.run(["ovsdb-server", database, f"--remote=punix:{self.rundir}/db.sock",
                      f"--pidfile={self.rundir}/ovsdb-server.pid", "--detach", "--no-chdir",
                      f"--log-file={self.logdir}/ovsdb-server.log"], timeout, True, self.environment())
            self.vsctl("--no-wait", "init", *self.first_settings())
        proc.run([*self.prefix, self.daemon, f"unix:{self.rundir}/db.sock",
                  f"--pidfile={self.rundir}/ovs-vswitchd.pid", "--detach", "--no-chdir",
                  f"--log-file={self.logdir}/ovs-vswitchd.log"], timeout, True, self.environment())
        self.wait_started(timeout)

    def first_settings(self):
        options, socket_mem = self.dpdk_options()
        return ["--", "set", "open", ".", "other_config:dpdk-init=true", f'other_config:dpdk-extra="{options}"',
                f"other_config:pmd-cpu-mask={self.pmd_mask}", "other_config:dpdk-lcore-mask=0x1",
                "other_config:userspace-tso-enable=false",
                *([f"other_config:dpdk-socket-mem={socket_mem}"] if socket_mem else [])]

    def wait_started(self, timeout):
        proc.wait_until(lambda: self.vsctl("get", "open", ".", "dpdk_initialized") == "true", timeout, "DPDK up")

    def stop(self):
        for name in ("ovs-vswitchd", "ovsdb-server"):
            pid = self._pid(name)
            if pid:
                proc.end_pid(pid)

    def kill(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        proc.wait_until(lambda: not proc.pid_alive(pid), 10, "killed", 0.01)

    @property
    def pid(self):
        return self._pid("ovs-vswitchd")

    def appctl_target(self):
        """Its control socket is named after the program, which ends in -dpdk here."""
        return ["-t", str(self.rundir / f"ovs-vswitchd-dpdk.{self.pid}.ctl")]

    def _pid(self, name):
        return read_pidfile(self.rundir / f"{name}.pid")

    def log_text(self):
        return (self.logdir / "ovs-vswitchd.log").read_text(errors="replace")


class OvsPlain(OvsDpdk):
    """Open vSwitch without DPDK: its control side is the same, and it needs no memory of its own."""

    kind = "ovs-plain"
    daemon = "/usr/sbin/ovs-vswitchd"

    def first_settings(self):
        return []

    def wait_started(self, timeout):
        self.vsctl("get", "open", ".", "next_cfg", timeout=timeout)

    def appctl_target(self):
        return ["-t", str(self.rundir / f"ovs-vswitchd.{self.pid}.ctl")]


class Weir(Switch):
    """weir-vswitchd of the build tree."""

    kind = "weir"
    features = frozenset({"qos-tree"})

    def __init__(self, directory, hugepages=True, pmd_mask=PMD_MASK):
        super().__init__(directory, hugepages, pmd_mask)
        self.build = proc.build_directory()
        self.daemon = self.build / "vswitchd" / "weir-vswitchd"

    def start(self, timeout=60):
        first = not any(self.dbdir.iterdir())
        self.start_result(timeout=timeout)
        if first:
            options, socket_mem = self.dpdk_options()
            self.weir_vsctl("--no-wait", "set", "open", ".", "other_config:dpdk-init=true",
                            f'other_config:dpdk-extra="{options}"', f"other_config:pmd-cpu-mask={self.pmd_mask}",
                            *([f"other_config:dpdk-socket-mem={socket_mem}"] if socket_mem else []))
        proc.wait_until(lambda: self.weir_vsctl("get", "open", ".", "dpdk_initialized") == "true",
                        timeout, "DPDK up")

    def start_result(self, *more, timeout=60, check=True, prefix=()):
        """Starts the daemon without any configuration; returns how the command ended."""
        return proc.run([*self.prefix, *prefix, self.daemon, "--rundir", self.rundir, "--dbdir", self.dbdir,
                         "--logdir", self.logdir, "--pidfile", "--detach", "--log-file", *more],
                        timeout, check, self.environment())

    def stop(self):
        if self.pid:
            proc.end_pid(self.pid)

    def kill(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        proc.wait_until(lambda: not proc.pid_alive(pid), 10, "killed", 0.01)

    @property
    def pid(self):
        return read_pidfile(self.rundir / "weir-vswitchd.pid")

    def log_text(self):
        return (self.logdir / "weir-vswitchd.log").read_text(errors="replace")

    def weir_vsctl(self, *words, timeout=20, check=True):
        """weir's own tool, for where Debian's is not installed."""
        command = [self.build / "utilities" / "weir-vsctl", f"--db=unix:{self.rundir}/db.sock", *words]
        return proc.run(command, timeout, check, self.environment()).stdout.rstrip("\n")

    def weir_appctl(self, *words, timeout=20, check=True):
        command = [self.build / "utilities" / "weir-appctl", *words]
        return proc.run(command, timeout, check, self.environment()).stdout

    def qos_classes(self, port):
        """The counters of a port's classes: (time_ns, {number: class}). The link itself has number None."""
        answer = json.loads(self.weir_appctl("qos/show", "--json", port))
        return answer["time_ns"], {one["number"]: one for one in answer["classes"]}


KINDS = {"weir": Weir, "ovs": OvsDpdk, "ovs-plain": OvsPlain}


def read_pidfile(path):
    """The pid in a file if that process lives, else None."""
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        return None
    return pid if proc.pid_alive(pid) else None
