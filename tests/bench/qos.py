#!/usr/bin/python3
"""qos.py - the scheduler's promises on the running switch, with vhost-user peers.

vv_peer sends from one port, far more than the other port's tree lets through, with an
address for each flow; every flow has a class (Queue other_config:macs). The sink counts
frames by flow. Reported, with the limits that the same tests have on a virtual clock:

  ceil      one class at each ceiling: error of its rate (T1), and the most by which any
            window exceeded the ceiling (T5: burst + one frame)
  floors    classes in 4 levels with floors that fill 0.9 of the link: least rate / floor (T2)
  weights   classes of weights 1..20: largest error of a share (T4)
  latency   a class with a floor of 1 Mbit/s that sends a frame each 10 ms among classes
            that are all overloaded: p50, p99 of its delay (T9)

The machine's own stalls are in these figures: a run says how long the longest was.
"""

import argparse
import json
import math
import random
import shutil
import sys
import tempfile

from vv_run import RING_MODES, Peer, Setup, hugepages_reserve
from vv_switch import SwitchError, Weir

OVERHEAD_BYTES = 24
MIN_FRAME_BYTES = 84
IMPLICIT_FLOOR_BPS = 10**6
MAX_PPS = 3000000
CHUNK = 500  # rows in one ovs-vsctl command line


def wire_bits(size):
    return max(size + OVERHEAD_BYTES, MIN_FRAME_BYTES) * 8


class Tree:
    """Queues of one QoS row: number -> other_config. Flow i takes class i + 1."""

    def __init__(self, link_bps):
        self.link_bps = link_bps
        self.queues = {}

    def add(self, number, flow=None, **keys):
        config = {name.replace('_', '-'): value for name, value in keys.items()}
        if flow is not None:
            config['macs'] = f'"02:76:76:{flow >> 8:02x}:{flow & 255:02x}:0b"'
        self.queues[number] = config

    def apply(self, switch):
        """A few hundred rows at a time: command lines have a limit."""
        switch.vsctl('--id=@qos', 'create', 'qos', 'type=linux-htb',
                     f'other_config:max-rate={self.link_bps}', '--', 'set', 'port', 'vh1', 'qos=@qos')
        qos = switch.vsctl('get', 'port', 'vh1', 'qos').strip()
        numbers = list(self.queues)
        for start in range(0, len(numbers), CHUNK):
            chunk = numbers[start:start + CHUNK]
            words = ['add', 'qos', qos, 'queues', *(f'{number}=@q{number}' for number in chunk)]
            for number in chunk:
                words += ['--', f'--id=@q{number}', 'create', 'queue']
                words += [f'other_config:{key}={value}' for key, value in self.queues[number].items()]
            switch.vsctl(*words)


class WeirWithTree(Weir):
    """weir with a tree on the second port before any traffic."""

    def __init__(self, setup, directory, tree):
        super().__init__(setup, directory, rule=False)
        self.tree = tree

    def start(self):
        super().start()
        self.vsctl('set', 'bridge', self.bridge, 'other_config:mac-table-size=65536')
        self.tree.apply(self)


def setup_of(options, size, flows):
    return Setup(
        programs=options.programs, weir=options.weir, peer_core=options.peer_core,
        switch_core=options.switch_core, size=size, flows=flows, ring=256,
        ring_mode=next(iter(RING_MODES)), warmup_ms=options.warmup * 1000,
        measure_ms=options.seconds * 1000, slice_ms=10, poll_gap_ns=3000, max_stall_us=1000,
        min_clean=0, min_slack=0, min_speed=0, hugepages=1024, both_ways=False, stations=True,
        switch_listens=False, urgent=options.urgent, keep=False)


