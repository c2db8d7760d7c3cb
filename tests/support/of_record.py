#!/usr/bin/env python3
"""of_record.py - makes tests/unit/of_vectors.txt anew: OpenFlow messages as Debian's
ovs-ofctl and ovs-vswitchd exchange them through a recording relay, and as os-ken writes
them. Needs both packages, no root; the tests themselves need neither.

  /usr/bin/python3 of_record.py >raw && of_msg_test mark <raw >of_vectors.txt

One line per message: hex, '#', what ovs-ofctl ofp-print says of it; the second program puts
the kind and whether it writes the same bytes in front: look at what changes there. Messages
that say nothing new (same version, kind and length) are left out."""
import collections
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

VERSIONS = {'OpenFlow1%d' % i: i + 1 for i in range(6)}
SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
PACKET = ('50540000000a50540000000b080045000028000000004006f97cc0a80001'
          'c0a8000204d2005000000001000000025010200011220000')


class Relay:
    """Listens on a socket, connects each caller to another, remembers all messages."""

    def __init__(self, path, target, messages):
        self.path, self.target, self.messages = path, target, messages
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            caller, _ = self.listener.accept()
            switch = socket.socket(socket.AF_UNIX)
            switch.connect(self.target)
            for a, b in ((caller, switch), (switch, caller)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        data = b''
        while True:
            try:
                got = a.recv(65536)
                b.sendall(got)
            except OSError:
                got = b''
            if not got:
                for s in (a, b):
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                return
            data += got
            while len(data) >= 8 and len(data) >= (data[2] << 8 | data[3]):
                n = data[2] << 8 | data[3]
                self.messages.append(data[:n])
                data = data[n:]


class Switch:
    """Debian's daemons over a dummy datapath in a private folder."""

    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder,
                        OVS_DBDIR=folder, OVS_SYSCONFDIR=folder)
        self.daemons = []

    def run(self, *args, **kwargs):
        return subprocess.run(args, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **kwargs)

    def start(self):
        db, sock = self.folder + '/conf.db', self.folder + '/db.sock'
        self.run('ovsdb-tool', 'create', db, SCHEMA, check=True)
        self.spawn('ovsdb-server', db, '--remote=punix:' + sock)
        time.sleep(1)
        self.vsctl('--no-wait', 'init')
        self.spawn('ovs-vswitchd', 'unix:' + sock, '--enable-dummy',
                   '--unixctl=' + self.folder + '/ctl')
        self.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0',
                   'datapath_type=dummy', 'fail_mode=secure',
                   'other-config:datapath-id=00000000000000aa',
                   'protocols=' + ','.join(VERSIONS))
        for i in (1, 2):
            self.vsctl('add-port', 'br0', 'p%d' % i, '--', 'set', 'interface', 'p%d' % i,
                       'type=dummy', 'ofport_request=%d' % i)

    def spawn(self, *args):
        self.daemons.append(subprocess.Popen(args, env=self.env, cwd=self.folder,
                                             stderr=subprocess.DEVNULL))

    def vsctl(self, *args):
        self.run('ovs-vsctl', '--db=unix:' + self.folder + '/db.sock', '--timeout=20',
                 *args, check=True)

    def appctl(self, *args):
        self.run('ovs-appctl', '-t', self.folder + '/ctl', *args)

    def stop(self):
        for daemon in self.daemons:
            daemon.terminate()
            daemon.wait()


