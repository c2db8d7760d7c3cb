/* of_text_fuzz.c - any text as a rule, group or meter, and any bytes as a message to
 * print. What is taken prints as text that reads back and prints the same. The first byte
 * chooses what the rest is. */
#include <string.h>

#include "fuzz.h"
#include "openflow/of_text.h"

static void
print_rule(struct str *out, const struct of_flow_mod *mod)
{
	of_text_format_match(out, &mod->match, mod->priority, NULL);
	str_append(out, ",actions=");
	of_text_format_actions(out, mod->actions.data, mod->actions.bytes, NULL);
}

static void
try_rule(const char *text)
{
	struct str first = STR_INIT, second = STR_INIT;
	struct of_flow_mod mod, again;
	struct error err = {""};

	if (!of_text_parse_flow(text, OF_FLOW_ADD, NULL, &mod, &err)) {
		print_rule(&first, &mod);
		if (!of_text_parse_flow(str_text(&first), OF_FLOW_ADD, NULL, &again,
		                        &err)) {
			print_rule(&second, &again);
			FUZZ_REQUIRE(!strcmp(str_text(&first), str_text(&second)));
		}
		flow_actions_destroy(&again.actions);
	} else {
		FUZZ_REQUIRE(err.text[0]);
	}
	flow_actions_destroy(&mod.actions);
	str_free(&first);
	str_free(&second);
}

static void
try_group(const char *text)
{
	struct of_group_mod mod;

	if (!of_text_parse_group(text, OF_GROUP_ADD, NULL, &mod, NULL))
		of_text_destroy_group(&mod);
}

static void
try_meter(const char *text)
{
	struct of_meter_mod mod;

	of_text_parse_meter(text, OF_METER_ADD, &mod, NULL);
	free(mod.bands);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str out = STR_INIT;
	char *text;

	if (size < 1)
		return 0;
	if (data[0] == 'm') {
		of_text_format_message(&out, data + 1, size - 1, NULL, 1);
		str_free(&out);
		return 0;
	}
	text = strndup((const char *)data + 1, size - 1);
	if (!text)
		return 0;
	if (data[0] == 'g')
		try_group(text);
	else if (data[0] == 't')
		try_meter(text);
	else
		try_rule(text);
	free(text);
	return 0;
}
