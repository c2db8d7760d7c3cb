/* table.h - tables of database values as the list and find commands print them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "ovsdb/datum.h"

enum table_format {
	TABLE_FORMAT_TABLE,
	TABLE_FORMAT_LIST,
	TABLE_FORMAT_HTML,
	TABLE_FORMAT_CSV,
	TABLE_FORMAT_JSON
};
enum cell_format { CELL_STRING, CELL_BARE, CELL_JSON };

struct table_style {
	enum table_format format;
	enum cell_format cells;
	bool no_headings;
	bool pretty;
	size_t max_column_width; /* 0 = no limit */
};

struct table;

struct table *table_create(size_t n_columns);
void table_destroy(struct table *table); /* NULL is fine */
void table_set_heading(struct table *table, size_t column, const char *text);

/* Cells are added row by row, from left to right; the value is copied. */
void table_add(struct table *table, const struct ovsdb_datum *datum,
               const struct ovsdb_type *type);

/* 'is_first' is false if another table was printed before, so that it takes a separator.
 */
void table_print(const struct table *table, const struct table_style *style,
                 bool is_first, struct str *out);

/* The arguments of --format and --data. -EINVAL. */
int table_parse_format(const char *text, struct table_style *style, struct error *err);
int table_parse_cells(const char *text, struct table_style *style, struct error *err);
