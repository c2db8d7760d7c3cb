"""of_osken.py - OpenFlow messages that Debian's programs do not send, as python3-os-ken
writes them, and a few of Nicira's by hand. For of_record.py."""
import importlib
import struct

# By hand, after the numbers in nicira-ext; ovs-ofctl ofp-print agrees.
BY_HAND = '''
01040014000000010000232000000 00a00000001
01040014000000010000232000000 00b00000002
010400180000000100002320000000140000000000000007
01040014000000010000232000000 00c00000002
010400140000000100002320000000 1000000002
010400180000000100002320000000 0f0100000000000000
0104002800000001000023200000001300000007000000030000000700000000 0000000300000000
0104003000000001000023200000001b 0000000800000005 0001000800000007 0002000800000003 0003000800000007
0404003000000001000023200000001b 0000000800000005 0001000800000007 0002000800000003 0009000800000008
0104001000000001000023200000 0016
0104001000000001000023200000 0017
0104001400000001000023200000 001500000009
040400100000000 14f4e46000000074f
040400140000000 14f4e46000000074e00000009
0101001400000001b0c2000000002320 00010200 01020304
0401001800000001ffff08fc4f4e4600 0102030405060708
0110001000000001000d0000
01100014000000010003 0000
'''


def by_hand():
    for line in BY_HAND.strip().splitlines():
        data = bytes.fromhex(line.replace(' ', ''))
        yield data[:2] + struct.pack('!H', len(data)) + data[4:]


class Datapath:  # what os-ken's messages ask of a connection
    def __init__(self, number):
        name = 'os_ken.ofproto.ofproto_v1_%d' % number
        self.ofproto = importlib.import_module(name)
        self.ofproto_parser = importlib.import_module(name + '_parser')


def basics(dp):
    p = dp.ofproto_parser
    yield p.OFPHello(dp)
    yield p.OFPEchoRequest(dp, b'hello')
    yield p.OFPEchoReply(dp, b'hello')
    yield p.OFPFeaturesRequest(dp)
    yield p.OFPGetConfigRequest(dp)
    yield p.OFPSetConfig(dp, 3, 128)
    yield p.OFPBarrierRequest(dp)
    yield p.OFPErrorMsg(dp, 1, 6, b'12345678')


def roles(dp):
    p = dp.ofproto_parser
    for role, generation in ((0, 0), (1, 0), (2, 5), (3, 7)):
        if dp.ofproto.OFP_VERSION >= 6:
            yield p.OFPRoleRequest(dp, role, 4, generation)
        else:
            yield p.OFPRoleRequest(dp, role, generation)


def asyncs(dp):
    p = dp.ofproto_parser
    yield p.OFPGetAsyncRequest(dp)
    if dp.ofproto.OFP_VERSION == 4:
        yield p.OFPSetAsync(dp, [7, 1], [3, 4], [15, 2])
        return
    properties = [p.OFPAsyncConfigPropReasons(i, 8, 1) for i in (0, 1, 2, 3, 5, 10)]
    yield p.OFPSetAsync(dp, properties)


def rules(dp):
    o, p = dp.ofproto, dp.ofproto_parser
    match = p.OFPMatch(in_port=1, eth_type=0x800, ipv4_dst=('10.0.0.0', '255.0.0.0'),
                       ip_proto=17, udp_dst=53)
    actions = [p.OFPActionSetField(eth_src='00:11:22:33:44:55'), p.OFPActionOutput(3, 0),
               p.OFPActionOutput(o.OFPP_CONTROLLER, 65535)]
    instructions = [p.OFPInstructionActions(o.OFPIT_APPLY_ACTIONS, actions),
                    p.OFPInstructionGotoTable(7)]
    yield p.OFPFlowMod(dp, cookie=5, cookie_mask=0, table_id=2, command=0,
                       idle_timeout=10, hard_timeout=20, priority=99, buffer_id=o.OFP_NO_BUFFER,
                       out_port=o.OFPP_ANY, out_group=o.OFPG_ANY, flags=1, match=match,
                       instructions=instructions)
    yield p.OFPFlowMod(dp, cookie=5, cookie_mask=255, table_id=255, command=3,
                       priority=0, out_port=4, out_group=6, match=match,
                       buffer_id=o.OFP_NO_BUFFER, instructions=[])
    if o.OFP_VERSION < 6:
        yield p.OFPPacketOut(dp, o.OFP_NO_BUFFER, o.OFPP_CONTROLLER, actions[1:], b'x' * 60)
        yield p.OFPFlowStatsRequest(dp, 0, 3, o.OFPP_ANY, o.OFPG_ANY, 1, 3, match)
    else:
        yield p.OFPPacketOut(dp, o.OFP_NO_BUFFER, p.OFPMatch(in_port=6, metadata=9),
                             actions[1:], b'x' * 60)
        yield p.OFPFlowStatsRequest(dp, 0, 3, o.OFPP_ANY, o.OFPG_ANY, 1, 3, match)
        yield p.OFPFlowDescStatsRequest(dp, 0, 3, o.OFPP_ANY, o.OFPG_ANY, 1, 3, match)
    yield p.OFPAggregateStatsRequest(dp, 0, 3, o.OFPP_ANY, o.OFPG_ANY, 1, 3, match)


