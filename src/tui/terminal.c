// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "keys.h"
#include "terminal.h"

#define ESCAPE_MS 50 /* behind an Esc of a slow line, the rest of a key may follow */

struct kmt_terminal {
	SCREEN *screen;
	attr_t attributes[KMT_STYLES];
};

/* Without colours, styles that differ by them alone are the same. */
static const attr_t plain_attributes[KMT_STYLES] = {
	[KMT_STYLE_PLAIN] = A_NORMAL,
	[KMT_STYLE_STRONG] = A_BOLD,
	[KMT_STYLE_FAINT] = A_NORMAL,
	[KMT_STYLE_BAR] = A_REVERSE,
	[KMT_STYLE_CHOSEN] = A_REVERSE | A_BOLD,
	[KMT_STYLE_BAD] = A_BOLD,
	[KMT_STYLE_DOUBTFUL] = A_BOLD,
	[KMT_STYLE_GOOD] = A_BOLD,
};

static const struct {
	attr_t attributes;
	short text, ground; /* -1: the terminal's own */
} colours[KMT_STYLES] = {
	[KMT_STYLE_PLAIN] = { A_NORMAL, -1, -1 },
	[KMT_STYLE_STRONG] = { A_BOLD, -1, -1 },
	[KMT_STYLE_FAINT] = { A_DIM, -1, -1 },
	[KMT_STYLE_BAR] = { A_NORMAL, COLOR_WHITE, COLOR_BLUE },
	[KMT_STYLE_CHOSEN] = { A_NORMAL, COLOR_BLACK, COLOR_CYAN },
	[KMT_STYLE_BAD] = { A_BOLD, COLOR_RED, -1 },
	[KMT_STYLE_DOUBTFUL] = { A_NORMAL, COLOR_YELLOW, -1 },
	[KMT_STYLE_GOOD] = { A_NORMAL, COLOR_GREEN, -1 },
};

/* Before newterm(), which doesn't say what is wrong. */
static int check_type(struct kmt_err *err)
{
	const char *type = getenv("TERM");
	int answer = 0;

	if (!type || !*type)
		return kmt_fail(err, -ENOTSUP, "--tui: TERM is not set: which terminal is this?");
	if (setupterm(NULL, STDOUT_FILENO, &answer) != OK)
		return kmt_fail(err, -ENOTSUP,
				"--tui: TERM=%.64s: this terminal is unknown here: try TERM=vt100",
				type);
	answer = cursor_address != NULL;
	(void)del_curterm(cur_term);
	if (!answer)
		return kmt_fail(err, -ENOTSUP,
				"--tui: TERM=%.64s: this terminal cannot move its cursor: read the "
				"report without --tui",
				type);
	return 0;
}

/* https://no-color.org: set, and not empty */
static bool wants_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return has_colors() && (!no || !*no) && start_color() == OK && use_default_colors() == OK;
}

static void choose_attributes(struct kmt_terminal *terminal)
{
	bool has_colours = wants_colours();

	for (short i = 0; i < KMT_STYLES; i++) {
		terminal->attributes[i] = plain_attributes[i];
		if (has_colours &&
		    init_pair((short)(i + 1), colours[i].text, colours[i].ground) == OK)
			terminal->attributes[i] = colours[i].attributes | COLOR_PAIR(i + 1);
	}
}

int kmt_terminal_open(struct kmt_terminal **ret_terminal, struct kmt_err *err)
{
	struct kmt_terminal *terminal;
	int r = check_type(err);

	if (r < 0)
		return r;
	terminal = calloc(1, sizeof(*terminal));
	if (!terminal)
		return kmt_fail(err, -ENOMEM, "--tui: out of memory");
	terminal->screen = newterm(NULL, stdout, stdin);
	if (!terminal->screen) {
		free(terminal);
		return kmt_fail(err, -ENOTSUP, "--tui: the terminal cannot be used");
	}
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_MS);
	(void)curs_set(0);
	choose_attributes(terminal);
	*ret_terminal = terminal;
	return 0;
}

struct kmt_terminal *kmt_terminal_free(struct kmt_terminal *terminal)
{
	if (!terminal)
		return NULL;
	(void)endwin();
	delscreen(terminal->screen);
	free(terminal);
	return NULL;
}

void kmt_terminal_leave(struct kmt_terminal *terminal)
{
	(void)terminal;
	(void)endwin();
}

void kmt_terminal_return(struct kmt_terminal *terminal)
{
	(void)reset_prog_mode();
	kmt_terminal_redraw(terminal);
}

void kmt_terminal_measure(struct kmt_terminal *terminal, int *ret_rows, int *ret_columns)
{
	struct winsize size;

	(void)terminal;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
	    (size.ws_row != LINES || size.ws_col != COLS))
		(void)resizeterm(size.ws_row, size.ws_col);
	*ret_rows = LINES;
	*ret_columns = COLS;
}

void kmt_terminal_redraw(struct kmt_terminal *terminal)
{
	(void)terminal;
	(void)clearok(stdscr, TRUE);
}

/* As many cells as have the same style. */
static int show_run(struct kmt_terminal *terminal, const struct kmt_cell *cells, int nr, int row,
		    int column)
{
	wchar_t text[KMT_CANVAS_COLUMNS_MAX + 1];
	uint8_t style = cells[column].style;
	int i = column, used = 0;

	for (; i < nr && cells[i].style == style; i++)
		if (cells[i].glyph)
			text[used++] = cells[i].glyph;
	(void)attrset((int)terminal->attributes[style]);
	(void)mvaddnwstr(row, column, text, used);
	return i;
}

void kmt_terminal_show(struct kmt_terminal *terminal, const struct kmt_canvas *canvas)
{
	for (int row = 0; row < canvas->nr_rows; row++)
		for (int column = 0; column < canvas->nr_columns;)
			column = show_run(terminal, kmt_canvas_row(canvas, row), canvas->nr_columns,
					  row, column);
	(void)refresh();
}

int kmt_terminal_key(struct kmt_terminal *terminal)
{
	static const struct {
		int curses, key;
	} keys[] = {
		{ KEY_UP, KMT_KEY_UP },
		{ KEY_DOWN, KMT_KEY_DOWN },
		{ KEY_LEFT, KMT_KEY_LEFT },
		{ KEY_RIGHT, KMT_KEY_RIGHT },
		{ KEY_PPAGE, KMT_KEY_PAGE_UP },
		{ KEY_NPAGE, KMT_KEY_PAGE_DOWN },
		{ KEY_HOME, KMT_KEY_HOME },
		{ KEY_END, KMT_KEY_END },
		{ KEY_ENTER, KMT_KEY_ENTER },
		{ '\r', KMT_KEY_ENTER },
		{ '\n', KMT_KEY_ENTER },
		{ 0x1b, KMT_KEY_ESCAPE },
		{ KEY_BACKSPACE, KMT_KEY_BACKSPACE },
		{ 0x7f, KMT_KEY_BACKSPACE },
		{ '\b', KMT_KEY_BACKSPACE },
		{ '\t', KMT_KEY_TAB },
		{ KEY_BTAB, KMT_KEY_BACK_TAB },
	};
	int key = getch();

	(void)terminal;
	for (size_t i = 0; key != ERR && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == key)
			return keys[i].key;
	/* Others of its own are nothing here, and yet a key. */
	return key == ERR ? -1 : key < KMT_KEY_UP ? key : 0;
}
