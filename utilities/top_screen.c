/* top_screen.c - draws the rows of top_view.c with ncurses and does what keys say. One
 * thread; top_poll.c's brings the snapshots. */
#include <config.h>

#include "top_screen.h"

#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/str.h"
#include "top_poll.h"
#include "units.h"

#define KEY_WAIT_MS     50
#define KEY_ESCAPE      27
#define KEY_DELETE      127
#define LINES_MIN       5
#define EXPLAIN_SHARE   3 /* of the screen, as one in so many */
#define EXPLAIN_MIN     4
#define FULL_LINE_WIDTH ((size_t)MAX_OF(0, COLS))

struct screen {
	const struct top_screen_options *options;
	struct top_view *view;
	struct top_poll *poll;
	struct top_snapshot *snapshot, *previous;
	struct error err; /* why there is no newer snapshot */
	uint64_t interval_ns;
	bool is_paused, is_done, is_dirty;
	bool shows_help, is_typing; /* the filter */
	bool shows_explain;
	char *explain; /* text, or the reason why there is none */
	char explained_port[TOP_NAME_BYTES];
	uint32_t explained_number;
};

static const char *const help_lines[] = {
	"weir-top: classes of all ports with QoS",
	"",
	"  up, down, j, k      select a class       page up, page down, home, end",
	"  enter, space        collapse or expand what is below the class",
	"  left, right         the same: left collapses, right expands",
	"  c, x                collapse all, expand all",
	"  n r d l             sort by name, rate, drops, delay (latency)",
	"  s, R                next order, reverse order",
	"  t                   tree, or all classes as one list",
	"  /                   show only classes whose name, port or state has a text;",
	"                      enter ends it, escape takes it away",
	"  e                   explain the selected class",
	"  p                   pause",
	"  + -                 longer or shorter interval",
	"  ?                   this text            q   quit",
	"",
	"  [===|####.....]     '=' rate within the floor, '#' above it, '|' the floor,",
	"                      the right end is the ceiling",
	"",
	"press any key",
};

/* ---- drawing ---- */

static attr_t
tone_attributes(const struct screen *screen, enum top_tone tone)
{
	attr_t bold = tone == TOP_TONE_PORT ? A_BOLD : 0;

	if (!screen->options->use_colors)
		return tone == TOP_TONE_DROPS ? A_BOLD : bold;
	return (attr_t)COLOR_PAIR((short)tone + 1) | bold;
}

static void
init_colors(void)
{
	static const short colors[] = {
		[TOP_TONE_PORT] = COLOR_CYAN,    [TOP_TONE_PLAIN] = -1,
		[TOP_TONE_IDLE] = COLOR_BLUE,    [TOP_TONE_BORROWS] = COLOR_GREEN,
		[TOP_TONE_WAITS] = COLOR_YELLOW, [TOP_TONE_DROPS] = COLOR_RED,
	};

	start_color();
	use_default_colors();
	for (short i = 0; i < (short)ARRAY_SIZE(colors); i++)
		init_pair((short)(i + 1), colors[i], -1);
}

static void
draw_text(int y, attr_t attributes, const char *text)
{
	attrset(A_NORMAL);
	move(y, 0);
	clrtoeol();
	attrset(attributes);
	addnstr(text, COLS);
	attrset(A_NORMAL);
}

static void
draw_status(const struct screen *screen)
{
	const struct top_view *view = screen->view;
	size_t classes = 0;
	char text[256], interval[UNITS_TEXT_BYTES];

	for (size_t p = 0; p < screen->snapshot->n; p++)
		classes += screen->snapshot->ports[p].n - 1;
	units_format_time((double)screen->interval_ns, interval);
	snprintf(text, sizeof(text),
	         "weir-top: %zu ports, %zu classes, every %s, by %s%s%s%s",
	         screen->snapshot->n, classes, interval, top_sort_name(view->sort),
	         view->is_reversed ? " reversed" : "", view->is_flat ? ", list" : "",
	         screen->is_paused ? ", PAUSED" : "");
	draw_text(0, A_BOLD, text);
	if (screen->err.text[0])
		snprintf(text, sizeof(text), "%.200s", screen->err.text);
	else if (screen->is_typing || view->filter[0])
		snprintf(text, sizeof(text), "filter: %s%s", view->filter,
		         screen->is_typing ? "_" : "  (escape: all)");
	else if (!screen->snapshot->n)
		snprintf(text, sizeof(text), "no port has a tree of classes");
	else
		snprintf(text, sizeof(text),
		         "? help  e explain  / filter  s sort  p pause  q quit");
	draw_text(1, A_NORMAL, text);
}

static int
explain_height(const struct screen *screen)
{
	return screen->shows_explain ? MAX_OF(EXPLAIN_MIN, LINES / EXPLAIN_SHARE) : 0;
}

/* How many rows fit between the header and the pane. */
static size_t
rows_height(const struct screen *screen)
{
	return (size_t)MAX_OF(1, LINES - 3 - explain_height(screen));
}