def tables(dp):
    p = dp.ofproto_parser
    features = []
    for table in (0, 1):
        instruction = p.OFPTableFeaturePropInstructions(
            type_=0, instruction_ids=[p.OFPInstructionId(1), p.OFPInstructionId(4)])
        actions = p.OFPTableFeaturePropActions(
            type_=6, action_ids=[p.OFPActionId(0), p.OFPActionId(25)])
        fields = p.OFPTableFeaturePropOxm(
            type_=8, oxm_ids=[p.OFPOxmId('in_port'), p.OFPOxmId('eth_dst', hasmask=True)])
        arguments = dict(table_id=table, name=b'table', metadata_match=3,
                         metadata_write=5, max_entries=1000,
                         properties=[instruction, actions, fields])
        if dp.ofproto.OFP_VERSION >= 6:
            arguments.update(command=1, features=1, capabilities=4)
        else:
            arguments.update(config=0)
        features.append(p.OFPTableFeaturesStats(**arguments))
    yield p.OFPTableFeaturesStatsRequest(dp, 0, features)
    yield p.OFPTableFeaturesStatsRequest(dp, 1, [])


def meters(dp):
    p = dp.ofproto_parser
    bands = [p.OFPMeterBandDrop(100, 10), p.OFPMeterBandDscpRemark(200, 20, 2)]
    yield p.OFPMeterMod(dp, 0, 5, 3, bands)
    yield p.OFPMeterMod(dp, 2, 0, 0xffffffff, [])
    yield p.OFPMeterStatsRequest(dp, 0, 3)
    yield p.OFPMeterFeaturesStatsRequest(dp, 0)


def groups(dp):
    o, p = dp.ofproto, dp.ofproto_parser
    if o.OFP_VERSION >= 6:
        properties = [p.OFPGroupBucketPropWeight(weight=9, length=8, type_=0),
                      p.OFPGroupBucketPropWatch(watch=3, length=8, type_=1)]
        buckets = [p.OFPBucket(bucket_id=1, actions=[p.OFPActionOutput(2)],
                               properties=properties)]
        yield p.OFPGroupMod(dp, 0, 1, 50, 0xffffffff, buckets)
        yield p.OFPGroupMod(dp, 3, 1, 50, 0xfffffffe, buckets)
        yield p.OFPGroupDescStatsRequest(dp, 0, 50)
        return
    buckets = [p.OFPBucket(5, o.OFPP_ANY, o.OFPG_ANY, [p.OFPActionOutput(2)])]
    yield p.OFPGroupMod(dp, 0, 1, 50, buckets)
    yield p.OFPGroupDescStatsRequest(dp, 0)


def since_14(dp):
    o, p = dp.ofproto, dp.ofproto_parser
    yield p.OFPTableMod(dp, 3, 4, [p.OFPTableModPropEviction(length=8, type_=2, flags=1)])
    yield p.OFPPortMod(dp, 3, '00:11:22:33:44:55', 1, 1,
                       [p.OFPPortModPropEthernet(type_=0, length=8,
                                              advertise=0x2000)])
    yield p.OFPTableDescStatsRequest(dp, 0)
    yield p.OFPQueueDescStatsRequest(dp, 0, 3, 4)
    yield p.OFPFlowMonitorRequest(dp, 0, 9, o.OFPP_ANY, o.OFPG_ANY, 0x17, 255, 0,
                                  p.OFPMatch(in_port=4))
    yield p.OFPBundleCtrlMsg(dp, 7, 0, 3, [])
    inner = p.OFPBarrierRequest(dp)
    yield p.OFPBundleAddMsg(dp, 7, 1, inner, [])


