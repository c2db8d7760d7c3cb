/* top_view.h - which classes weir-top shows, in what order and how: rows of text out of a
 * snapshot. Pure. */
#pragma once

#include "base/hmap.h"
#include "top_data.h"

enum top_sort { TOP_BY_NAME, TOP_BY_RATE, TOP_BY_DROPS, TOP_BY_DELAY, TOP_SORTS };

enum top_tone {
	TOP_TONE_PORT,
	TOP_TONE_PLAIN,
	TOP_TONE_IDLE,
	TOP_TONE_BORROWS, /* more than its floor, from others */
	TOP_TONE_WAITS,   /* has packets and is held back */
	TOP_TONE_DROPS,
};

#define TOP_LINE_BYTES 512
#define TOP_FILTER_MAX 63

struct top_row {
	const struct top_port *port;
	size_t class;    /* index */
	unsigned indent; /* levels */
	size_t n_hidden; /* classes below it, where it is collapsed */
};

/* How the user wants it. Rows point into the snapshot of the last top_view_update(). */
struct top_view {
	enum top_sort sort;
	bool is_reversed;
	bool is_flat;   /* all classes as one list */
	bool is_pinned; /* the selected class stays so even if it is the first row */
	char filter[TOP_FILTER_MAX + 1];
	struct hmap collapsed;
	struct top_row *rows;
	size_t n_rows, allocated;
	size_t selected, top; /* rows; 'top' is the first on the screen */
	/* Who is selected, whatever row that is. */
	char selected_port[TOP_NAME_BYTES];
	uint32_t selected_number;
};

void top_view_init(struct top_view *view);
void top_view_destroy(struct top_view *view);

/* Makes the rows anew. The selected class stays selected if it is still shown, the first
 * row if that is selected. */
void top_view_update(struct top_view *view, const struct top_snapshot *snapshot);

/* Moves the selection by rows, and 'top' so that it is among 'height' rows shown. */
void top_view_move(struct top_view *view, long rows, size_t height);

/* Collapses or expands the selected class; false if nothing is below it. */
bool top_view_toggle(struct top_view *view);
/* Everything below the ports, or nothing. */
void top_view_collapse_all(struct top_view *view, const struct top_snapshot *snapshot,
                           bool collapse);

/* The line of a row or of the header, 'width' columns wide (at most TOP_LINE_BYTES - 1).
 */
void top_view_format(const struct top_row *row, size_t width, char line[TOP_LINE_BYTES]);
void top_view_format_header(size_t width, char line[TOP_LINE_BYTES]);

enum top_tone top_view_tone(const struct top_row *row);
const char *top_sort_name(enum top_sort sort);
bool top_sort_parse(const char *name, enum top_sort *sort);
