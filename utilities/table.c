/* table.c - prints tables for people, spreadsheets and scripts. Used by vsctl_main.c. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json_text.h"

struct cell {
	struct ovsdb_datum datum;
	const struct ovsdb_type *type; /* of the schema, which lives longer */
};

struct table {
	size_t n_columns, n_cells, n_allocated;
	char **headings;
	struct cell *cells;
};

static const char *const format_names[] = {"table", "list", "html", "csv", "json"};
static const char *const cell_names[] = {"string", "bare", "json"};

struct table *
table_create(size_t n_columns)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->n_columns = n_columns;
	table->headings = xcalloc(n_columns, sizeof(*table->headings));
	return table;
}

void
table_destroy(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_columns; i++)
		free(table->headings[i]);
	for (size_t i = 0; i < table->n_cells; i++)
		ovsdb_datum_destroy(&table->cells[i].datum, table->cells[i].type);
	free(table->headings);
	free(table->cells);
	free(table);
}

void
table_set_heading(struct table *table, size_t column, const char *text)
{
	free(table->headings[column]);
	table->headings[column] = xstrdup(text);
}

void
table_add(struct table *table, const struct ovsdb_datum *datum,
          const struct ovsdb_type *type)
{
	struct cell *cell;

	if (table->n_cells == table->n_allocated) {
		table->n_allocated = table->n_allocated * 2 + 16;
		table->cells = xrealloc(table->cells,
		                        table->n_allocated * sizeof(*table->cells));
	}
	cell = &table->cells[table->n_cells++];
	ovsdb_datum_clone(&cell->datum, datum, type);
	cell->type = type;
}

static void
atom_to_bare(const union ovsdb_atom *atom, enum ovsdb_kind kind, struct str *out)
{
	if (kind == OVSDB_STRING)
		str_append(out, atom->string);
	else
		ovsdb_atom_to_text(atom, kind, out);
}

static void
datum_to_bare(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
              struct str *out)
{
	for (size_t i = 0; i < datum->n; i++) {
		if (i)
			str_append_char(out, ' ');
		atom_to_bare(&datum->keys[i], type->key.kind, out);
		if (type->value.kind != OVSDB_VOID) {
			str_append_char(out, '=');
			atom_to_bare(&datum->values[i], type->value.kind, out);
		}
	}
}

/* Caller frees. */
static char *
cell_text(const struct cell *cell, const struct table_style *style)
{
	struct str text = STR_INIT;

	if (style->cells == CELL_BARE) {
		datum_to_bare(&cell->datum, cell->type, &text);
	} else if (style->cells == CELL_STRING) {
		ovsdb_datum_to_text(&cell->datum, cell->type, &text);
	} else {
		json_t *json = ovsdb_datum_to_json(&cell->datum, cell->type);

		json_text_append(json, false, &text);
		json_decref(json);
	}
	return str_steal(&text);
}

/* Columns of a terminal, counting UTF-8 sequences as one. */
static size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* The bytes of the first 'width' characters. */
static size_t
text_prefix_bytes(const char *text, size_t width)
{
	const char *p = text;

	while (*p) {
		if (((unsigned char)*p & 0xc0) != 0x80 && width-- == 0)
			break;
		p++;
	}
	return (size_t)(p - text);
}

static void
print_padded(const char *text, size_t width, bool is_last, struct str *out)
{
	size_t used = MIN_OF(text_width(text), width);

	str_append_bytes(out, text, text_prefix_bytes(text, width));
	for (; !is_last && used <= width; used++)
		str_append_char(out, ' ');
	if (!is_last)
		return;
	while (out->length && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	str_append_char(out, '\n');
}

static void
print_aligned(const struct table *table, char **texts, const struct table_style *style,
              struct str *out)
{
	size_t n = table->n_columns, *widths = xcalloc(n + 1, sizeof(*widths));

	for (size_t i = 0; i < table->n_cells; i++)
		widths[i % n] = MAX_OF(widths[i % n], text_width(texts[i]));
	for (size_t i = 0; i < n; i++) {
		if (style->max_column_width)
			widths[i] = MIN_OF(widths[i], style->max_column_width);
		if (!style->no_headings)
			widths[i] = MAX_OF(widths[i], text_width(table->headings[i]));
	}
	for (size_t i = 0; i < n && !style->no_headings; i++)
		print_padded(table->headings[i], widths[i], i == n - 1, out);
	for (size_t i = 0; i < n && !style->no_headings; i++) {
		for (size_t j = 0; j < widths[i]; j++)
			str_append_char(out, '-');
		str_append_char(out, i == n - 1 ? '\n' : ' ');
	}
	for (size_t i = 0; i < table->n_cells; i++)
		print_padded(texts[i], widths[i % n], i % n == n - 1, out);
	free(widths);
}

static void
print_list(const struct table *table, char **texts, const struct table_style *style,
           struct str *out)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		if (column == 0 && i > 0)
			str_append_char(out, '\n');
		if (!style->no_headings)
			str_printf(out, "%-20s: ", table->headings[column]);
		str_append(out, texts[i]);
		str_append_char(out, '\n');
	}
}