# Replies that Debian's switch does not give, by hand after the specifications.
REPLIES = {
    1: ['{1}0011 0005 0000 0001 0000 00000003 0000000000000111 0000000000000022 '
        '0000000000000001 fffe 0000 00000004 0000000000000005 0000000000000006 '
        '0000000000000007',
        '{1}0015 0001 000000000000 00000005 0018 0000 0001 0010 00000000 01f4 000000000000'],
    2: ['{2}0013 0005 0000 00000000 00000001 00000003 0000000000000111 0000000000000022 '
        '0000000000000001',
        '{2}0017 00000001 00000000 00000005 0018 0000 0001 0010 00000000 01f4 000000000000',
        '{2}0001 b0c2 0000 00002320 0001 0102 01020304'],
    3: ['{3}0019 00000002 00000000 0000000000000009',
        '{3}0017 00000001 00000000 00000005 00000001 0020 000000000000 '
        '0001 0010 00000000 01f4 000000000000'],
    4: ['{4}0019 00000002 00000000 0000000000000009',
        '{4}0019 00000001 00000000 ffffffffffffffff',
        '{4}0013 0005 0000 00000000 00000001 00000003 0000000000000111 0000000000000022 '
        '0000000000000001 00000009 00000008',
        '{4}0013 0009 0000 00000000 00000003 0038 000000000000 00000002 0000000000000111 '
        '0000000000000022 00000009 00000008 0000000000000011 0000000000000012',
        '{4}001b 00000007000000010000000300000002 0000000f00000001',
        '{4}0017 00000001 00000000 00000005 00000001 0030 000000000000 '
        '0001 0010 00000000 01f4 000000000000 0002 0010 00000000 03e8 000000000000'],
    5: ['{5}0019 00000003 00000000 0000000000000009',
        '{5}0013 0005 0000 00000000 0030 000000000000 00000001 00000003 0000000000000111 '
        '0000000000000022 0000000000000001 00000009 00000008',
        '{5}0013 0010 0000 00000000 0008 0004 00000055 0008 0005 00000000 0008 0006 00000000',
        '{5}001b 0000 0008 00000005 0001 0008 00000007 0008 0008 00000003',
        '{5}001e 00000003 01 000000 0000000000000009',
        '{5}001f 03 00000000000000 0018 05 00 0000000c 0002 0008 00000001 0003 0008 14 50 2d 00',
        '{5}0020 06 10 0010 00000000 0000 00 00 00000000',
        '{5}0013 000f 0000 00000000 00000001 00000002 0020 000000000000 '
        '0001 0008 01f4 0000 0002 0008 03e8 0000'],
    6: ['{6}0019 00000003 ffff 0000 0000000000000009',
        '{6}0013 0005 0000 00000000 0030 000000000000 00000001 00000003 0000000000000111 '
        '0000000000000022 0000000000000001 00000009 00000008',
        '{6}0018 00000002 0004 0000 0000000000000009',
        '{6}0023 0010 0003 00000002 01 01 000000000000',
        '{6}0013 0011 0000 00000000 0038 0000 0500 0064 0001 000c 80000004 00000001 00000000'
        ' 0000 001c 80020808 0000000000000007 80020a08 0000000000000190 00000000',
        '{6}0012 0013 0000 00000000 00000000 00000000',
        '{6}0013 0013 0000 00000000 0003 000000000000',
        '{6}0012 000d 0000 00000000 00000002 00000000',
        '{6}0013 000b 0000 00000000 0000000400000006 0000000f 08 00 0000 00000003 00000000',
        '{6}000b 03 02 0064 000a 0014 0000000000000055 0001 000c 80000004 00000001 00000000'
        ' 0000 0028 80020008 0000000500000009 80020808 0000000000000007 80020a08 '
        '0000000000000190'],
}


def replies():
    for version, texts in REPLIES.items():
        for text in texts:
            kind, body = text[3:].split(' ', 1)
            body = bytes.fromhex(body.replace(' ', ''))
            yield struct.pack('!BBHI', version, int(kind, 16), 8 + len(body), 1) + body


def messages():
    out = list(by_hand()) + list(replies())
    for number in (0, 2, 3, 4, 5):
        dp = Datapath(number)
        makers = [basics]
        if number >= 2:
            makers += [roles]
        if number >= 3:
            makers += [rules, groups, asyncs, tables, meters]
        if number >= 4:
            makers += [since_14]
        for maker in makers:
            for message in maker(dp):
                message.xid = 1
                message.serialize()
                out.append(bytes(message.buf))
    return out