static void
draw_rows(const struct screen *screen)
{
	const struct top_view *view = screen->view;
	size_t height = rows_height(screen);
	char line[TOP_LINE_BYTES];

	top_view_format_header(FULL_LINE_WIDTH, line);
	draw_text(2, A_REVERSE, line);
	for (size_t i = 0; i < height; i++) {
		size_t row = view->top + i;
		attr_t attributes;

		move((int)i + 3, 0);
		if (row >= view->n_rows) {
			clrtoeol();
			continue;
		}
		attributes = tone_attributes(screen, top_view_tone(&view->rows[row]));
		if (row == view->selected)
			attributes |= A_REVERSE;
		top_view_format(&view->rows[row], FULL_LINE_WIDTH, line);
		draw_text((int)i + 3, attributes, line);
	}
}

static void
draw_explain(const struct screen *screen)
{
	const char *text = screen->explain ? screen->explain : "";
	int y = LINES - explain_height(screen);
	char line[TOP_LINE_BYTES];

	if (screen->explained_number == TOP_ROOT)
		snprintf(line, sizeof(line), "-- %s", screen->explained_port);
	else
		snprintf(line, sizeof(line), "-- %s, class %" PRIu32,
		         screen->explained_port, screen->explained_number);
	draw_text(y++, A_BOLD, line);
	for (; y < LINES; y++) {
		size_t length = strcspn(text, "\n"), n = 0;

		for (size_t i = 0; i < length && n + 1 < sizeof(line); i++)
			line[n++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : ' ';
		line[n] = '\0';
		draw_text(y, A_NORMAL, line);
		text += length + (text[length] == '\n');
	}
}

static void
draw_help(void)
{
	erase();
	for (int y = 0; y < (int)ARRAY_SIZE(help_lines) && y < LINES; y++)
		draw_text(y, y ? A_NORMAL : A_BOLD, help_lines[y]);
}

static void
draw(struct screen *screen)
{
	screen->is_dirty = false;
	if (screen->shows_help) {
		draw_help();
	} else if (LINES < LINES_MIN) {
		erase();
		draw_text(0, A_NORMAL, "too few lines");
	} else {
		draw_status(screen);
		draw_rows(screen);
		if (screen->shows_explain)
			draw_explain(screen);
	}
	refresh();
}

/* ---- what the daemon says ---- */

static void
screen_explain(struct screen *screen)
{
	const struct top_view *view = screen->view;
	struct error err;

	if (!screen->shows_explain || !view->n_rows)
		return;
	free(screen->explain);
	screen->explain = top_fetch_explain(screen->options->target, view->selected_port,
	                                    view->selected_number, &err);
	if (!screen->explain)
		screen->explain = xstrdup(err.text);
	snprintf(screen->explained_port, sizeof(screen->explained_port), "%s",
	         view->selected_port);
	screen->explained_number = view->selected_number;
}

static void
screen_update(struct screen *screen)
{
	top_view_update(screen->view, screen->snapshot);
	top_view_move(screen->view, 0, rows_height(screen));
	screen->is_dirty = true;
}

/* The snapshot before stays, for rates that the daemon does not tell. */
static void
screen_take(struct screen *screen)
{
	struct top_snapshot *snapshot = NULL;
	struct error err = {""};

	if (!top_poll_take(screen->poll, &snapshot, &err))
		return;
	if (screen->is_paused) {
		top_snapshot_destroy(snapshot);
		return;
	}
	screen->err = err;
	screen->is_dirty = true;
	if (!snapshot)
		return;
	top_snapshot_compare(snapshot, screen->snapshot);
	/* Rows point into the old snapshot until they are made anew. */
	top_snapshot_destroy(screen->previous);
	screen->previous = screen->snapshot;
	screen->snapshot = snapshot;
	screen_update(screen);
	screen_explain(screen);
}

/* ---- keys ---- */

static void
screen_set_interval(struct screen *screen, bool longer)
{
	uint64_t ns = longer ? screen->interval_ns * 2 : screen->interval_ns / 2;

	ns = MAX_OF(ns, TOP_INTERVAL_MIN_NS);
	screen->interval_ns = MIN_OF(ns, TOP_INTERVAL_MAX_NS);
	top_poll_set_interval(screen->poll, screen->interval_ns);
}

static void
screen_type(struct screen *screen, int key)
{
	char *filter = screen->view->filter;
	size_t length = strlen(filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		screen->is_typing = false;
	} else if (key == KEY_ESCAPE) {
		screen->is_typing = false;
		filter[0] = '\0';
	} else if (key == KEY_BACKSPACE || key == KEY_DELETE || key == '\b') {
		if (length)
			filter[length - 1] = '\0';
	} else if (key >= ' ' && key <= '~' && length < TOP_FILTER_MAX) {
		filter[length] = (char)key;
		filter[length + 1] = '\0';
	}
	screen_update(screen);
}

/* Keys that move the selection; false if 'key' is none. */
static bool
screen_move(struct screen *screen, int key)
{
	size_t height = rows_height(screen);
	long page = (long)height, all = (long)screen->view->n_rows;
	const struct {
		int key;
		long rows;
	} moves[] = {
		{KEY_UP, -1},       {'k', -1},         {KEY_DOWN, 1},    {'j', 1},
		{KEY_PPAGE, -page}, {KEY_NPAGE, page}, {KEY_HOME, -all}, {'g', -all},
		{KEY_END, all},     {'G', all},
	};

	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		if (moves[i].key != key)
			continue;
		top_view_move(screen->view, moves[i].rows, height);
		screen_explain(screen);
		return true;
	}
	return false;
}

