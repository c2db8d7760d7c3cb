/* of_error.c - errors on their way up, and their numbers and names in each version, 1.0's
 * through Nicira's extension where it has none. No state, any thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "openflow/of.h"
#include "openflow/of_wire.h"

/* A version's numbers in one word: whose they are, type, code. */
enum { WHOSE_NOBODY, WHOSE_STANDARD, WHOSE_NICIRA, WHOSE_ONF };

#define PACK(WHOSE, TYPE, CODE) \
	((uint32_t)(WHOSE) << 30 | (uint32_t)(TYPE) << 15 | (uint32_t)(CODE))
#define S(TYPE, CODE) PACK(WHOSE_STANDARD, TYPE, CODE)
#define N(TYPE, CODE) PACK(WHOSE_NICIRA, TYPE, CODE)
#define O(TYPE)       PACK(WHOSE_ONF, TYPE, 0)
#define NONE          0
#define FROM_14(TYPE, CODE)                              \
	{                                                \
		0, 0, 0, 0, S(TYPE, CODE), S(TYPE, CODE) \
	}
#define FROM_13(TYPE, CODE)                                          \
	{                                                            \
		0, 0, 0, S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE) \
	}
#define FROM_12(TYPE, CODE)                                                      \
	{                                                                        \
		0, 0, S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE) \
	}
#define FROM_11(TYPE, CODE)                                                    \
	{                                                                      \
		0, S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE), \
			S(TYPE, CODE)                                          \
	}
#define ALL(TYPE, CODE)                                                     \
	{                                                                   \
		S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE), S(TYPE, CODE), \
			S(TYPE, CODE), S(TYPE, CODE)                        \
	}

/* Source: the specifications 1.0 to 1.5; the extensions as "ovs-ofctl print-error" says.
 */
