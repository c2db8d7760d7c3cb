/* ovsdb_txn_test.c - RFC 7047's operations and constraints, as JSON in and JSON out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ovsdb/db.h"
#include "ovsdb/db_private.h"
#include "ovsdb/exec.h"

static const char schema_text[] =
	"{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{"
	"\"Root\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{"
	" \"name\":{\"type\":\"string\"},"
	" \"fixed\":{\"type\":\"integer\",\"mutable\":false},"
	" \"int\":{\"type\":{\"key\":{\"type\":\"integer\",\"maxInteger\":100}}},"
	" \"opt\":{\"type\":{\"key\":\"integer\",\"min\":0}},"
	" \"ints\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":3}},"
	" \"real\":{\"type\":\"real\"},"
	" \"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,"
	"   \"max\":\"unlimited\"}},"
	" \"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0,"
	"   \"max\":\"unlimited\"}},"
	" \"weak\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\","
	"   \"refType\":\"weak\"},\"min\":0,\"max\":\"unlimited\"}}}},"
	"\"Kid\":{\"columns\":{\"name\":{\"type\":\"string\"},"
	" \"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0,"
	"   \"max\":\"unlimited\"}}}},"
	"\"One\":{\"isRoot\":true,\"maxRows\":1,\"columns\":{\"x\":{\"type\":"
	"\"integer\"}}}}}";

static struct db *db;

static int
set_up(void **state)
{
	json_t *json = json_loads(schema_text, 0, NULL);
	struct ovsdb_schema *schema;

	(void)state;
	if (!json || ovsdb_schema_from_json(json, &schema, NULL))
		return -1;
	json_decref(json);
	return db_open(schema, NULL, &db, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

/* Every UUID becomes "U", every "details" goes: what is left is what clients match. */
static void
mask(json_t *json)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		json_object_del(json, "details");
		json_object_foreach(json, name, value) mask(value);
	}
	json_array_foreach(json, i, value) mask(value);
	if (json_array_size(json) == 2 && json_is_string(json_array_get(json, 0)) &&
	    !strcmp(json_string_value(json_array_get(json, 0)), "uuid"))
		json_array_set_new(json, 1, json_string("U"));
}

static bool
holds_lock(const char *lock, void *aux)
{
	(void)aux;
	return !strcmp(lock, "held");
}

/* Single quotes stand for double ones. NULL: the transaction waits. */
static json_t *
run(const char *ops, uint64_t waited_ms, uint64_t *retry_ms)
{
	struct str text = STR_INIT;
	struct exec_request request = {
		.db = db, .waited_ms = waited_ms, .holds_lock = holds_lock};
	json_error_t json_err;
	json_t *params, *results;

	str_printf(&text, "['D', %s]", ops);
	for (char *p = text.data; *p; p++)
		if (*p == '\'')
			*p = '"';
	params = json_loads(text.data, 0, &json_err);
	if (!params)
		fail_msg("%s: %s", ops, json_err.text);
	request.params = params;
	results = exec_transaction(&request, retry_ms);
	json_decref(params);
	str_free(&text);
	return results;
}

static void
expect(const char *ops, const char *expected)
{
	uint64_t retry_ms;
	json_t *results = run(ops, 0, &retry_ms);
	char *text;

	assert_non_null(results);
	mask(results);
	text = json_dumps(results, JSON_COMPACT);
	for (char *p = text; *p; p++)
		if (*p == '"')
			*p = '\'';
	if (strcmp(text, expected) != 0)
		fail_msg("%s\n  gives    %s\n  expected %s", ops, text, expected);
	free(text);
	json_decref(results);
}

#define INSERT_ROOT(columns) "{'op':'insert','table':'Root','row':{" columns "}}"
#define SELECT(table, column) \
	"{'op':'select','table':'" table "','where':[],'columns':['" column "']}"
#define WHERE(clauses) \
	"{'op':'select','table':'Root','columns':['name'],'where':[" clauses "]}"
#define MUTATE(mutations) \
	"{'op':'mutate','table':'Root','where':[],'mutations':[" mutations "]}"
