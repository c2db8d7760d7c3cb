"""vv_switch.py - starts and ends the switches that vv.py compares.

Every switch gets two vhost-user ports, one worker on the switch core and everything else
on the peer's core. All its files lie in a directory of its own; all its processes are
ended by pid. A switch in a network namespace of its own cannot meet another instance's
bridges or taps.
"""

import os
import signal
import subprocess
import time

OVS_DAEMON = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'
OVS_SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


class SwitchError(Exception):
    """The switch did not start, or did not take its configuration."""


def wait_for(condition, what, timeout_s=START_TIMEOUT_S):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SwitchError(f'{what}: not within {timeout_s} s')
        time.sleep(0.05)


def raise_priority(pid):
    """Gives the session of 'pid' a larger share of its core. Plain nice values compare
    only within a session while the kernel groups processes by session."""
    try:
        with open(f'/proc/{pid}/autogroup', 'w', encoding='ascii') as file:
            file.write('-20')
    except OSError:
        os.setpriority(os.PRIO_PROCESS, pid, -20)


def is_alive(pid):
    """False for a process that has ended, or that only waits for its parent."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


def end_process(pid, graceful_sent=False):
    for sig in (None if graceful_sent else signal.SIGTERM, signal.SIGKILL):
        if sig is not None and is_alive(pid):
            os.kill(pid, sig)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)


class Switch:
    """One switch under test; use as a context manager."""

    def __init__(self, setup, directory):
        self.setup = setup
        self.directory = directory
        self.children = []
        self.pid = None

    def __enter__(self):
        try:
            self.start()
            if self.setup.urgent:
                raise_priority(self.pid)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()

    def socket_path(self, port):
        return os.path.join(self.directory, f'vh{port}')

    def launcher(self):
        """Workers pin themselves to the switch core, whatever they inherit."""
        return ['taskset', '-c', str(self.setup.peer_core)]

    def spawn(self, name, command, env=None, stdin=subprocess.DEVNULL):
        """Starts a child on the cores that 'launcher' gives it; its output goes to
        NAME.out."""
        with open(os.path.join(self.directory, name + '.out'), 'wb') as out:
            child = subprocess.Popen(
                [*self.launcher(), *command], env=env, stdin=stdin, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True)
        self.children.append(child)
        return child

    def output(self, name):
        path = os.path.join(self.directory, name)
        if not os.path.exists(path):
            return ''
        with open(path, encoding='utf-8', errors='replace') as file:
            return ''.join(file.readlines()[-8:])

    def move_helpers(self):
        """Sends every thread but the worker to the peer's core. The worker is the thread
        that runs most, so call this under traffic."""
        def ran_ns(tid):
            with open(f'/proc/{self.pid}/task/{tid}/schedstat', encoding='ascii') as file:
                return int(file.read().split()[0])

        tids = [int(name) for name in os.listdir(f'/proc/{self.pid}/task')]
        before = {tid: ran_ns(tid) for tid in tids}
        time.sleep(0.1)
        worker = max(tids, key=lambda tid: ran_ns(tid) - before[tid])
        for tid in tids:
            if tid != worker:
                os.sched_setaffinity(tid, {self.setup.peer_core})

    def start(self):
        raise NotImplementedError

    def begin(self):
        """Called when traffic has begun, before it is measured."""

    def stop(self):
        for child in reversed(self.children):
            end_process(child.pid)
            child.wait()
        self.children.clear()


class Testpmd(Switch):
    """dpdk-testpmd --forward-mode=io over two net_vhost ports: rte_vhost's own limit."""

    def start(self):
        setup = self.setup
        client = 0 if setup.switch_listens else 1
        command = ['dpdk-testpmd', '--no-pci', '--in-memory', '--file-prefix',
                   setup.file_prefix + 's', '--lcores',
                   f'0@{setup.peer_core},1@{setup.switch_core}']
        for port in (0, 1):
            command += ['--vdev', f'net_vhost{port},iface={self.socket_path(port)},'
                                  f'client={client},queues=1']
        # Interactive, else it waits for the links before it starts.
        command += ['--', '-i', '--forward-mode=io', '--nb-cores=1', '--auto-start',
                    '--total-num-mbufs=32768']
        child = self.spawn('testpmd', command, stdin=subprocess.PIPE)
        self.pid = child.pid
        wait_for(lambda: 'testpmd>' in self.output('testpmd.out') or child.poll() is not None,
                 'dpdk-testpmd')
        if child.poll() is not None:
            raise SwitchError('dpdk-testpmd ended: ' + self.output('testpmd.out'))

    def stop(self):
        for child in self.children:
            try:
                child.stdin.write(b'quit\n')
                child.stdin.close()
            except BrokenPipeError:
                pass
            end_process(child.pid, graceful_sent=True)
        super().stop()


