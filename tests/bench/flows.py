#!/usr/bin/python3
"""flows.py - flow-mods while packets flow, and many flows, on the running switch.

vv_peer sends UDP flows from port 1 to port 2. Table 0 sends them on to table 1, which has
a rule for each flow (--pipeline rules) or one for all of them and a wide access list whose
rules read layer 4 (--pipeline list). Meanwhile a client changes other rules of table 1:
it adds, modifies and deletes --mods of them, in turns, with a barrier behind each --batch.
Of the flows that are forwarded, none is affected.

Reported for each switch: how fast the table was filled; flow-mods per second and the
barriers' latency; cycles per packet of the worker (by its own count) before, during and
after the changes; how many packets were walked through the tables rather than found in
the flow cache; and packets lost, of which there should be none.
"""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

import flow_mods as of
from vv_run import Peer, Setup, hugepages_reserve
from vv_switch import Ovs, SwitchError, Weir

ACL_RULES = 1000
SOURCE_RING = 256
CHANGED = 20000  # rules that come and go
COUNTERS = {'packets': r'packets received: (\d+)', 'busy': r'processing cycles: (\d+)',
            'walks': r'megaflow hits: (\d+)', 'smc': r'smc hits: (\d+)',
            'upcalls': r'miss with success upcall: (\d+)'}


def ip(a, b, low):
    return struct.pack('!BBH', a, b, low & 0xffff)


def udp_match(*fields):
    return of.match((of.ETH_TYPE, b'\x08\x00'), (of.IP_PROTO, b'\x11'), *fields)


def flow_match(flow):
    """As vv_frame_mark() makes them."""
    return udp_match((of.IPV4_SRC, ip(10, 0, flow)), (of.IPV4_DST, ip(10, 1, ~flow)),
                     (of.UDP_SRC, struct.pack('!H', 1024 + (flow >> 16))))


def table_messages(options):
    """The rules that are there from the beginning."""
    in_port = [of.match((of.IN_PORT, struct.pack('!I', port))) for port in (1, 2)]
    messages = [of.flow_mod(of.ADD, 0, 10, in_port[0], of.goto(1)),
                of.flow_mod(of.ADD, 0, 10, in_port[1], of.output(1))]
    if options.pipeline == 'rules':
        messages += [of.flow_mod(of.ADD, 1, 10, flow_match(flow), of.output(2))
                     for flow in range(options.flows)]
    else:
        messages += [of.flow_mod(of.ADD, 1, 100 + i % 50, udp_match(
            (of.IPV4_SRC, ip(11, i >> 8, i << 8), b'\xff\xff\xff\0'),
            (of.UDP_DST, struct.pack('!H', 6000 + i)))) for i in range(ACL_RULES)]
        messages.append(of.flow_mod(of.ADD, 1, 10, udp_match(
            (of.IPV4_DST, ip(10, 1, 0), b'\xff\xff\0\0')), of.output(2)))
    return messages


def change_messages(is_loose):
    """Adds, modifies, deletes rules of the form that the table has."""
    modify, delete = ((of.MODIFY, of.DELETE) if is_loose
                      else (of.MODIFY_STRICT, of.DELETE_STRICT))
    where = [udp_match((of.IPV4_SRC, ip(10, 2, i)), (of.IPV4_DST, ip(10, 3, ~i)),
                       (of.UDP_SRC, b'\x04\0')) for i in range(CHANGED)]
    return ([of.flow_mod(of.ADD, 1, 20, w, of.output(1), cookie=1) for w in where]
            + [of.flow_mod(modify, 1, 20, w, of.output(2)) for w in where]
            + [of.flow_mod(delete, 1, 20, w) for w in where])


def set_share(pid, nice):
    """The share of a process's whole session, on a machine whose cores others use."""
    with open(f'/proc/{pid}/autogroup', 'w', encoding='ascii') as file:
        file.write(str(nice))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


