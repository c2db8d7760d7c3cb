"""vv_run.py - one run: a switch, the peer beside it, and whether to believe the figure."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field

from vv_switch import ARMS, SwitchError, end_process, raise_priority

HUGEPAGE_FILE = '/proc/sys/vm/nr_hugepages'
EVENT_TIMEOUT_S = 40

# What each guest driver does with its rings; the first is the cheapest for the peer.
RING_MODES = {
    'packed': 'packed_vq=1,mrg_rxbuf=0,in_order=1,vectorized=1',
    'packed-mergeable': 'packed_vq=1,mrg_rxbuf=1,in_order=1',
    'split': 'packed_vq=0,mrg_rxbuf=0,in_order=1',
    'split-mergeable': 'packed_vq=0,mrg_rxbuf=1,in_order=0',
}


@dataclass
class Setup:
    """What all runs of one invocation share."""
    programs: str
    weir: str | None
    peer_core: int
    switch_core: int
    size: int
    flows: int
    ring: int
    ring_mode: str
    warmup_ms: int
    measure_ms: int
    slice_ms: int
    poll_gap_ns: int
    max_stall_us: float
    min_clean: float
    min_slack: float
    min_speed: float
    hugepages: int
    both_ways: bool
    stations: bool
    switch_listens: bool
    urgent: bool
    keep: bool
    file_prefix: str = f'vv{os.getpid()}'


@dataclass
class Run:
    """Figures of one run; 'problems' says why not to believe them."""
    arm: str
    cycles: float = 0.0
    mpps: float = 0.0
    slack: float = 0.0
    clean: float = 0.0
    loss: float = 0.0
    reordered: int = 0
    rx_batch: float = 0.0
    stall_us: float = 0.0
    steal: float = 0.0
    worker_wait: float = 0.0
    speed: float = 0.0
    latency_us: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)

    def describe(self):
        # At part load the switch also polls empty rings: then there is no cost per packet.
        cost = ' ' * 22 if self.latency_us else f'{self.cycles:8.1f} cycles/packet'
        text = (f'{self.arm:<12} {cost} {self.mpps:7.3f} Mpps'
                f'  speed {self.speed:4.0%}  slack {self.slack:4.0%}  clean {self.clean:4.0%}'
                f'  batch {self.rx_batch:4.1f}  loss {self.loss:7.3%}'
                f'  stall {self.stall_us:6.0f} us')
        if self.latency_us:
            text += '  latency ' + ' '.join(f'{k}={v:.1f}' for k, v in
                                            self.latency_us.items()) + ' us'
        return text + (f'  [{"; ".join(self.problems)}]' if self.problems else '')


def hugepages_free():
    with open('/proc/meminfo', encoding='ascii') as file:
        for line in file:
            if line.startswith('HugePages_Free:'):
                return int(line.split()[1])
    return 0


def hugepages_reserve(wanted):
    """Raises the kernel's reserve until 'wanted' pages are free; never lowers it."""
    missing = wanted - hugepages_free()
    if missing <= 0:
        return
    with open(HUGEPAGE_FILE, encoding='ascii') as file:
        total = int(file.read())
    with open(HUGEPAGE_FILE, 'w', encoding='ascii') as file:
        file.write(str(total + missing))
    if hugepages_free() < wanted:
        raise SwitchError(f'{wanted} free hugepages wanted, the kernel has only '
                          f'{hugepages_free()}')


def steal_ticks():
    with open('/proc/stat', encoding='ascii') as file:
        return int(file.readline().split()[8])


class WorkerWatch:
    """What the kernel says of the threads pinned to the switch core: the share of a period
    they ran, and the share they waited for the core while something else had it."""

    def __init__(self, pid, core):
        self.core = core
        self.threads = []
        for tid in os.listdir(f'/proc/{pid}/task'):
            try:
                pinned = os.sched_getaffinity(int(tid)) == {core}
            except OSError:
                continue
            if pinned:
                self.threads.append(f'/proc/{pid}/task/{tid}/schedstat')
        self.started = time.monotonic()
        self.before = self.read()

    def read(self):
        ran = waited = 0
        for path in self.threads:
            with open(path, encoding='ascii') as file:
                fields = file.read().split()
            ran += int(fields[0])
            waited += int(fields[1])
        return ran, waited

    def shares(self):
        """(ran, waited) since the watch was made."""
        period_ns = (time.monotonic() - self.started) * 1e9
        ran, waited = self.read()
        return (ran - self.before[0]) / period_ns, (waited - self.before[1]) / period_ns


class CoreSpeed:
    """How fast the two cores compute, as a share of the fastest ever seen."""

    fastest = {}

    def __init__(self, setup):
        self.command = os.path.join(setup.programs, 'core_speed')
        self.cores = (setup.peer_core, setup.switch_core)
        self.urgent = setup.urgent

    def share(self):
        """That of the slower core, now."""
        probes = [subprocess.Popen(['taskset', '-c', str(core), self.command],
                                   stdout=subprocess.PIPE, text=True,
                                   start_new_session=True) for core in self.cores]
        if self.urgent:
            for probe in probes:
                raise_priority(probe.pid)
        shares = []
        for core, probe in zip(self.cores, probes):
            cycles = int(probe.communicate()[0])
            self.fastest[core] = min(cycles, self.fastest.get(core, cycles))
            shares.append(self.fastest[core] / cycles)
        return min(shares)