#define NAME(n) "{'rows':[{'name':'" n "'}]}"

static void
test_named_uuids_may_come_before_their_insert(void **state)
{
	(void)state;
	expect("{'op':'insert','table':'Root','row':{'name':'r','kids':"
	       "['named-uuid','k']}},"
	       "{'op':'mutate','table':'Root','where':[],'mutations':[['weak','insert',"
	       "['named-uuid','k']]]},"
	       "{'op':'insert','table':'Kid','row':{'name':'k'},'uuid-name':'k'},"
	       "{'op':'update','table':'Kid','where':[['_uuid','==',['named-uuid','k']]],"
	       "'row':{'name':'q'}}," SELECT("Kid", "name"),
	       "[{'uuid':['uuid','U']},{'count':1},{'uuid':['uuid','U']},{'count':1}," NAME(
		       "q") "]");
	expect(SELECT("Root", "weak"), "[{'rows':[{'weak':['uuid','U']}]}]");
	expect("{'op':'insert','table':'Kid','row':{},'uuid-name':'k'},"
	       "{'op':'insert','table':'Kid','row':{},'uuid-name':'k'}",
	       "[{'uuid':['uuid','U']},{'error':'duplicate uuid-name'}]");
	expect("{'op':'insert','table':'Kid','row':{},'uuid-name':'9k'}",
	       "[{'error':'syntax error'}]");
}

static void
test_error_shapes(void **state)
{
	(void)state;
	/* An operation that fails: its error, then nulls. */
	expect(INSERT_ROOT("'name':'a'") ",{'op':'abort'},{'op':'comment','comment':''}",
	       "[{'uuid':['uuid','U']},{'error':'aborted'},null]");
	/* A commit that fails: one more element. */
	expect(INSERT_ROOT("'name':'a'") "," INSERT_ROOT("'name':'a'"),
	       "[{'uuid':['uuid','U']},{'uuid':['uuid','U']},"
	       "{'error':'constraint violation'}]");
	expect(INSERT_ROOT("'kids':['named-uuid','k']"),
	       "[{'uuid':['uuid','U']},{'error':'referential integrity violation'}]");
	expect(SELECT("Root", "name"), "[{'rows':[]}]");
	expect("{'op':'nope'}", "[{'error':'syntax error'}]");
	expect("{'op':'comment'}", "[{'error':'syntax error'}]");
	expect("{'op':'comment','comment':'c','more':1}", "[{'error':'syntax error'}]");
	expect("5", "[{'error':'syntax error'}]");
	expect("{'op':'insert','table':'Nope','row':{}}", "[{'error':'syntax error'}]");
	expect(INSERT_ROOT("'nope':1"), "[{'error':'unknown column'}]");
	expect(INSERT_ROOT("'int':'x'"), "[{'error':'syntax error'}]");
	expect(INSERT_ROOT("'int':101"), "[{'error':'constraint violation'}]");
	expect(WHERE("['name','~',1]"), "[{'error':'unknown function'}]");
	expect(WHERE("['nope','==',1]"), "[{'error':'unknown column'}]");
	expect(WHERE("['name','<','x']"), "[{'error':'syntax error'}]");
	expect("{'op':'assert','lock':'other'}", "[{'error':'not owner'}]");
	expect("{'op':'assert','lock':'held'},{'op':'commit','durable':true}", "[{},{}]");
	expect("{'op':'commit'}", "[{'error':'syntax error'}]");
}