class Sampler(threading.Thread):
    """Reads the worker's counters ten times a second; parts are cut with cut()."""

    PERIOD_S = 0.1

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(glob.glob(f'{directory}/ovs-vswitchd*.ctl')[0])
        self.samples = []
        self.is_over = threading.Event()
        self.start()

    def read(self):
        """One request and its answer, by the switch's control socket."""
        request = {'method': 'dpif-netdev/pmd-stats-show', 'params': [], 'id': 0}
        self.socket.sendall(json.dumps(request).encode())
        data, depth = b'', 0
        while not data or depth:
            more = self.socket.recv(1 << 16)
            if not more:
                raise SwitchError('the control socket was closed')
            data += more
            depth = data.count(b'{') - data.count(b'}')
        text = json.loads(data)['result']
        # Without the threads that do not poll.
        text = ''.join(part for part in re.split(r'^(?=\S)', text, flags=re.M)
                       if part.startswith('pmd'))
        return {name: sum(map(int, re.findall(pattern, text)))
                for name, pattern in COUNTERS.items()}

    def run(self):
        while not self.is_over.wait(self.PERIOD_S):
            self.samples.append(self.read())

    def cut(self):
        """What was sampled since the last cut."""
        taken, self.samples = self.samples, []
        return taken

    def stop(self):
        self.is_over.set()
        self.join()
        self.socket.close()


class Arm:
    """One switch with its table filled, and what is measured on it."""

    def __init__(self, options, switch, name):
        self.options, self.switch, self.name = options, switch, name
        self.socket = f'{switch.directory}/{switch.bridge}.mgmt'

    def forwarding(self, samples):
        """Samples in which something else had the worker's core are outliers: the median."""
        deltas = [{name: after[name] - before[name] for name in before}
                  for before, after in zip(samples, samples[1:])]
        cost = [delta['busy'] / delta['packets'] for delta in deltas if delta['packets']]
        packets = sum(delta['packets'] for delta in deltas)
        slow = sum(delta['walks' if self.name == 'weir' else 'upcalls'] for delta in deltas)
        if not packets:
            return 'no packets'
        return (f'{statistics.median(cost):7.0f} cycles/packet ({min(cost):.0f}..{max(cost):.0f}), '
                f'{slow / packets:.4%} of {packets} '
                f'{"walked" if self.name == "weir" else "upcalls"}')

    def fill(self):
        """Returns flow-mods and seconds."""
        messages = table_messages(self.options)
        with of.Client(self.socket) as client:
            client.run(of.batches_of([of.flow_mod(of.DELETE, of.ALL_TABLES, 0, of.match())], 1))
            return client.run(of.batches_of(messages, 1000))[:2]

    def change(self, batches):
        with of.Client(self.socket) as client:
            return client.run(batches, self.options.mods, self.options.window,
                              self.options.seconds)

    def measure(self, setup, batches):
        options = self.options
        n, seconds = self.fill()
        print(f'{self.name:<5} filled: {n} flow-mods in {seconds:.2f} s, {n / seconds:,.0f}/s')
        extra = ['--poll-gap-ns', 3000]
        if options.rate:
            # The sink's ring has room for all that can be under way: a stall loses nothing.
            extra = ['--rate', options.rate, '--tx-ring', SOURCE_RING]
        with Peer(setup, self.switch, self.switch.directory, extra) as peer:
            if options.urgent:
                set_share(peer.child.pid, -12)  # main's turn comes first
            peer.wait_event('ready')
            self.switch.move_helpers()
            peer.wait_event('start')
            sampler = Sampler(self.switch.directory)
            parts, changes = {}, None
            time.sleep(options.seconds)
            parts['before'] = sampler.cut()
            if batches:
                changes = self.change(batches)
                parts['during'] = sampler.cut()
                time.sleep(options.seconds)
                parts['after'] = sampler.cut()
            sampler.stop()
            result = peer.wait_event('result')
        for what, samples in parts.items():
            print(f'      {what}: {self.forwarding(samples)}')
        if changes:
            n, seconds, latencies = changes
            print(f'      flow-mods: {n / seconds:,.0f}/s; barriers of {options.batch}: p50 '
                  f'{percentile(latencies, 0.5) * 1e3:.2f} ms, '
                  f'p99 {percentile(latencies, 0.99) * 1e3:.2f} ms')
        lane = result['lanes'][0]
        print(f'      {result["mpps"]:.3f} Mpps, {lane["lost"]} of {lane["sent"]} lost, '
              f'{lane["reordered"]} out of order, longest stall of the peer '
              f'{result["longest_stall_us"] / 1e3:.1f} ms', flush=True)