static void
print_csv_field(const char *text, bool is_last, struct str *out)
{
	bool quote = strpbrk(text, "\",\r\n") != NULL;

	if (quote)
		str_append_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			str_append_char(out, '"');
		str_append_char(out, *text);
	}
	if (quote)
		str_append_char(out, '"');
	str_append_char(out, is_last ? '\n' : ',');
}

static void
print_csv(const struct table *table, char **texts, const struct table_style *style,
          struct str *out)
{
	size_t n = table->n_columns;

	for (size_t i = 0; i < n && !style->no_headings; i++)
		print_csv_field(table->headings[i], i == n - 1, out);
	for (size_t i = 0; i < table->n_cells; i++)
		print_csv_field(texts[i], i % n == n - 1, out);
}

static void
html_append(const char *text, struct str *out)
{
	for (; *text; text++) {
		if (*text == '&')
			str_append(out, "&amp;");
		else if (*text == '<')
			str_append(out, "&lt;");
		else if (*text == '>')
			str_append(out, "&gt;");
		else if (*text == '"')
			str_append(out, "&quot;");
		else
			str_append_char(out, *text);
	}
}

/* A row's own id is an anchor; any other UUID in a text is taken for a reference to a row
 * and becomes a link. */
static void
html_append_linked(const char *text, const char *heading, struct str *out)
{
	bool is_anchor = !strcmp(heading, "_uuid");
	char piece[UUID_TEXT_BYTES] = "";
	struct uuid uuid;

	while (*text) {
		strncpy(piece, text, UUID_TEXT_BYTES - 1);
		if (uuid_from_text(&uuid, piece)) {
			str_printf(out, "<a %s%s\">%.8s</a>",
			           is_anchor ? "name=\"" : "href=\"#", piece, piece);
			text += UUID_TEXT_BYTES - 1;
		} else {
			piece[1] = '\0';
			html_append(piece, out);
			text++;
		}
	}
}

static void
print_html(const struct table *table, char **texts, const struct table_style *style,
           struct str *out)
{
	size_t n = table->n_columns;

	str_append(out, "<table border=1>\n");
	if (!style->no_headings) {
		str_append(out, "  <tr>\n");
		for (size_t i = 0; i < n; i++) {
			str_append(out, "    <th>");
			html_append(table->headings[i], out);
			str_append(out, "</th>\n");
		}
		str_append(out, "  </tr>\n");
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		if (i % n == 0)
			str_append(out, "  <tr>\n");
		str_append(out, "    <td>");
		html_append_linked(texts[i], table->headings[i % n], out);
		str_append(out, "</td>\n");
		if (i % n == n - 1)
			str_append(out, "  </tr>\n");
	}
	str_append(out, "</table>\n");
}

static void
print_json(const struct table *table, const struct table_style *style, struct str *out)
{
	json_t *data = json_array(), *headings = json_array(), *row = NULL, *all;

	for (size_t i = 0; i < table->n_columns; i++)
		json_array_append_new(headings, json_string(table->headings[i]));
	for (size_t i = 0; i < table->n_cells; i++) {
		if (i % table->n_columns == 0) {
			row = json_array();
			json_array_append_new(data, row);
		}
		json_array_append_new(row, ovsdb_datum_to_json(&table->cells[i].datum,
		                                               table->cells[i].type));
	}
	all = json_pack("{s:o, s:o}", "data", data, "headings", headings);
	json_text_append(all, style->pretty, out);
	str_append_char(out, '\n');
	json_decref(all);
}

void
table_print(const struct table *table, const struct table_style *style, bool is_first,
            struct str *out)
{
	char **texts;

	if (style->format == TABLE_FORMAT_JSON) {
		print_json(table, style, out);
		return;
	}
	texts = xcalloc(table->n_cells + 1, sizeof(*texts));
	for (size_t i = 0; i < table->n_cells; i++)
		texts[i] = cell_text(&table->cells[i], style);
	if (style->format == TABLE_FORMAT_HTML)
		print_html(table, texts, style, out);
	else if (!is_first)
		str_append_char(out, '\n');
	if (style->format == TABLE_FORMAT_TABLE)
		print_aligned(table, texts, style, out);
	else if (style->format == TABLE_FORMAT_LIST)
		print_list(table, texts, style, out);
	else if (style->format == TABLE_FORMAT_CSV)
		print_csv(table, texts, style, out);
	for (size_t i = 0; i < table->n_cells; i++)
		free(texts[i]);
	free(texts);
}

int
table_parse_format(const char *text, struct table_style *style, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(format_names); i++)
		if (!strcmp(format_names[i], text)) {
			style->format = (enum table_format)i;
			return 0;
		}
	return error_set(err, -EINVAL, "unknown output format \"%s\"", text);
}

int
table_parse_cells(const char *text, struct table_style *style, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(cell_names); i++)
		if (!strcmp(cell_names[i], text)) {
			style->cells = (enum cell_format)i;
			return 0;
		}
	return error_set(err, -EINVAL, "unknown data format \"%s\"", text);
}