static void
test_conditions(void **state)
{
	(void)state;
	expect(INSERT_ROOT("'name':'a','int':5,'opt':7,'ints':['set',[1,2]],"
	                   "'map':['map',[['k','v'],['l','w']]]"),
	       "[{'uuid':['uuid','U']}]");
	expect(WHERE("['int','==',5],['int','<',6],['int','<=',5],['int','>',4],"
	             "['int','>=',5],['int','!=',4],true"),
	       "[" NAME("a") "]");
	expect(WHERE("['int','<',5]"), "[{'rows':[]}]");
	expect(WHERE("false"), "[{'rows':[]}]");
	expect(WHERE("['ints','includes',['set',[2]]]"), "[" NAME("a") "]");
	expect(WHERE("['ints','includes',['set',[2,3]]]"), "[{'rows':[]}]");
	expect(WHERE("['ints','excludes',['set',[3,4,5,6]]]"), "[" NAME("a") "]");
	expect(WHERE("['ints','excludes',['set',[2,3]]]"), "[{'rows':[]}]");
	expect(WHERE("['map','includes',['map',[['k','v']]]]"), "[" NAME("a") "]");
	expect(WHERE("['map','includes',['map',[['k','w']]]]"), "[{'rows':[]}]");
	expect(WHERE("['map','excludes',['map',[['k','w']]]]"), "[" NAME("a") "]");
	expect(WHERE("['opt','<',9]"), "[" NAME("a") "]");
	expect("{'op':'update','table':'Root','where':[],'row':{'opt':['set',[]]}}",
	       "[{'count':1}]");
	expect(WHERE("['opt','<',9]"), "[{'rows':[]}]");
}

static void
test_mutations(void **state)
{
	(void)state;
	expect(INSERT_ROOT("'name':'a','int':5,'opt':7,'ints':['set',[1,2]],'real':1.5,"
	                   "'map':['map',[['k','v']]]"),
	       "[{'uuid':['uuid','U']}]");
	expect(MUTATE("['int','+=',7],['int','*=',4],['int','-=',3],['int','/=',2],"
	              "['int','%=',10],['real','/=',3],['opt','+=',1],['ints','+=',10]"),
	       "[{'count':1}]");
	expect(SELECT("Root", "int") "," SELECT("Root", "opt") "," SELECT("Root", "ints"),
	       "[{'rows':[{'int':2}]},{'rows':[{'opt':8}]},"
	       "{'rows':[{'ints':['set',[11,12]]}]}]");
	expect(MUTATE("['int','/=',0]"), "[{'error':'domain error'}]");
	expect(MUTATE("['int','+=',9223372036854775807]"), "[{'error':'range error'}]");
	expect(MUTATE("['int','-=',9223372036854775807],['int','-=',9223372036854775807]"),
	       "[{'error':'range error'}]");
	expect(MUTATE("['int','-=',9223372036854775807],['int','-=',3],['int','/=',-1]"),
	       "[{'error':'range error'}]");
	expect(MUTATE("['int','+=',99]"), "[{'error':'constraint violation'}]");
	expect(MUTATE("['ints','*=',0]"), "[{'error':'constraint violation'}]");
	expect(MUTATE("['fixed','+=',1]"), "[{'error':'constraint violation'}]");
	expect(MUTATE("['real','%=',1]"), "[{'error':'syntax error'}]");
	expect(MUTATE("['int','insert',1]"), "[{'error':'syntax error'}]");
	expect(MUTATE("['int','~=',1]"), "[{'error':'unknown mutator'}]");
	expect(MUTATE("['ints','insert',['set',[1,2]]]"),
	       "[{'error':'constraint violation'}]");
	/* Keys that are there keep their value. */
	expect(MUTATE("['map','insert',['map',[['k','x'],['l','y'],['m','z']]]],"
	              "['ints','delete',['set',[11,99]]],['ints','insert',3]"),
	       "[{'count':1}]");
	expect(SELECT("Root", "map") "," SELECT("Root", "ints"),
	       "[{'rows':[{'map':['map',[['k','v'],['l','y'],['m','z']]]}]},"
	       "{'rows':[{'ints':['set',[3,12]]}]}]");
	/* By key, by a single key, by pair. */
	expect(MUTATE("['map','delete',['set',['k']]],['map','delete','l'],"
	              "['map','delete',['map',[['m','other']]]]"),
	       "[{'count':1}]");
	expect(SELECT("Root", "map"), "[{'rows':[{'map':['map',[['m','z']]]}]}]");
}