class Peer:
    """The vv_peer process; use as a context manager."""

    def __init__(self, setup, switch, directory, extra):
        self.setup = setup
        self.command = self.command_line(setup, switch, extra)
        self.error_path = os.path.join(directory, 'peer.err')
        self.child = None

    @staticmethod
    def command_line(setup, switch, extra):
        server = 0 if setup.switch_listens else 1
        command = ['taskset', '-c', setup.peer_core, os.path.join(setup.programs, 'vv_peer'),
                   '--no-pci', '--in-memory', '--single-file-segments', '--no-telemetry',
                   '--force-max-simd-bitwidth=512', '--log-level=lib.eal:warning',
                   '--file-prefix', setup.file_prefix + 'p',
                   '--lcores', f'0@{setup.peer_core}']
        for port in (0, 1):
            command += ['--vdev', f'net_virtio_user{port},path={switch.socket_path(port)},'
                                  f'server={server},queues=1,queue_size={setup.ring},'
                                  + RING_MODES[setup.ring_mode]]
        command += ['--', '--size', setup.size, '--flows', setup.flows, '--ring', setup.ring,
                    '--warmup-ms', setup.warmup_ms, '--measure-ms', setup.measure_ms,
                    '--slice-ms', setup.slice_ms]
        if setup.both_ways:
            command.append('--both-ways')
        if setup.stations:
            command.append('--stations')
        return [str(word) for word in command + extra]

    def __enter__(self):
        with open(self.error_path, 'wb') as err:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=err, text=True,
                                          start_new_session=True)
        if self.setup.urgent:
            raise_priority(self.child.pid)
        return self

    def __exit__(self, *exc):
        end_process(self.child.pid)
        self.child.wait()
        self.child.stdout.close()

    def wait_event(self, name):
        """The next event of that name; an error if the peer ends before, or stays silent
        for so long that it must be waiting for a switch that does not dial."""
        silence_s = EVENT_TIMEOUT_S + (self.setup.warmup_ms + self.setup.measure_ms) / 1000
        timer = threading.Timer(silence_s, self.child.kill)
        timer.start()
        try:
            for line in self.child.stdout:
                event = json.loads(line)
                if event['event'] == name:
                    return event
        finally:
            timer.cancel()
        with open(self.error_path, encoding='utf-8', errors='replace') as file:
            lines = file.read().splitlines()
        reasons = [line for line in lines if line.startswith('vv_peer:')] or lines[-3:]
        raise SwitchError(' / '.join(reasons) or 'vv_peer ended without a word')


def judge(run, setup, result, saturate):
    """Fills in the figures of the clean slices and what is wrong with them."""
    slices = [s for s in result['slices'] if s[1]]
    clean = [s for s in slices if s[3] <= setup.max_stall_us and s[4] <= setup.max_stall_us]
    lanes = result['lanes']
    run.clean = len(clean) / len(result['slices'])
    run.stall_us = result['longest_stall_us']
    run.loss = sum(lane['lost'] for lane in lanes) / max(1, sum(l['sent'] for l in lanes))
    run.reordered = sum(lane['reordered'] for lane in lanes)
    run.rx_batch = lanes[0]['rx_batch']
    run.latency_us = lanes[0].get('latency_us', {})
    if clean:
        run.cycles = statistics.median(s[0] / s[1] for s in clean)
        run.mpps = result['tsc_hz'] / run.cycles / 1e6
        run.slack = statistics.median(s[2] for s in clean)
    if run.clean < setup.min_clean:
        run.problems.append(f'only {run.clean:.0%} of the slices are free of stalls above '
                            f'{setup.max_stall_us:g} us')
    elif saturate and run.slack < setup.min_slack:
        run.problems.append(f'the peer has only {run.slack:.1%} slack: this may be its own '
                            'limit')
    if run.reordered:
        run.problems.append(f'{run.reordered} frames out of order')


def measure(arm, setup, rate_pps=0, latency=False):
    """One run of one arm. Raises SwitchError if there is nothing to measure."""
    run = Run(arm)
    extra = ['--rate', rate_pps] if rate_pps else ['--poll-gap-ns', setup.poll_gap_ns]
    extra += ['--latency'] if latency else []
    speed = CoreSpeed(setup)
    directory = tempfile.mkdtemp(prefix='vv-')
    try:
        hugepages_reserve(setup.hugepages)
        with ARMS[arm](setup, directory) as switch, \
             Peer(setup, switch, directory, extra) as peer:
            peer.wait_event('ready')
            run.speed = speed.share()
            switch.move_helpers()
            switch.begin()
            peer.wait_event('start')
            steal = steal_ticks()
            watch = WorkerWatch(switch.pid, setup.switch_core)
            peer.wait_event('end')
            ran, run.worker_wait = watch.shares()
            run.steal = ((steal_ticks() - steal) / os.sysconf('SC_CLK_TCK')
                         / (setup.measure_ms / 1000))
            run.speed = min(run.speed, speed.share())
            judge(run, setup, peer.wait_event('result'), not rate_pps)
        if run.speed < setup.min_speed:
            run.problems.append(f'a core ran at {run.speed:.0%} of its speed')
        if not watch.threads:
            run.problems.append(f'no thread of the switch is pinned to core '
                                f'{setup.switch_core}')
        elif not rate_pps and ran + run.worker_wait < 0.95:
            run.problems.append(f'the switch slept: its worker ran {ran:.0%} of the time')
    finally:
        if not setup.keep:
            shutil.rmtree(directory, ignore_errors=True)
    return run