/* clang-format off */
static const struct {
	const char *name;
	uint32_t numbers[6]; /* 1.0 to 1.5 */
} errors[OFERR_N] = {
	[OFERR_HELLO_INCOMPATIBLE] = {"OFPHFC_INCOMPATIBLE", ALL(0, 0)},
	[OFERR_HELLO_EPERM] = {"OFPHFC_EPERM", ALL(0, 1)},
	[OFERR_BAD_REQUEST_VERSION] = {"OFPBRC_BAD_VERSION", ALL(1, 0)},
	[OFERR_BAD_REQUEST_TYPE] = {"OFPBRC_BAD_TYPE", ALL(1, 1)},
	[OFERR_BAD_REQUEST_MULTIPART] = {"OFPBRC_BAD_STAT", ALL(1, 2)},
	[OFERR_BAD_REQUEST_EXPERIMENTER] = {"OFPBRC_BAD_VENDOR", ALL(1, 3)},
	[OFERR_BAD_REQUEST_EXP_TYPE] = {"OFPBRC_BAD_SUBTYPE", ALL(1, 4)},
	[OFERR_BAD_REQUEST_EPERM] = {"OFPBRC_EPERM", ALL(1, 5)},
	[OFERR_BAD_REQUEST_LEN] = {"OFPBRC_BAD_LEN", ALL(1, 6)},
	[OFERR_BAD_REQUEST_BUFFER_EMPTY] = {"OFPBRC_BUFFER_EMPTY", ALL(1, 7)},
	[OFERR_BAD_REQUEST_BUFFER_UNKNOWN] = {"OFPBRC_BUFFER_UNKNOWN", ALL(1, 8)},
	[OFERR_BAD_REQUEST_TABLE_ID] = {"OFPBRC_BAD_TABLE_ID", {N(1, 512), S(1, 9), S(1, 9), S(1, 9), S(1, 9), S(1, 9)}},
	[OFERR_BAD_REQUEST_IS_SLAVE] = {"OFPBRC_IS_SECONDARY", {S(1, 5), S(1, 5), S(1, 10), S(1, 10), S(1, 10), S(1, 10)}},
	[OFERR_BAD_REQUEST_PORT] = {"OFPBRC_BAD_PORT", {N(1, 514), N(1, 514), S(1, 11), S(1, 11), S(1, 11), S(1, 11)}},
	[OFERR_BAD_REQUEST_PACKET] = {"OFPBRC_BAD_PACKET", {S(1, 6), S(1, 6), S(1, 12), S(1, 12), S(1, 12), S(1, 12)}},
	[OFERR_BAD_REQUEST_MULTIPART_OVERFLOW] = {"OFPBRC_MULTIPART_BUFFER_OVERFLOW", FROM_13(1, 13)},
	[OFERR_BAD_REQUEST_PIPELINE_FIELDS_ONLY] = {"OFPBRC_PIPELINE_FIELDS_ONLY", {NONE, NONE, NONE, NONE, NONE, S(1, 17)}},
	[OFERR_BAD_ACTION_TYPE] = {"OFPBAC_BAD_TYPE", ALL(2, 0)},
	[OFERR_BAD_ACTION_LEN] = {"OFPBAC_BAD_LEN", ALL(2, 1)},
	[OFERR_BAD_ACTION_EXPERIMENTER] = {"OFPBAC_BAD_VENDOR", ALL(2, 2)},
	[OFERR_BAD_ACTION_EXP_TYPE] = {"OFPBAC_BAD_VENDOR_TYPE", ALL(2, 3)},
	[OFERR_BAD_ACTION_OUT_PORT] = {"OFPBAC_BAD_OUT_PORT", ALL(2, 4)},
	[OFERR_BAD_ACTION_ARGUMENT] = {"OFPBAC_BAD_ARGUMENT", ALL(2, 5)},
	[OFERR_BAD_ACTION_EPERM] = {"OFPBAC_EPERM", ALL(2, 6)},
	[OFERR_BAD_ACTION_TOO_MANY] = {"OFPBAC_TOO_MANY", ALL(2, 7)},
	[OFERR_BAD_ACTION_QUEUE] = {"OFPBAC_BAD_QUEUE", ALL(2, 8)},
	[OFERR_BAD_ACTION_OUT_GROUP] = {"OFPBAC_BAD_OUT_GROUP", {N(2, 9), S(2, 9), S(2, 9), S(2, 9), S(2, 9), S(2, 9)}},
	[OFERR_BAD_ACTION_MATCH_INCONSISTENT] = {"OFPBAC_MATCH_INCONSISTENT", {N(1, 522), S(2, 10), S(2, 10), S(2, 10), S(2, 10), S(2, 10)}},
	[OFERR_BAD_ACTION_UNSUPPORTED_ORDER] = {"OFPBAC_UNSUPPORTED_ORDER", FROM_11(2, 11)},
	[OFERR_BAD_ACTION_TAG] = {"OFPBAC_BAD_TAG", FROM_11(2, 12)},
	[OFERR_BAD_ACTION_SET_TYPE] = {"OFPBAC_BAD_SET_TYPE", {N(1, 523), N(1, 523), S(2, 13), S(2, 13), S(2, 13), S(2, 13)}},
	[OFERR_BAD_ACTION_SET_LEN] = {"OFPBAC_BAD_SET_LEN", {N(1, 524), N(1, 524), S(2, 14), S(2, 14), S(2, 14), S(2, 14)}},
	[OFERR_BAD_ACTION_SET_ARGUMENT] = {"OFPBAC_BAD_SET_ARGUMENT", {N(1, 525), N(1, 525), S(2, 15), S(2, 15), S(2, 15), S(2, 15)}},
	[OFERR_BAD_ACTION_SET_MASK] = {"OFPBAC_BAD_SET_MASK", {NONE, NONE, S(2, 15), O(4250), O(4250), S(2, 16)}},
	[OFERR_BAD_ACTION_METER] = {"OFPBAC_BAD_METER", {NONE, NONE, NONE, NONE, NONE, S(2, 17)}},
	[OFERR_BAD_INSTRUCTION_UNKNOWN] = {"OFPBIC_UNKNOWN_INST", FROM_11(3, 0)},
	[OFERR_BAD_INSTRUCTION_UNSUPPORTED] = {"OFPBIC_UNSUP_INST", {N(2, 257), S(3, 1), S(3, 1), S(3, 1), S(3, 1), S(3, 1)}},
	[OFERR_BAD_INSTRUCTION_TABLE_ID] = {"OFPBIC_BAD_TABLE_ID", FROM_11(3, 2)},
	[OFERR_BAD_INSTRUCTION_METADATA] = {"OFPBIC_UNSUP_METADATA", FROM_11(3, 3)},
	[OFERR_BAD_INSTRUCTION_METADATA_MASK] = {"OFPBIC_UNSUP_METADATA_MASK", FROM_11(3, 4)},
	[OFERR_BAD_INSTRUCTION_EXPERIMENTER] = {"OFPBIC_BAD_EXPERIMENTER", FROM_11(3, 5)},
	[OFERR_BAD_INSTRUCTION_EXP_TYPE] = {"OFPBIC_BAD_EXP_TYPE", {NONE, S(3, 5), S(3, 6), S(3, 6), S(3, 6), S(3, 6)}},
	[OFERR_BAD_INSTRUCTION_LEN] = {"OFPBIC_BAD_LEN", FROM_12(3, 7)},
	[OFERR_BAD_INSTRUCTION_EPERM] = {"OFPBIC_EPERM", FROM_12(3, 8)},
	[OFERR_BAD_INSTRUCTION_DUP] = {"OFPBIC_DUP_INST", {NONE, N(3, 256), O(2600), O(2600), S(3, 9), S(3, 9)}},
	[OFERR_BAD_MATCH_TYPE] = {"OFPBMC_BAD_TYPE", FROM_11(4, 0)},
	[OFERR_BAD_MATCH_LEN] = {"OFPBMC_BAD_LEN", FROM_11(4, 1)},
	[OFERR_BAD_MATCH_TAG] = {"OFPBMC_BAD_TAG", FROM_11(4, 2)},
	[OFERR_BAD_MATCH_DL_MASK] = {"OFPBMC_BAD_DL_ADDR_MASK", FROM_11(4, 3)},
	[OFERR_BAD_MATCH_NW_MASK] = {"OFPBMC_BAD_NW_ADDR_MASK", FROM_11(4, 4)},
	[OFERR_BAD_MATCH_WILDCARDS] = {"OFPBMC_BAD_WILDCARDS", {N(1, 262), S(4, 5), S(4, 5), S(4, 5), S(4, 5), S(4, 5)}},
	[OFERR_BAD_MATCH_FIELD] = {"OFPBMC_BAD_FIELD", {N(0, 263), S(4, 6), S(4, 6), S(4, 6), S(4, 6), S(4, 6)}},
	[OFERR_BAD_MATCH_VALUE] = {"OFPBMC_BAD_VALUE", {N(1, 258), S(4, 7), S(4, 7), S(4, 7), S(4, 7), S(4, 7)}},
	[OFERR_BAD_MATCH_MASK] = {"OFPBMC_BAD_MASK", {N(1, 259), N(1, 259), S(4, 8), S(4, 8), S(4, 8), S(4, 8)}},
	[OFERR_BAD_MATCH_PREREQ] = {"OFPBMC_BAD_PREREQ", {N(1, 260), N(1, 260), S(4, 9), S(4, 9), S(4, 9), S(4, 9)}},
	[OFERR_BAD_MATCH_DUP] = {"OFPBMC_DUP_FIELD", {N(1, 261), N(1, 261), S(4, 10), S(4, 10), S(4, 10), S(4, 10)}},
	[OFERR_BAD_MATCH_EPERM] = {"OFPBMC_EPERM", FROM_12(4, 11)},
	[OFERR_FLOW_MOD_UNKNOWN] = {"OFPFMFC_UNKNOWN", FROM_11(5, 0)},
	[OFERR_FLOW_MOD_TABLE_FULL] = {"OFPFMFC_TABLE_FULL", {S(3, 0), S(5, 1), S(5, 1), S(5, 1), S(5, 1), S(5, 1)}},
	[OFERR_FLOW_MOD_TABLE_ID] = {"OFPFMFC_BAD_TABLE_ID", FROM_11(5, 2)},
	[OFERR_FLOW_MOD_OVERLAP] = {"OFPFMFC_OVERLAP", {S(3, 1), S(5, 3), S(5, 3), S(5, 3), S(5, 3), S(5, 3)}},
	[OFERR_FLOW_MOD_EPERM] = {"OFPFMFC_EPERM", {S(3, 2), S(5, 4), S(5, 4), S(5, 4), S(5, 4), S(5, 4)}},
	[OFERR_FLOW_MOD_EMERGENCY] = {"OFPFMFC_BAD_EMERG_TIMEOUT", {S(3, 3), NONE, NONE, NONE, NONE, NONE}},
	[OFERR_FLOW_MOD_TIMEOUT] = {"OFPFMFC_BAD_TIMEOUT", FROM_11(5, 5)},
	[OFERR_FLOW_MOD_COMMAND] = {"OFPFMFC_BAD_COMMAND", {S(3, 4), S(5, 6), S(5, 6), S(5, 6), S(5, 6), S(5, 6)}},
	[OFERR_FLOW_MOD_FLAGS] = {"OFPFMFC_BAD_FLAGS", {N(3, 258), N(5, 258), S(5, 7), S(5, 7), S(5, 7), S(5, 7)}},
	[OFERR_FLOW_MOD_SYNC] = {"OFPFMFC_CANT_SYNC", FROM_14(5, 8)},
	[OFERR_FLOW_MOD_PRIORITY] = {"OFPFMFC_BAD_PRIORITY", {NONE, NONE, NONE, O(2360), S(5, 9), S(5, 9)}},
	[OFERR_GROUP_MOD_EXISTS] = {"OFPGMFC_GROUP_EXISTS", {N(6, 0), S(6, 0), S(6, 0), S(6, 0), S(6, 0), S(6, 0)}},
	[OFERR_GROUP_MOD_INVALID] = {"OFPGMFC_INVALID_GROUP", {N(6, 1), S(6, 1), S(6, 1), S(6, 1), S(6, 1), S(6, 1)}},
	[OFERR_GROUP_MOD_WEIGHT] = {"OFPGMFC_WEIGHT_UNSUPPORTED", {N(6, 2), S(6, 2), S(6, 2), S(6, 2), S(6, 2), S(6, 2)}},
	[OFERR_GROUP_MOD_OUT_OF_GROUPS] = {"OFPGMFC_OUT_OF_GROUPS", {N(6, 3), S(6, 3), S(6, 3), S(6, 3), S(6, 3), S(6, 3)}},
	[OFERR_GROUP_MOD_OUT_OF_BUCKETS] = {"OFPGMFC_OUT_OF_BUCKETS", {N(6, 4), S(6, 4), S(6, 4), S(6, 4), S(6, 4), S(6, 4)}},
	[OFERR_GROUP_MOD_CHAINING] = {"OFPGMFC_CHAINING_UNSUPPORTED", {N(6, 5), S(6, 5), S(6, 5), S(6, 5), S(6, 5), S(6, 5)}},
	[OFERR_GROUP_MOD_WATCH] = {"OFPGMFC_WATCH_UNSUPPORTED", {N(6, 6), S(6, 6), S(6, 6), S(6, 6), S(6, 6), S(6, 6)}},
	[OFERR_GROUP_MOD_LOOP] = {"OFPGMFC_LOOP", {N(6, 7), S(6, 7), S(6, 7), S(6, 7), S(6, 7), S(6, 7)}},
	[OFERR_GROUP_MOD_UNKNOWN] = {"OFPGMFC_UNKNOWN_GROUP", {N(6, 8), S(6, 8), S(6, 8), S(6, 8), S(6, 8), S(6, 8)}},
	[OFERR_GROUP_MOD_CHAINED] = {"OFPGMFC_CHAINED_GROUP", {N(6, 9), NONE, S(6, 9), S(6, 9), S(6, 9), S(6, 9)}},
	[OFERR_GROUP_MOD_TYPE] = {"OFPGMFC_BAD_TYPE", {N(6, 10), NONE, S(6, 10), S(6, 10), S(6, 10), S(6, 10)}},
	[OFERR_GROUP_MOD_COMMAND] = {"OFPGMFC_BAD_COMMAND", {N(6, 11), NONE, S(6, 11), S(6, 11), S(6, 11), S(6, 11)}},
	[OFERR_GROUP_MOD_BUCKET] = {"OFPGMFC_BAD_BUCKET", {N(6, 12), NONE, S(6, 12), S(6, 12), S(6, 12), S(6, 12)}},
	[OFERR_GROUP_MOD_BAD_BUCKET] = {"OFPGMFC_BAD_BUCKET", {N(6, 12), NONE, S(6, 12), S(6, 12), S(6, 12), S(6, 12)}},
	[OFERR_GROUP_MOD_BUCKET_EXISTS] = {"OFPGMFC_BUCKET_EXISTS", {N(6, 16), NONE, NONE, NONE, NONE, S(6, 16)}},
	[OFERR_GROUP_MOD_UNKNOWN_BUCKET] = {"OFPGMFC_UNKNOWN_BUCKET", {N(6, 15), NONE, NONE, NONE, NONE, S(6, 15)}},
	[OFERR_GROUP_MOD_EPERM] = {"OFPGMFC_EPERM", {N(6, 14), NONE, S(6, 14), S(6, 14), S(6, 14), S(6, 14)}},
	[OFERR_PORT_MOD_BAD_PORT] = {"OFPPMFC_BAD_PORT", {S(4, 0), S(7, 0), S(7, 0), S(7, 0), S(7, 0), S(7, 0)}},
	[OFERR_PORT_MOD_BAD_HW_ADDR] = {"OFPPMFC_BAD_HW_ADDR", {S(4, 1), S(7, 1), S(7, 1), S(7, 1), S(7, 1), S(7, 1)}},
	[OFERR_PORT_MOD_BAD_CONFIG] = {"OFPPMFC_BAD_CONFIG", FROM_11(7, 2)},
	[OFERR_PORT_MOD_BAD_ADVERTISE] = {"OFPPMFC_BAD_ADVERTISE", FROM_11(7, 3)},
	[OFERR_PORT_MOD_EPERM] = {"OFPPMFC_EPERM", FROM_12(7, 4)},
	[OFERR_TABLE_MOD_TABLE] = {"OFPTMFC_BAD_TABLE", FROM_11(8, 0)},
	[OFERR_TABLE_MOD_CONFIG] = {"OFPTMFC_BAD_CONFIG", FROM_11(8, 1)},
	[OFERR_TABLE_MOD_EPERM] = {"OFPTMFC_EPERM", FROM_12(8, 2)},
	[OFERR_QUEUE_OP_PORT] = {"OFPQOFC_BAD_PORT", {S(5, 0), S(9, 0), S(9, 0), S(9, 0), S(9, 0), S(9, 0)}},
	[OFERR_QUEUE_OP_QUEUE] = {"OFPQOFC_BAD_QUEUE", {S(5, 1), S(9, 1), S(9, 1), S(9, 1), S(9, 1), S(9, 1)}},
	[OFERR_QUEUE_OP_EPERM] = {"OFPQOFC_EPERM", {S(5, 2), S(9, 2), S(9, 2), S(9, 2), S(9, 2), S(9, 2)}},
	[OFERR_SWITCH_CONFIG_FLAGS] = {"OFPSCFC_BAD_FLAGS", FROM_11(10, 0)},
	[OFERR_SWITCH_CONFIG_LEN] = {"OFPSCFC_BAD_LEN", {S(1, 6), S(10, 1), S(10, 1), S(10, 1), S(10, 1), S(10, 1)}},
	[OFERR_SWITCH_CONFIG_EPERM] = {"OFPSCFC_EPERM", FROM_12(10, 2)},
	[OFERR_ROLE_STALE] = {"OFPRRFC_STALE", FROM_12(11, 0)},
	[OFERR_ROLE_UNSUPPORTED] = {"OFPRRFC_UNSUP", FROM_12(11, 1)},
	[OFERR_ROLE_BAD] = {"OFPRRFC_BAD_ROLE", {N(1, 513), N(1, 513), S(11, 2), S(11, 2), S(11, 2), S(11, 2)}},
	[OFERR_METER_UNKNOWN] = {"OFPMMFC_UNKNOWN", FROM_13(12, 0)},
	[OFERR_METER_EXISTS] = {"OFPMMFC_METER_EXISTS", FROM_13(12, 1)},
	[OFERR_METER_INVALID] = {"OFPMMFC_INVALID_METER", FROM_13(12, 2)},
	[OFERR_METER_UNKNOWN_METER] = {"OFPMMFC_UNKNOWN_METER", FROM_13(12, 3)},
	[OFERR_METER_COMMAND] = {"OFPMMFC_BAD_COMMAND", FROM_13(12, 4)},
	[OFERR_METER_FLAGS] = {"OFPMMFC_BAD_FLAGS", FROM_13(12, 5)},
	[OFERR_METER_RATE] = {"OFPMMFC_BAD_RATE", FROM_13(12, 6)},
	[OFERR_METER_BURST] = {"OFPMMFC_BAD_BURST", FROM_13(12, 7)},
	[OFERR_METER_BAND] = {"OFPMMFC_BAD_BAND", FROM_13(12, 8)},
	[OFERR_METER_BAND_VALUE] = {"OFPMMFC_BAD_BAND_VALUE", FROM_13(12, 9)},
	[OFERR_METER_OUT_OF_METERS] = {"OFPMMFC_OUT_OF_METERS", FROM_13(12, 10)},
	[OFERR_METER_OUT_OF_BANDS] = {"OFPMMFC_OUT_OF_BANDS", FROM_13(12, 11)},
	[OFERR_TABLE_FEATURES_TABLE] = {"OFPTFFC_BAD_TABLE", FROM_13(13, 0)},
	[OFERR_TABLE_FEATURES_METADATA] = {"OFPTFFC_BAD_METADATA", FROM_13(13, 1)},
	[OFERR_TABLE_FEATURES_LEN] = {"OFPBPC_BAD_LEN", {N(13, 3), N(13, 3), N(26, 0), S(13, 3), S(14, 1), S(14, 1)}},
	[OFERR_TABLE_FEATURES_EPERM] = {"OFPTFFC_EPERM", FROM_13(13, 5)},
	[OFERR_TABLE_FEATURES_FEATURES] = {"OFPTFFC_BAD_FEATURES", {NONE, NONE, NONE, NONE, NONE, S(13, 8)}},
	[OFERR_TABLE_FEATURES_COMMAND] = {"OFPTFFC_BAD_COMMAND", {NONE, NONE, NONE, NONE, NONE, S(13, 9)}},
	[OFERR_BAD_PROPERTY_TYPE] = {"OFPBPC_BAD_TYPE", {N(13, 2), N(13, 2), N(25, 0), S(13, 2), S(14, 0), S(14, 0)}},
	[OFERR_BAD_PROPERTY_LEN] = {"OFPBPC_BAD_LEN", {N(13, 3), N(13, 3), N(26, 0), S(13, 3), S(14, 1), S(14, 1)}},
	[OFERR_BAD_PROPERTY_VALUE] = {"OFPBPC_BAD_VALUE", {N(13, 4), N(13, 4), N(27, 0), S(13, 4), S(14, 2), S(14, 2)}},
	[OFERR_BAD_PROPERTY_TOO_MANY] = {"OFPBPC_TOO_MANY", {N(14, 3), N(14, 3), N(28, 0), O(4443), S(14, 3), S(14, 3)}},
	[OFERR_BAD_PROPERTY_DUP] = {"OFPBPC_DUP_TYPE", {N(14, 4), N(14, 4), N(29, 0), O(4444), S(14, 4), S(14, 4)}},
	[OFERR_BAD_PROPERTY_EXPERIMENTER] = {"OFPBPC_BAD_EXPERIMENTER", {N(14, 5), N(14, 5), N(30, 0), O(4445), S(14, 5), S(14, 5)}},
	[OFERR_BAD_PROPERTY_EXP_TYPE] = {"OFPBPC_BAD_EXP_TYPE", {N(14, 6), N(14, 6), N(31, 0), O(4446), S(14, 6), S(14, 6)}},
	[OFERR_BAD_PROPERTY_EXP_VALUE] = {"OFPBPC_BAD_EXP_VALUE", {N(14, 7), N(14, 7), N(32, 0), O(4447), S(14, 7), S(14, 7)}},
	[OFERR_ASYNC_INVALID] = {"OFPACFC_INVALID", {NONE, NONE, NONE, O(2370), S(15, 0), S(15, 0)}},
	[OFERR_ASYNC_UNSUPPORTED] = {"OFPACFC_UNSUPPORTED", {NONE, NONE, NONE, O(2371), S(15, 1), S(15, 1)}},
	[OFERR_ASYNC_EPERM] = {"OFPACFC_EPERM", {NONE, NONE, NONE, O(2372), S(15, 2), S(15, 2)}},
	[OFERR_MONITOR_UNKNOWN] = {"OFPMOFC_UNKNOWN", FROM_14(16, 0)},
	[OFERR_MONITOR_EXISTS] = {"OFPMOFC_MONITOR_EXISTS", {N(1, 517), N(1, 517), N(6, 0), N(6, 0), S(16, 1), S(16, 1)}},
	[OFERR_MONITOR_FLAGS] = {"OFPMOFC_BAD_FLAGS", {N(1, 518), N(1, 518), N(7, 0), N(7, 0), S(16, 5), S(16, 5)}},
	[OFERR_MONITOR_COMMAND] = {"OFPMOFC_BAD_COMMAND", FROM_14(16, 4)},
	[OFERR_MONITOR_OUT_PORT] = {"OFPMOFC_BAD_OUT", FROM_14(16, 7)},
	[OFERR_BUNDLE_UNKNOWN] = {"OFPBFC_UNKNOWN", {NONE, NONE, NONE, O(2300), S(17, 0), S(17, 0)}},
	[OFERR_BUNDLE_EPERM] = {"OFPBFC_EPERM", {NONE, NONE, NONE, O(2301), S(17, 1), S(17, 1)}},
	[OFERR_BUNDLE_BAD_ID] = {"OFPBFC_BAD_ID", {NONE, NONE, NONE, O(2302), S(17, 2), S(17, 2)}},
	[OFERR_BUNDLE_EXISTS] = {"OFPBFC_BUNDLE_EXIST", {NONE, NONE, NONE, O(2303), S(17, 3), S(17, 3)}},
	[OFERR_BUNDLE_CLOSED] = {"OFPBFC_BUNDLE_CLOSED", {NONE, NONE, NONE, O(2304), S(17, 4), S(17, 4)}},
	[OFERR_BUNDLE_OUT_OF_BUNDLES] = {"OFPBFC_OUT_OF_BUNDLES", {NONE, NONE, NONE, O(2305), S(17, 5), S(17, 5)}},
	[OFERR_BUNDLE_TYPE] = {"OFPBFC_BAD_TYPE", {NONE, NONE, NONE, O(2306), S(17, 6), S(17, 6)}},
	[OFERR_BUNDLE_FLAGS] = {"OFPBFC_BAD_FLAGS", {NONE, NONE, NONE, O(2307), S(17, 7), S(17, 7)}},
	[OFERR_BUNDLE_MSG_BAD_LEN] = {"OFPBFC_MSG_BAD_LEN", {NONE, NONE, NONE, O(2308), S(17, 8), S(17, 8)}},
	[OFERR_BUNDLE_MSG_BAD_XID] = {"OFPBFC_MSG_BAD_XID", {NONE, NONE, NONE, O(2309), S(17, 9), S(17, 9)}},
	[OFERR_BUNDLE_MSG_UNSUP] = {"OFPBFC_MSG_UNSUP", {NONE, NONE, NONE, O(2310), S(17, 10), S(17, 10)}},
	[OFERR_BUNDLE_MSG_CONFLICT] = {"OFPBFC_MSG_CONFLICT", {NONE, NONE, NONE, O(2311), S(17, 11), S(17, 11)}},
	[OFERR_BUNDLE_MSG_TOO_MANY] = {"OFPBFC_MSG_TOO_MANY", {NONE, NONE, NONE, O(2312), S(17, 12), S(17, 12)}},
	[OFERR_BUNDLE_MSG_FAILED] = {"OFPBFC_MSG_FAILED", {NONE, NONE, NONE, O(2313), S(17, 13), S(17, 13)}},
	[OFERR_BUNDLE_TIMEOUT] = {"OFPBFC_TIMEOUT", {NONE, NONE, NONE, O(2314), S(17, 14), S(17, 14)}},
	[OFERR_BUNDLE_IN_PROGRESS] = {"OFPBFC_BUNDLE_IN_PROGRESS", {NONE, NONE, NONE, O(2315), S(17, 15), S(17, 15)}},
	[OFERR_NXR_NOT_SUPPORTED] = {"NXR_NOT_SUPPORTED", {N(1, 533), N(1, 533), N(34, 0), N(34, 0), N(34, 0), N(34, 0)}},
	[OFERR_NXR_STALE] = {"NXR_STALE", {N(1, 534), N(1, 534), N(35, 0), N(35, 0), N(35, 0), N(35, 0)}},
	[OFERR_NXFM_TLV_FIELD] = {"NXFMFC_INVALID_TLV_FIELD", {N(1, 536), N(1, 536), N(37, 0), N(37, 0), N(37, 0), N(37, 0)}},
	[OFERR_NXTTM_COMMAND] = {"NXTTMFC_BAD_COMMAND", {N(1, 527), N(1, 527), N(16, 0), N(16, 0), N(16, 0), N(16, 0)}},
	[OFERR_NXTTM_FULL] = {"NXTTMFC_TABLE_FULL", {N(1, 530), N(1, 530), N(19, 0), N(19, 0), N(19, 0), N(19, 0)}},
};
/* clang-format on */