/* Keys that choose the order; false if 'key' is none. */
static bool
screen_sort(struct screen *screen, int key)
{
	static const char keys[TOP_SORTS] = {[TOP_BY_NAME] = 'n',
	                                     [TOP_BY_RATE] = 'r',
	                                     [TOP_BY_DROPS] = 'd',
	                                     [TOP_BY_DELAY] = 'l'};
	struct top_view *view = screen->view;

	if (key == 's') {
		view->sort = (view->sort + 1) % TOP_SORTS;
	} else if (key == 'R') {
		view->is_reversed = !view->is_reversed;
	} else if (key == 't') {
		view->is_flat = !view->is_flat;
	} else {
		const char *found = memchr(keys, key, sizeof(keys));

		if (!found || key > '~')
			return false;
		view->sort = (enum top_sort)(found - keys);
	}
	screen_update(screen);
	return true;
}

/* Left collapses, right expands, the others turn. */
static void
screen_collapse(struct screen *screen, int key)
{
	const struct top_view *view = screen->view;
	bool is_collapsed =
		view->selected < view->n_rows && view->rows[view->selected].n_hidden > 0;

	if ((key == KEY_LEFT && is_collapsed) || (key == KEY_RIGHT && !is_collapsed))
		return;
	if (top_view_toggle(screen->view))
		screen_update(screen);
}

static void
screen_command(struct screen *screen, int key)
{
	if (screen_move(screen, key) || screen_sort(screen, key))
		return;
	switch (key) {
	case ' ':
	case '\n':
	case '\r':
	case KEY_ENTER:
	case KEY_LEFT:
	case KEY_RIGHT:
		screen_collapse(screen, key);
		break;
	case 'c':
	case 'x':
		top_view_collapse_all(screen->view, screen->snapshot, key == 'c');
		screen_update(screen);
		break;
	case '/':
		screen->is_typing = true;
		break;
	case KEY_ESCAPE:
		screen->view->filter[0] = '\0';
		screen_update(screen);
		break;
	case 'e':
		screen->shows_explain = !screen->shows_explain;
		screen->view->is_pinned = screen->shows_explain;
		screen_update(screen);
		screen_explain(screen);
		break;
	case 'p':
		screen->is_paused = !screen->is_paused;
		break;
	case '+':
	case '-':
		screen_set_interval(screen, key == '+');
		break;
	case '?':
	case 'h':
		screen->shows_help = true;
		break;
	case 'q':
		screen->is_done = true;
		break;
	default:
		break;
	}
}

static void
screen_key(struct screen *screen, int key)
{
	screen->is_dirty = true;
	if (key == KEY_RESIZE) {
		erase();
		screen_update(screen);
	} else if (screen->shows_help) {
		screen->shows_help = false;
		erase();
	} else if (screen->is_typing) {
		screen_type(screen, key);
	} else {
		screen_command(screen, key);
	}
}

/* ---- start and end ---- */

static int
open_terminal(const struct top_screen_options *options, SCREEN **terminal,
              struct error *err)
{
	const char *name = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return error_set(
			err, -ENOTTY,
			"standard input and output are no terminal (--batch needs none)");
	*terminal = newterm(NULL, stdout, stdin);
	if (!*terminal)
		return error_set(
			err, -ENOTTY,
			"the terminal \"%s\" (TERM) is not known here (--batch needs none)",
			name ? name : "");
	set_term(*terminal);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	timeout(KEY_WAIT_MS);
	if (options->use_colors && has_colors())
		init_colors();
	return 0;
}

int
top_screen_run(const struct top_screen_options *options, struct top_view *view,
               struct top_snapshot *snapshot, struct error *err)
{
	struct top_screen_options own = *options;
	struct screen screen = {.options = &own,
	                        .view = view,
	                        .snapshot = snapshot,
	                        .interval_ns = options->interval_ns};
	SCREEN *terminal;
	int ret = open_terminal(options, &terminal, err), key;

	if (ret)
		goto out;
	own.use_colors = options->use_colors && has_colors();
	screen.poll = top_poll_start(options->target, options->interval_ns, err);
	if (screen.poll) {
		screen_update(&screen);
		while (!screen.is_done) {
			if (screen.is_dirty)
				draw(&screen);
			key = getch();
			if (key != ERR)
				screen_key(&screen, key);
			screen_take(&screen);
		}
	} else {
		ret = -EAGAIN;
	}
	endwin();
	delscreen(terminal);
out:
	free(screen.explain);
	top_snapshot_destroy(screen.previous);
	top_snapshot_destroy(screen.snapshot);
	return ret;
}