def run(options, size, flows, tree, *, pps, meter_bps=0, probe_ms=0):
    """Returns (the lane's result, bit/s on the wire by flow, the longest stall in us)."""
    setup = setup_of(options, size, flows)
    extra = ['--study', '--rate', pps, '--meter-bps', meter_bps, '--probe-ms', probe_ms,
             '--overhead', wire_bits(size) // 8 - size]
    directory = tempfile.mkdtemp(prefix='vvq-')
    try:
        hugepages_reserve(setup.hugepages)
        with WeirWithTree(setup, directory, tree) as switch, \
             Peer(setup, switch, directory, extra) as peer:
            peer.wait_event('ready')
            switch.move_helpers()
            result = peer.wait_event('result')
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    seconds = sum(s[0] for s in result['slices']) / result['tsc_hz']
    lane = result['lanes'][0]
    rates = [frames * wire_bits(size) / seconds for frames in lane['frames']]
    return lane, rates, result['longest_stall_us']


def test_ceil(options):
    for mbit in options.ceilings:
        for size in options.sizes:
            pps = int(max(20000, 2 * mbit * 1e6 / wire_bits(size)))
            if pps > MAX_PPS:
                continue  # more than a peer can offer
            tree = Tree(100 * 10**9)
            tree.add(1, 0, max_rate=mbit * 10**6)
            lane, rates, stall = run(options, size, 1, tree, pps=pps, meter_bps=mbit * 10**6)
            error = rates[0] / (mbit * 1e6) - 1
            yield {'test': 'ceil', 'mbit': mbit, 'size': size, 'error': error,
                   'meter_bytes': lane['meter_bytes'],
                   'burst_bytes': mbit * 1e6 / 8 * 0.005 + 2 * size, 'stall_us': stall}


def floor_tree(flows, link_bps, seed):
    """Root, 10 tenants, 10 groups each, then leaves: floors over two decades, 0.9 of the link."""
    draw = random.Random(seed)
    raw = [10 ** draw.uniform(0, 2) for _ in range(flows)]
    scale = 0.9 * link_bps / sum(raw)
    floors = [max(1000, int(value * scale)) for value in raw]
    tree = Tree(link_bps)
    for upper in range(10):
        tree.add(20000 + upper, min_rate=0)
        for lower in range(10):
            tree.add(21000 + upper * 10 + lower, parent=20000 + upper, min_rate=0)
    for flow in range(flows):
        tree.add(flow + 1, flow, parent=21000 + flow % 100, min_rate=floors[flow],
                 weight=draw.randint(1, 20))
    return tree, floors


def test_floors(options):
    for flows in options.classes:
        link_bps = options.link_mbit * 10**6
        tree, floors = floor_tree(flows, link_bps, options.seed)
        size = max(options.sizes)
        # Every class is offered more than the largest floor.
        pps = int(1.5 * max(floors) * flows / wire_bits(size))
        _, rates, stall = run(options, size, flows, tree, pps=pps)
        # A frame counts when it has arrived whole: one may be on its way at either end.
        edge_bps = wire_bits(size) / options.seconds
        yield {'test': 'floors', 'classes': flows, 'size': size, 'pps': pps,
               'least': min((rate + edge_bps) / floor for rate, floor in zip(rates, floors)),
               'link': sum(rates) / link_bps, 'stall_us': stall}


def test_weights(options):
    link_bps = options.link_mbit * 10**6
    tree = Tree(link_bps)
    for flow in range(20):
        tree.add(flow + 1, flow, weight=flow + 1)
    size = max(options.sizes)
    _, rates, stall = run(options, size, 20, tree, pps=int(4 * link_bps / wire_bits(size)))
    # Each has the implicit floor of a class without one; weights share the rest.
    rest = link_bps - 20 * IMPLICIT_FLOOR_BPS
    shares = [rate / (IMPLICIT_FLOOR_BPS + rest * (i + 1) / 210) - 1
              for i, rate in enumerate(rates)]
    yield {'test': 'weights', 'size': size, 'error': max(shares, key=abs),
           'link': sum(rates) / link_bps, 'stall_us': stall}


def test_latency(options):
    for flows in options.classes:
        for size in options.sizes:
            link_bps = options.link_mbit * 10**6
            tree = Tree(link_bps)
            tree.add(1, 0, min_rate=10**6)
            share = int(0.8 * link_bps / flows)
            for flow in range(1, flows):
                tree.add(flow + 1, flow, min_rate=share)
            pps = int(min(2e6, 1.5 * link_bps / wire_bits(size)))
            lane, rates, stall = run(options, size, flows, tree, pps=pps, probe_ms=10)
            yield {'test': 'latency', 'classes': flows, 'size': size, 'probes': lane['probes'],
                   'p50_us': lane['probe_us'][0], 'p99_us': lane['probe_us'][1],
                   'max_us': lane['probe_us'][2], 'frame_us': wire_bits(size) / link_bps * 1e6,
                   'link': sum(rates) / link_bps, 'stall_us': stall}


TESTS = {'ceil': test_ceil, 'floors': test_floors, 'weights': test_weights,
         'latency': test_latency}


def describe(row):
    words = [f'{row["test"]:<8}']
    for key, value in row.items():
        if key == 'test':
            continue
        if isinstance(value, float):
            digits = 0 if math.fabs(value) >= 1000 else 5 if math.fabs(value) < 2 else 1
            value = f'{value:.{digits}f}'
        words.append(f'{key} {value}')
    return '  '.join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    add = parser.add_argument
    add('--programs', required=True, help='tests/bench of a build directory')
    add('--weir', required=True, help='build directory of weir')
    add('--tests', default=','.join(TESTS))
    add('--ceilings', default='1,8,64,512,5000', help='Mbit/s')
    add('--sizes', default='64,1514')
    add('--classes', default='100,10000')
    add('--link-mbit', type=int, default=1000, help='of the trees of floors and weights')
    add('--seconds', type=int, default=10)
    add('--warmup', type=int, default=2)
    add('--peer-core', type=int, default=0)
    add('--switch-core', type=int, default=1)
    add('--seed', type=int, default=1)
    add('--urgent', action='store_true')
    add('--json', metavar='FILE')
    options = parser.parse_args()
    for name in ('ceilings', 'sizes', 'classes'):
        setattr(options, name, [int(word) for word in getattr(options, name).split(',')])
    rows = []
    for name in options.tests.split(','):
        try:
            for row in TESTS[name](options):
                rows.append(row)
                print(describe(row), flush=True)
        except SwitchError as error:
            print(f'{name:<8} {str(error)[:300]}', flush=True)
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == '__main__':
    sys.exit(main())