static void
test_references_and_garbage(void **state)
{
	(void)state;
	expect("{'op':'insert','table':'Root','row':{'name':'r','kids':['named-uuid','a'],"
	       "'weak':['set',[['named-uuid','a'],['named-uuid','b'],"
	       "['named-uuid','gone']]]}},"
	       "{'op':'insert','table':'Kid','row':{'name':'a','kids':['named-uuid','b']},"
	       "'uuid-name':'a'},"
	       "{'op':'insert','table':'Kid','row':{'name':'b'},'uuid-name':'b'},"
	       "{'op':'insert','table':'Kid','row':{'name':'c','kids':['named-uuid','c']},"
	       "'uuid-name':'c'}",
	       "[{'uuid':['uuid','U']},{'uuid':['uuid','U']},{'uuid':['uuid','U']},"
	       "{'uuid':['uuid','U']}]");
	/* 'c' is kept by nobody but itself. */
	expect("{'op':'select','table':'Kid','where':[['name','==','c']]}",
	       "[{'rows':[]}]");
	expect("{'op':'delete','table':'Kid','where':[['name','==','b']]}",
	       "[{'count':1},{'error':'referential integrity violation'}]");
	expect(SELECT("Root", "weak"),
	       "[{'rows':[{'weak':['set',[['uuid','U'],['uuid','U']]]}]}]");
	/* Letting go of 'a' lets go of 'b', and weak references follow. */
	expect("{'op':'update','table':'Root','where':[],'row':{'kids':['set',[]]}}",
	       "[{'count':1}]");
	expect(SELECT("Kid", "name") "," SELECT("Root", "weak"),
	       "[{'rows':[]},{'rows':[{'weak':['set',[]]}]}]");
}

static void
test_other_constraints(void **state)
{
	(void)state;
	expect("{'op':'insert','table':'One','row':{}}", "[{'uuid':['uuid','U']}]");
	expect("{'op':'insert','table':'One','row':{}}",
	       "[{'uuid':['uuid','U']},{'error':'constraint violation'}]");
	/* Judged at the end: replacing the only row is fine. */
	expect("{'op':'insert','table':'One','row':{}},"
	       "{'op':'delete','table':'One','where':[['x','==',0]]},"
	       "{'op':'insert','table':'One','row':{'x':1}}",
	       "[{'uuid':['uuid','U']},{'count':2},{'uuid':['uuid','U']}]");
	expect(INSERT_ROOT("'name':'a','fixed':3") "," INSERT_ROOT("'name':'b'"),
	       "[{'uuid':['uuid','U']},{'uuid':['uuid','U']}]");
	expect("{'op':'update','table':'Root','where':[['name','==','b']],"
	       "'row':{'name':'a'}}",
	       "[{'count':1},{'error':'constraint violation'}]");
	/* Swapping the values of an index within one transaction is fine. */
	expect("{'op':'update','table':'Root','where':[['fixed','==',3]],"
	       "'row':{'name':'b'}},"
	       "{'op':'update','table':'Root','where':[['fixed','==',0]],"
	       "'row':{'name':'a'}}",
	       "[{'count':1},{'count':1}]");
	expect("{'op':'select','table':'Root','where':[['name','==','b']],"
	       "'columns':['fixed']}",
	       "[{'rows':[{'fixed':3}]}]");
	expect("{'op':'update','table':'Root','where':[],'row':{'fixed':4}}",
	       "[{'error':'constraint violation'}]");
	expect("{'op':'delete','table':'Root','where':[]}," INSERT_ROOT("'name':'a'"),
	       "[{'count':2},{'uuid':['uuid','U']}]");
}

static void
test_insert_with_uuid(void **state)
{
	(void)state;
#define WITH_UUID                                 \
	"{'op':'insert','table':'Root','row':{}," \
	"'uuid':'11111111-2222-4333-8444-555555555555'}"
	expect(WITH_UUID, "[{'uuid':['uuid','U']}]");
	expect(WITH_UUID, "[{'error':'duplicate uuid'}]");
	expect("{'op':'delete','table':'Root','where':[]}," WITH_UUID,
	       "[{'count':1},{'error':'duplicate uuid'}]");
	expect("{'op':'insert','table':'Root','row':{},'uuid':'1'}",
	       "[{'error':'syntax error'}]");
	expect("{'op':'select','table':'Root','columns':['_uuid'],'where':[['_uuid','==',"
	       "['uuid','11111111-2222-4333-8444-555555555555']]]}",
	       "[{'rows':[{'_uuid':['uuid','U']}]}]");
}