class OvsLike(Switch):
    """A switch that ovs-vsctl and ovs-ofctl configure. 'rule' is port-to-port OpenFlow
    rules, else the bridge learns."""

    def __init__(self, setup, directory, rule):
        super().__init__(setup, directory)
        self.rule = rule
        self.bridge = 'vvbr0'

    def environment(self):
        names = ('OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR')
        return {**os.environ, **{name: self.directory for name in names}}

    def tool(self, *command):
        done = subprocess.run(command, env=self.environment(), capture_output=True,
                              text=True, timeout=START_TIMEOUT_S, check=False)
        if done.returncode:
            raise SwitchError(f'{" ".join(command)}: {done.stderr.strip()}')
        return done.stdout

    def vsctl(self, *command):
        return self.tool('ovs-vsctl', f'--db=unix:{self.directory}/db.sock',
                         '--timeout=20', *command)

    def configure(self):
        setup = self.setup
        self.vsctl('--no-wait', 'set', 'Open_vSwitch', '.',
                   'other_config:dpdk-init=true',
                   f'other_config:dpdk-lcore-mask={1 << setup.peer_core:#x}',
                   f'other_config:pmd-cpu-mask={1 << setup.switch_core:#x}',
                   f'other_config:dpdk-extra="--no-pci --in-memory '
                   f'--file-prefix={setup.file_prefix}s"')

    def add_ports(self):
        self.vsctl('add-br', self.bridge, '--', 'set', 'bridge', self.bridge,
                   'datapath_type=netdev')
        for port in (0, 1):
            name = f'vh{port}'
            kind = ['type=dpdkvhostuser']
            if not self.setup.switch_listens:
                kind = ['type=dpdkvhostuserclient',
                        f'options:vhost-server-path={self.socket_path(port)}']
            self.vsctl('add-port', self.bridge, name, '--', 'set', 'interface', name, *kind,
                       f'ofport_request={port + 1}')
            error = self.vsctl('get', 'interface', name, 'error').strip()
            if error != '[]':
                raise SwitchError(f'interface {name}: {error}')
        if self.rule:
            management = f'unix:{self.directory}/{self.bridge}.mgmt'
            for match in ('in_port=1,actions=output:2', 'in_port=2,actions=output:1'):
                self.tool('ovs-ofctl', 'add-flow', management, match)
            self.tool('ovs-ofctl', '--strict', 'del-flows', management, 'priority=0')


class Ovs(OvsLike):
    """Debian's Open vSwitch with DPDK."""

    def start(self):
        database = os.path.join(self.directory, 'conf.db')
        socket = os.path.join(self.directory, 'db.sock')
        self.tool('ovsdb-tool', 'create', database, OVS_SCHEMA)
        self.spawn('ovsdb-server', ['ovsdb-server', database, f'--remote=punix:{socket}',
                                    f'--unixctl={self.directory}/ovsdb-server.ctl'],
                   env=self.environment())
        wait_for(lambda: os.path.exists(socket), 'ovsdb-server')
        self.vsctl('--no-wait', 'init')
        self.configure()
        child = self.spawn('ovs-vswitchd',
                           ['unshare', '--net', OVS_DAEMON, f'unix:{socket}',
                            f'--unixctl={self.directory}/ovs-vswitchd.ctl',
                            f'--log-file={self.directory}/ovs-vswitchd.log'],
                           env=self.environment())
        self.pid = child.pid
        self.add_ports()


class Weir(OvsLike):
    """The switch under test, from a build directory."""

    def launcher(self):
        """It uses no core that it does not inherit."""
        return []

    def start(self):
        daemon = os.path.join(self.setup.weir, 'vswitchd', 'weir-vswitchd')
        pidfile = os.path.join(self.directory, 'weir-vswitchd.pid')
        child = self.spawn('weir-vswitchd',
                           ['unshare', '--net', daemon, '--rundir', self.directory,
                            '--dbdir', self.directory, '--logdir', self.directory,
                            '--pidfile', '--detach', '--log-file'])
        try:
            status = child.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise SwitchError(f'{daemon} --detach: did not return') from None
        if status:
            raise SwitchError(f'{daemon} ended with {status}: '
                              + self.output('weir-vswitchd.out'))
        self.children.remove(child)
        with open(pidfile, encoding='ascii') as file:
            self.pid = int(file.read())
        self.configure()
        self.add_ports()

    def stop(self):
        super().stop()
        if self.pid is not None:
            end_process(self.pid)


class WeirTree(Weir):
    """weir with a class for each station behind the second port; the port is slow until
    all their queues are full."""

    FILL_SECONDS = 0.4
    DEPTH = 16  # packets that each class holds

    def __init__(self, setup, directory):
        super().__init__(setup, directory, rule=False)

    def start(self):
        super().start()
        queues, rows = [], []
        for flow in range(self.setup.flows):
            mac = f'02:76:76:{flow >> 8:02x}:{flow & 255:02x}:0b'
            queues.append(f'{flow + 1}=@q{flow}')
            rows += ['--', f'--id=@q{flow}', 'create', 'queue', 'other_config:min-rate=1000000',
                     f'other_config:macs="{mac}"', f'other_config:limit-packets={self.DEPTH}']
        self.vsctl('set', 'port', 'vh1', 'qos=@qos', '--', '--id=@qos', 'create', 'qos',
                   'type=linux-htb', 'other_config:max-rate=10000000000',
                   'queues=' + ','.join(queues), *rows)

    def begin(self):
        self.vsctl('set', 'qos', self.qos(), 'other_config:max-rate=1000000000')
        time.sleep(self.FILL_SECONDS)
        self.vsctl('set', 'qos', self.qos(), 'other_config:max-rate=100000000000')

    def qos(self):
        return self.vsctl('get', 'port', 'vh1', 'qos').strip()


ARMS = {
    'testpmd-io': Testpmd,
    'ovs-rule': lambda setup, directory: Ovs(setup, directory, rule=True),
    'ovs-normal': lambda setup, directory: Ovs(setup, directory, rule=False),
    'weir-rule': lambda setup, directory: Weir(setup, directory, rule=True),
    'weir-normal': lambda setup, directory: Weir(setup, directory, rule=False),
    'weir-tree': WeirTree,
}