static const uint32_t unencodable[6] = {N(1, 521), N(1, 521), N(10, 0),
                                        N(10, 0),  N(10, 0),  N(10, 0)};

int
of_fail(struct of_error *error, enum of_error_id id, const char *fmt, ...)
{
	va_list args;

	if (!error)
		return -EPROTO;
	error->id = (uint32_t)id;
	error->type = error->code = 0;
	error->experimenter = 0;
	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return -EPROTO;
}

static void
unpack(uint32_t packed, enum of_version version, struct of_error *error)
{
	unsigned whose = packed >> 30;

	error->type = packed >> 15 & 0x7fff;
	error->code = packed & 0x7fff;
	error->experimenter = whose == WHOSE_NICIRA ? OF_VENDOR_NICIRA
	                      : whose == WHOSE_ONF  ? OF_VENDOR_ONF
	                                            : 0;
	if (error->experimenter && version >= OF12) {
		error->code = error->type;
		error->type = 0xffff;
	}
}

void
of_error_resolve(enum of_error_id id, enum of_version version, struct of_error *error)
{
	uint32_t packed;

	if (version < OF10 || version > OF15)
		version = OF10;
	packed = (unsigned)id < OFERR_N ? errors[id].numbers[version - OF10] : NONE;
	error->id = (uint32_t)id;
	unpack(packed ? packed : unencodable[version - OF10], version, error);
}

const char *
of_error_name(enum of_version version, const struct of_error *error)
{
	struct of_error known;

	if (version < OF10 || version > OF15)
		return NULL;
	for (unsigned i = 0; i < OFERR_N; i++) {
		uint32_t packed = errors[i].numbers[version - OF10];

		if (!packed)
			continue;
		unpack(packed, version, &known);
		if (known.type == error->type && known.code == error->code &&
		    known.experimenter == error->experimenter)
			return errors[i].name;
	}
	return NULL;
}