#define WAIT(until, rows, timeout)                                         \
	"{'op':'wait','table':'Root','where':[],'columns':['name','int']," \
	"'until':'" until "','rows':[" rows "]" timeout "}"

static void
test_wait(void **state)
{
	uint64_t retry_ms;
	json_t *results;

	(void)state;
	expect(INSERT_ROOT("'name':'a'") "," INSERT_ROOT("'name':'b'"),
	       "[{'uuid':['uuid','U']},{'uuid':['uuid','U']}]");
	/* Columns that are not described are at their default. */
	expect(WAIT("==", "{'name':'b','int':0},{'name':'a'},{'name':'a'}",
	            ",'timeout':0"),
	       "[{}]");
	expect(WAIT("==", "{'name':'a'}", ",'timeout':0"), "[{'error':'timed out'}]");
	expect(WAIT("==", "{'name':'a'},{'name':'b'},{'name':'c'}", ",'timeout':0"),
	       "[{'error':'timed out'}]");
	expect(WAIT("!=", "{'name':'a'}", ",'timeout':0"), "[{}]");
	expect(WAIT("<", "", ",'timeout':0"), "[{'error':'syntax error'}]");
	expect(WAIT("==", "", ",'timeout':-1"), "[{'error':'syntax error'}]");

	/* What was done before the wait is undone, and done again later. */
	results = run(INSERT_ROOT("'name':'c'") "," WAIT("==", "", ",'timeout':500"), 100,
	              &retry_ms);
	assert_null(results);
	assert_int_equal(retry_ms, 400);
	results = run(WAIT("==", "", ""), 1000000, &retry_ms);
	assert_null(results);
	assert_true(retry_ms == UINT64_MAX);
	expect(WHERE("['name','==','c']"), "[{'rows':[]}]");
	results = run(WAIT("==", "", ",'timeout':500"), 500, &retry_ms);
	assert_non_null(results);
	json_decref(results);
}

static void
test_equal_selected_rows_are_one(void **state)
{
	(void)state;
	expect(INSERT_ROOT("'name':'a'") "," INSERT_ROOT("'name':'b'") "," SELECT("Root",
	                                                                          "int"),
	       "[{'uuid':['uuid','U']},{'uuid':['uuid','U']},{'rows':[{'int':0}]}]");
	expect("{'op':'select','table':'Root','where':[],'columns':['int','int']}",
	       "[{'error':'syntax error'}]");
	expect("{'op':'select','table':'Root','where':[],'columns':[]}",
	       "[{'rows':[{}]}]");
}

static void
test_errors_with_cut_characters_are_still_sent(void **state)
{
	struct str ops = STR_INIT;

	(void)state;
	str_append(&ops, "{'op':'update','table':'Root','where':[],'row':{'int':'x");
	for (int i = 0; i < 400; i++)
		str_append(&ops, "\xc3\xa9");
	str_append(&ops, "'}}");
	expect(str_text(&ops), "[{'error':'syntax error'}]");
	str_free(&ops);
}

int
main(void)
{
#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_DB(test_named_uuids_may_come_before_their_insert),
		WITH_DB(test_error_shapes),
		WITH_DB(test_conditions),
		WITH_DB(test_mutations),
		WITH_DB(test_references_and_garbage),
		WITH_DB(test_other_constraints),
		WITH_DB(test_insert_with_uuid),
		WITH_DB(test_wait),
		WITH_DB(test_equal_selected_rows_are_one),
		WITH_DB(test_errors_with_cut_characters_are_still_sent),
	};

	return cmocka_run_group_tests_name("ovsdb_txn", tests, NULL, NULL);
}
