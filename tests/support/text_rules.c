/* text_rules.c - see text_rules.h. */
#include "support/text_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "openflow/of_text.h"

static void
text_rule(uint32_t bridge_id, const char *text)
{
	static struct of_flow_mod mod;
	static struct dp_rule_config config;
	struct dp_rule *rule;
	struct error err = {""};

	memset(&mod, 0, sizeof(mod));
	memset(&config, 0, sizeof(config));
	if (of_text_parse_flow(text, OF_FLOW_ADD, NULL, &mod, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	config.table = mod.table == OF_TABLE_ALL ? 0 : mod.table;
	config.priority = mod.priority;
	config.match = mod.match;
	config.cookie = mod.new_cookie;
	config.id = mod.new_cookie;
	config.actions = mod.actions.data;
	config.actions_bytes = mod.actions.bytes;
	if (dp_rule_add(bridge_id, &config, &rule, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	flow_actions_destroy(&mod.actions);
}

void
text_rules(uint32_t bridge_id, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	dp_bridge_clear_rules(bridge_id);
	for (const char *text = first; text; text = va_arg(args, const char *))
		text_rule(bridge_id, text);
	va_end(args);
	dp_publish(bridge_id);
}
