#!/usr/bin/python3
"""vv.py - cycles per packet from guest port to guest port, compared between switches.

Interleaved blocks (each arm once forwards, once backwards, in random order), medians of
per-block ratios. See README.md beside this file.
"""

import argparse
import dataclasses
import json
import os
import random
import signal
import statistics
import sys

from vv_run import RING_MODES, CoreSpeed, Setup, measure
from vv_switch import ARMS, SwitchError

BASES = ('testpmd-io', 'ovs-normal')


def option_parser():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    add = parser.add_argument
    add('--programs', required=True, metavar='DIR',
        help='tests/bench of a build directory, after make bench-programs')
    add('--weir', metavar='BUILD_DIR', help='build directory of weir')
    add('--arms', help='comma-separated; of ' + ', '.join(ARMS)
        + ' (default: all but weir-rule and weir-tree; weir ones need --weir)')
    add('--sizes', default='64,1514', help='frame sizes without check sequence (64,1514)')
    add('--flows', default='10', help='numbers of flows, comma-separated (10)')
    add('--blocks', type=int, default=6, help='blocks of two runs per arm (6)')
    add('--retries', type=int, default=1, help='repeats of a run that says nothing (1)')
    add('--seconds', type=float, default=3, help='measured time of one run (3)')
    add('--warmup', type=float, default=1, help='traffic before it, in seconds (1)')
    add('--slice-ms', type=int, default=10, help='length of a slice (10)')
    add('--poll-gap-ns', type=int, default=3000,
        help='how long the guests leave a ring alone that gave no whole burst (3000)')
    add('--ring', type=int, default=256, help='descriptors per guest ring (256)')
    add('--ring-mode', choices=RING_MODES, default='packed', help='guest rings (packed)')
    add('--both-ways', action='store_true', help='traffic in both directions')
    add('--stations', action='store_true',
        help='an address per flow behind the second port; weir-tree gives each a class')
    add('--switch-listens', action='store_true',
        help='the switch has the listening sockets (dpdkvhostuser), the guests connect')
    add('--latency-load', type=float, metavar='SHARE',
        help='also measure latency at this share of each arm\'s own rate, e.g. 0.5')
    add('--latency-pps', type=int, metavar='PPS',
        help='also measure latency at this rate, the same for all arms')
    add('--max-stall-us', type=float, default=1000,
        help='a slice with a longer stall is not used (1000)')
    add('--min-clean', type=float, default=0.5,
        help='a run with a smaller share of usable slices is not used (0.5)')
    add('--min-slack', type=float, default=0.05,
        help='a run in which the peer idles less is not used (0.05)')
    add('--min-speed', type=float, default=0.93,
        help='a run in which a core computes slower than this share of its best is not '
        'used (0.93)')
    add('--max-spread', type=float, default=0.25,
        help='two runs of an arm in a block that differ more are not used (0.25)')
    add('--peer-core', type=int, default=0, help='core of the guests and of all else (0)')
    add('--switch-core', type=int, default=1, help='core of the switch worker (1)')
    add('--hugepages', type=int, default=1024, help='free 2 MiB pages wanted (1024)')
    add('--urgent', action='store_true',
        help='take the cores from other sessions while a run lasts')
    add('--seed', type=int, help='of the random order')
    add('--json', metavar='FILE', help='write every run to FILE')
    add('--keep', action='store_true', help='keep the run directories (/tmp/vv-*)')
    return parser


def numbers(parser, text, low, high, name):
    try:
        values = [int(word) for word in text.split(',')]
    except ValueError:
        parser.error(f'{name}: {text!r} is not a list of numbers')
    for value in values:
        if not low <= value <= high:
            parser.error(f'{name}: {value} is not between {low} and {high}')
    return values


def arms_of(parser, options):
    if options.arms:
        arms = options.arms.split(',')
    else:
        arms = [arm for arm in ARMS if arm not in ('weir-rule', 'weir-tree')
                and (options.weir or not arm.startswith('weir'))]
    for arm in arms:
        if arm not in ARMS:
            parser.error(f'--arms: {arm!r} is none of {", ".join(ARMS)}')
        if arm == 'weir-tree' and not options.stations:
            parser.error('--arms: weir-tree needs --stations')
        if arm.startswith('weir') and not options.weir:
            parser.error(f'--arms: {arm} needs --weir')
    if len(set(arms)) != len(arms):
        parser.error('--arms: an arm is named twice')
    return arms


def setup_of(options, size, flows):
    return Setup(
        programs=options.programs, weir=options.weir, peer_core=options.peer_core,
        switch_core=options.switch_core, size=size, flows=flows, ring=options.ring,
        ring_mode=options.ring_mode, warmup_ms=int(options.warmup * 1000),
        measure_ms=int(options.seconds * 1000), slice_ms=options.slice_ms,
        poll_gap_ns=options.poll_gap_ns,
        max_stall_us=options.max_stall_us, min_clean=options.min_clean,
        min_slack=options.min_slack, min_speed=options.min_speed, hugepages=options.hugepages,
        both_ways=options.both_ways, stations=options.stations, switch_listens=options.switch_listens,
        urgent=options.urgent, keep=options.keep)


def measure_patiently(arm, setup, retries, **how):
    """A run, repeated if it says nothing; None if the switch gave no traffic at all."""
    run = None
    for _ in range(retries + 1):
        try:
            run = measure(arm, setup, **how)
        except SwitchError as error:
            print(f'  {arm:<12} {error}', flush=True)
            continue
        print('  ' + run.describe(), flush=True)
        if not run.problems:
            break
    return run