ANY = '''
add-flow table=0,priority=7,in_port=1,actions=output:2
add-flow cookie=0x1234,idle_timeout=60,hard_timeout=100,priority=100,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=mod_dl_dst:00:11:22:33:44:55,output:2
add-flow send_flow_rem,check_overlap,priority=9,udp,tp_dst=53,actions=normal
add-flow priority=3,reg0=5,ct_state=+trk,actions=resubmit(,3)
add-flow table=3,priority=3,ip,actions=ct(commit,zone=5,nat(src=10.0.0.1)),load:5->NXM_NX_REG1[],controller(userdata=01.02.03)
add-flow priority=4,ipv6,ipv6_src=fe80::/10,actions=learn(table=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
mod-flows cookie=0x1234/-1,priority=8,in_port=1,actions=drop
mod-flows --strict priority=7,in_port=1,actions=flood
dump-flows
dump-flows in_port=1
dump-flows cookie=0x1234/-1,table=0,out_port=2
dump-aggregate
dump-aggregate tcp
del-flows udp
del-flows --strict priority=7,in_port=1
del-flows out_port=2
show
dump-desc
dump-tables
dump-ports
dump-ports 1
dump-ports-desc
dump-ports-desc 1
queue-stats
queue-get-config
queue-get-config 1
mod-port p1 no-forward
mod-port p1 forward
set-frags drop
get-frags
probe
ping
packet-out in_port=1,packet=%s,actions=output:2
packet-out in_port=controller,packet=%s,actions=controller(max_len=64)
dump-tlv-map
add-tlv-map {class=0xffff,type=0,len=4}->tun_metadata0
dump-tlv-map
del-tlv-map
ct-flush-zone 5
ct-flush zone=5 ct_nw_src=10.0.0.1,ct_nw_proto=6
add-group group_id=1,type=all,bucket=output:1,bucket=output:2
add-group group_id=2,type=select,bucket=weight:3,output:1,bucket=weight:5,watch_port:2,output:2
add-group group_id=3,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2
mod-group group_id=1,type=indirect,bucket=output:2
--may-create mod-group group_id=9,type=indirect,bucket=output:2
dump-groups
dump-groups 2
dump-group-stats
dump-group-features
insert-buckets group_id=2,command_bucket_id=last,bucket=bucket_id:7,output:2
remove-buckets group_id=2,command_bucket_id=0
add-flow in_port=2,actions=group:1
del-groups group_id=1
del-groups
''' % (PACKET, PACKET)
FROM_11 = '''
add-flow table=1,in_port=2,actions=write_actions(output:1),write_metadata:0x5/0xff,goto_table:2
dump-flows
mod-table 3 controller
mod-table 3 drop
'''
FROM_13 = '''
add-meter meter=1,kbps,burst,stats,bands=type=drop,rate=100,burst_size=20
add-meter meter=2,pktps,bands=type=drop,rate=10
add-meter meter=3,kbps,bands=type=dscp_remark,rate=10,prec_level=2
mod-meter meter=2,pktps,bands=type=drop,rate=20
add-flow in_port=2,actions=meter:1,output:1
dump-meters
dump-meter meter=1
meter-stats
meter-stats meter=1
meter-features
del-meter meter=1
del-meters
dump-table-features
bundle BUNDLE
--bundle add-flow importance=5,in_port=2,actions=drop
'''
FROM_14 = '''
add-flow importance=7,in_port=2,actions=output:1
dump-flows
mod-table 3 evict
mod-table 3 vacancy:20,80
dump-table-desc
mod-table 3 noevict
'''
FROM_15 = '''
add-group group_id=4,type=select,selection_method=hash,fields(ip_dst,tcp_src=0xff),bucket=bucket_id:1,weight:3,output:1
add-group group_id=5,type=select,selection_method=dp_hash,selection_method_param=3,bucket=bucket_id:1,output:1
insert-buckets group_id=4,command_bucket_id=last,bucket=bucket_id:7,watch_port:1,output:2
remove-buckets group_id=4,command_bucket_id=1
dump-groups 4
dump-groups
add-flow in_port=1,actions=set_field:5/0xff->reg0,move:NXM_OF_IN_PORT[]->NXM_NX_REG1[0..15],group:4
dump-flows
'''
BUNDLE = '''flow add table=7,in_port=1,actions=drop
flow delete table=7
group add group_id=77,type=all,bucket=output:1
packet-out in_port=1,packet=%s,actions=output:2
''' % PACKET


def scripts(number):
    text = ANY
    for least, more in ((2, FROM_11), (4, FROM_13), (5, FROM_14), (6, FROM_15)):
        if number >= least:
            text += more
    return [line for line in text.splitlines() if line]


