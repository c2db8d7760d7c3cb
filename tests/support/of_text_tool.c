/* of_text_tool.c - rules from standard input, one per line, printed as lib/openflow reads
 * them: "ok" or "error" and the text. Run by test_of_text.py. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "openflow/of_text.h"

static void
print_flow(struct str *out, const struct of_flow_mod *mod)
{
	if (mod->table != OF_TABLE_ALL && mod->table)
		str_printf(out, "table=%u ", mod->table);
	of_text_format_match(out, &mod->match, mod->priority, NULL);
	if (mod->new_cookie)
		str_printf(out, " cookie=0x%" PRIx64, mod->new_cookie);
	if (mod->idle_s)
		str_printf(out, " idle_timeout=%u", mod->idle_s);
	if (mod->hard_s)
		str_printf(out, " hard_timeout=%u", mod->hard_s);
	if (mod->importance)
		str_printf(out, " importance=%u", mod->importance);
	str_append(out, " actions=");
	of_text_format_actions(out, mod->actions.data, mod->actions.bytes, NULL);
}

int
main(void)
{
	static char line[65536];

	while (fgets(line, sizeof(line), stdin)) {
		struct of_flow_mod mod;
		struct error err = {""};
		struct str out = STR_INIT;
		int error;

		line[strcspn(line, "\n")] = '\0';
		error = of_text_parse_flow(line, OF_FLOW_ADD, NULL, &mod, &err);
		if (!error)
			print_flow(&out, &mod);
		printf("%s %s\n", error ? "error" : "ok",
		       error ? err.text : str_text(&out));
		flow_actions_destroy(&mod.actions);
		str_free(&out);
	}
	return 0;
}