def one_block(arms, setup, options, rng):
    """arm -> its two runs; the second half mirrors the first, so that a slow drift of the
    machine cancels."""
    order = rng.sample(arms, len(arms))
    runs = {arm: [] for arm in arms}
    for arm in order + order[::-1]:
        runs[arm].append(measure_patiently(arm, setup, options.retries))
    return runs


def usable(pair, max_spread):
    if any(run is None or run.problems for run in pair):
        return False
    low, high = sorted(run.cycles for run in pair)
    return high <= low * (1 + max_spread)


def latency_runs(arms, setup, options, blocks):
    """arm -> one run at part load."""
    runs = {}
    for arm in arms:
        rate = options.latency_pps
        if options.latency_load:
            good = [run.mpps for block in blocks for run in block[arm]
                    if run and not run.problems]
            rate = int(statistics.median(good) * 1e6 * options.latency_load) if good else 0
            if options.both_ways:
                rate //= 2
        if rate:
            runs[arm] = measure_patiently(arm, setup, options.retries, rate_pps=rate,
                                          latency=True)
    return runs


def ratios(blocks, arm, base, max_spread):
    """One ratio per block in which both arms are usable."""
    found = []
    for block in blocks:
        if usable(block[arm], max_spread) and usable(block[base], max_spread):
            found.append(statistics.mean(run.cycles for run in block[arm])
                         / statistics.mean(run.cycles for run in block[base]))
    return found


def null_ratios(blocks, arm, max_spread):
    """Second run over first run of one and the same arm: what chance alone does."""
    return [block[arm][1].cycles / block[arm][0].cycles for block in blocks
            if usable(block[arm], max_spread)]


def summary(values):
    if not values:
        return '-'
    return f'{statistics.median(values):.3f} ({min(values):.3f}..{max(values):.3f})'


def print_table(arms, blocks, options):
    bases = [base for base in BASES if base in arms]
    spread = options.max_spread
    heads = ['arm', 'blocks', 'cycles/packet', 'Mpps', 'loss', 'slack',
             *[f'/ {base}' for base in bases], 'null (run 2 / run 1)']
    rows = [heads]
    for arm in arms:
        good = [run for block in blocks if usable(block[arm], spread) for run in block[arm]]
        if good:
            cycles = [run.cycles for run in good]
            row = [f'{statistics.median(cycles):.0f} ({min(cycles):.0f}..{max(cycles):.0f})',
                   f'{statistics.median(run.mpps for run in good):.3f}',
                   f'{statistics.median(run.loss for run in good):.3%}',
                   f'{statistics.median(run.slack for run in good):.0%}']
        else:
            row = ['-'] * 4
        rows.append([arm, f'{len(good) // 2}/{len(blocks)}', *row,
                     *[summary(ratios(blocks, arm, base, spread)) if base != arm else ''
                       for base in bases],
                     summary(null_ratios(blocks, arm, spread))])
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_latency(runs):
    for arm, run in runs.items():
        if run:
            points = '  '.join(f'{name} {value:.1f}' for name, value in
                               run.latency_us.items())
            print(f'{arm:<12} latency at {run.mpps:.3f} Mpps, us: {points}'
                  + ('' if not run.problems else f'  [{"; ".join(run.problems)}]'))


def compare(arms, setup, options, rng):
    """All blocks of one frame size and number of flows; returns what --json stores."""
    print(f'== {setup.size} bytes, {setup.flows} flows', flush=True)
    blocks = []
    for number in range(options.blocks):
        print(f'block {number + 1} of {options.blocks}', flush=True)
        blocks.append(one_block(arms, setup, options, rng))
    latency = {}
    if options.latency_load or options.latency_pps:
        print('latency', flush=True)
        latency = latency_runs(arms, setup, options, blocks)
    print()
    print_table(arms, blocks, options)
    print_latency(latency)
    print(flush=True)

    def plain(run):
        return run and dataclasses.asdict(run)
    return {'size': setup.size, 'flows': setup.flows,
            'blocks': [{arm: [plain(run) for run in pair] for arm, pair in block.items()}
                       for block in blocks],
            'latency': {arm: plain(run) for arm, run in latency.items()}}


def main():
    parser = option_parser()
    options = parser.parse_args()
    arms = arms_of(parser, options)
    sizes = numbers(parser, options.sizes, 64, 1514, '--sizes')
    flow_counts = numbers(parser, options.flows, 1, 1 << 24, '--flows')
    for name in ('vv_peer', 'core_speed'):
        if not os.access(os.path.join(options.programs, name), os.X_OK):
            parser.error(f'--programs: {options.programs} has no program {name}')
    if options.peer_core == options.switch_core:
        parser.error('--peer-core and --switch-core are the same')
    # End by exception, so that what runs is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    rng = random.Random(seed)
    print(f'seed {seed}, load average {os.getloadavg()[0]:.2f}')
    results = []
    try:
        # Learn what full speed is before the first run is judged by it.
        speed = CoreSpeed(setup_of(options, sizes[0], flow_counts[0]))
        print('core speed ' + ' '.join(f'{speed.share():.0%}' for _ in range(10)))
        for size in sizes:
            for flows in flow_counts:
                results.append(compare(arms, setup_of(options, size, flows), options, rng))
    except KeyboardInterrupt:
        sys.exit('interrupted')
    finally:
        if options.json and results:
            with open(options.json, 'w', encoding='utf-8') as file:
                json.dump({'seed': seed, 'options': vars(options), 'results': results},
                          file, indent=1)


if __name__ == '__main__':
    main()