def setup_of(options):
    return Setup(programs=options.programs, weir=options.weir, peer_core=options.peer_core,
                 switch_core=options.switch_core, size=options.size, flows=options.flows,
                 ring=4 * SOURCE_RING if options.rate else SOURCE_RING, ring_mode='packed',
                 warmup_ms=options.warmup * 1000,
                 measure_ms=options.seconds * (3000 if options.mods != 'none' else 1000) + 2000,
                 slice_ms=10, poll_gap_ns=3000, max_stall_us=1000, min_clean=0, min_slack=0,
                 min_speed=0, hugepages=1600, both_ways=False, stations=False,
                 switch_listens=False, urgent=options.urgent, keep=options.keep)


def one_arm(name, options, batches):
    setup = setup_of(options)
    hugepages_reserve(setup.hugepages)
    directory = tempfile.mkdtemp(prefix='flows-')
    try:
        with (Weir if name == 'weir' else Ovs)(setup, directory, rule=False) as switch:
            Arm(options, switch, name).measure(setup, batches)
    except (SwitchError, of.Failure, subprocess.SubprocessError) as error:
        print(f'{name}: {error}', flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description='Flow-mods while packets flow, and many flows.')
    parser.add_argument('--programs', required=True, help='where vv_peer is')
    parser.add_argument('--weir', help='build directory of weir')
    parser.add_argument('--arms', default='weir,ovs')
    parser.add_argument('--pipeline', choices=('rules', 'list'), default='rules')
    parser.add_argument('--flows', type=int, default=1000)
    parser.add_argument('--rate', type=int, default=1000000,
                        help='packets per second, 0: as many as the switch takes')
    parser.add_argument('--mods', default='0',
                        help='flow-mods per second; 0: as many as the switch takes; none')
    parser.add_argument('--loose', action='store_true',
                        help='modify and delete what matches, not strictly one rule')
    parser.add_argument('--batch', type=int, default=100, help='flow-mods per barrier')
    parser.add_argument('--window', type=int, default=2, help='batches under way')
    parser.add_argument('--size', type=int, default=64)
    parser.add_argument('--seconds', type=int, default=3, help='each of three parts')
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--peer-core', type=int, default=0)
    parser.add_argument('--switch-core', type=int, default=1)
    parser.add_argument('--urgent', action='store_true',
                        help='take the cores from other sessions')
    parser.add_argument('--keep', action='store_true', help='keep the logs of the switches')
    options = parser.parse_args()
    batches = []
    if options.mods != 'none':
        options.mods = int(options.mods)
        batches = of.batches_of(change_messages(options.loose), options.batch)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.sched_setaffinity(0, {options.peer_core})
    if options.urgent:
        os.setsid() if os.getpgrp() != os.getpid() else None
        set_share(os.getpid(), -20)
    try:
        for name in options.arms.split(','):
            if name not in ('weir', 'ovs') or (name == 'weir' and not options.weir):
                parser.error(f'--arms: {name} is not weir (with --weir) or ovs')
            one_arm(name, options, batches)
    except KeyboardInterrupt:
        sys.exit('interrupted')


if __name__ == '__main__':
    main()