def watch(switch, version, folder, relay, options):
    """A monitor, and something to see."""
    arguments = ['ovs-ofctl', '-O', version, 'monitor', relay, *options]
    monitor = subprocess.Popen(arguments, env=switch.env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(0.4)
    mgmt = 'unix:%s/br0.mgmt' % folder
    for command in (['del-flows', mgmt],
                    ['add-flow', mgmt, 'send_flow_rem,priority=5,cookie=0x99,in_port=1,ip,'
                     'actions=controller(max_len=64),set_field:7->reg3,'
                     'controller(userdata=01.02,pause),output:2'],
                    ['add-flow', mgmt, 'send_flow_rem,in_port=2,ip,idle_timeout=77,'
                     'actions=controller'],
                    ['mod-flows', mgmt, 'in_port=2,ip,actions=drop']):
        switch.run('ovs-ofctl', '-O', 'OpenFlow13', *command)
    switch.appctl('netdev-dummy/receive', 'p1', PACKET)
    switch.appctl('netdev-dummy/set-admin-state', 'p2', 'down')
    switch.appctl('netdev-dummy/set-admin-state', 'p2', 'up')
    time.sleep(0.2)
    switch.run('ovs-ofctl', 'del-flows', mgmt)
    switch.run('ovs-ofctl', '-O', 'OpenFlow14', 'mod-table', mgmt, '3', 'vacancy:20,80')
    time.sleep(0.3)
    monitor.terminate()
    monitor.wait()


def record(folder):
    switch = Switch(folder)
    messages = []
    try:
        switch.start()
        path = folder + '/relay'
        Relay(path, folder + '/br0.mgmt', messages)
        with open(folder + '/bundle', 'w') as file:
            file.write(BUNDLE)
        relay = 'unix:' + path
        for version, number in VERSIONS.items():
            for line in scripts(number):
                words = line.split(' ')
                options = []
                while words[0].startswith('--'):
                    options.append(words.pop(0))
                if len(words) > 1 and words[1].startswith('--'):
                    options.append(words.pop(1))
                words = [folder + '/bundle' if w == 'BUNDLE' else w for w in words]
                out = switch.run('ovs-ofctl', '-O', version, *options, words[0], relay,
                                 *words[1:])
                if out.returncode:
                    print(version, line, '->', out.stdout.strip().splitlines()[:1],
                          file=sys.stderr)
            if number == 1:
                for form in ('openflow10', 'nxm'):
                    for line in scripts(1)[:17]:
                        words = line.split(' ')
                        extra = [words.pop(1)] if words[1:2] == ['--strict'] else []
                        switch.run('ovs-ofctl', '-F', form + '+table_id', *extra,
                                   words[0], relay, *words[1:])
            for form in ('standard', 'nxt_packet_in', 'nxt_packet_in2'):
                watch(switch, version, folder, relay, ['64', '-P', form, 'resume'])
            watch(switch, version, folder, relay, ['watch:'])
            watch(switch, version, folder, relay,
                  ['watch:!initial,!own,table=0,in_port=1', 'invalid_ttl'])
    finally:
        switch.stop()
    return messages


def key(message):
    """What a message is as far as its bytes say it at the usual places."""
    version, kind = message[0], message[1]
    if kind == 4:
        return version, kind, message[8:16]
    if kind in (16, 17, 18, 19) and version == 1 or kind in (18, 19) and version > 1:
        head = 12 if version == 1 else 16
        if message[8:10] == b'\xff\xff':
            return version, kind, message[head:head + 8]
        return version, kind, message[8:10]
    return version, kind, b''


def shorten(message):
    """Of the features of tables, which are alike and long, the first one's."""
    if message[0] >= 4 and message[1] == 19 and message[8:10] == b'\x00\x0c':
        n = 16 + struct.unpack('!H', message[16:18])[0] if len(message) > 16 else 16
        message = message[:2] + struct.pack('!H', n) + message[4:n]
    return message


def wanted(messages, most_bytes=1600, most_each=12):
    seen, count = set(), collections.Counter()
    for message in map(shorten, messages):
        k = key(message)
        if (k, len(message)) in seen or count[k] >= most_each:
            continue
        if len(message) > most_bytes and count[k]:
            continue
        seen.add((k, len(message)))
        count[k] += 1
        yield message


def describe(message):
    out = subprocess.run(['ovs-ofctl', 'ofp-print', message.hex()], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return ' '.join(out.stdout.split('\n')[0].split())[:160]


def main():
    import of_osken
    folder = tempfile.mkdtemp()
    try:
        messages = record(folder)
    finally:
        shutil.rmtree(folder)
    messages += of_osken.messages()
    chosen = sorted(wanted(messages), key=lambda m: (key(m), len(m), m))
    for message in chosen:
        print(message.hex(), '#', describe(message))


if __name__ == '__main__':
    main()
