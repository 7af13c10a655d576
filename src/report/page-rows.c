// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "page-rows.h"

int kmt_page_rows_init(struct kmt_page_rows *rows, size_t room)
{
	*rows = (struct kmt_page_rows){ .room = room };
	rows->file = open_memstream(&rows->text, &rows->text_bytes);
	return rows->file ? 0 : -ENOMEM;
}

void kmt_page_rows_deinit(struct kmt_page_rows *rows)
{
	if (rows->file)
		(void)fclose(rows->file);
	free(rows->text);
	*rows = (struct kmt_page_rows){ .file = NULL };
}

void kmt_page_rows_add(struct kmt_page_rows *rows)
{
	long end = ftell(rows->file);

	if (!rows->nr_left_out && end >= 0 && (size_t)end <= rows->room) {
		rows->bytes = (size_t)end;
		rows->nr++;
		return;
	}
	/* Nor does it take memory. */
	rows->nr_left_out++;
	(void)fseek(rows->file, (long)rows->bytes, SEEK_SET);
}

/* Everything is in @text then. */
static int finish(struct kmt_page_rows *rows, FILE *file)
{
	if (fflush(rows->file) != 0 || ferror(rows->file))
		return -ENOMEM;
	if (rows->nr_left_out)
		(void)fprintf(
			file,
			"<p>The first %zu of %zu: more have no room on a page. <code>--format "
			"json</code> has all.</p>\n",
			rows->nr, rows->nr + rows->nr_left_out);
	return 0;
}

int kmt_page_rows_put_table(struct kmt_page_rows *rows, const char *id, const char *title,
			    const struct kmt_page_column *columns, size_t nr_columns, FILE *file)
{
	int r;

	(void)fprintf(file, "<section><h2>%s</h2>\n", title);
	r = finish(rows, file);
	if (r < 0)
		return r;
	(void)fprintf(file,
		      "<div class=\"tools script\"><input type=\"search\" data-filter=\"%s\" "
		      "placeholder=\"filter\" aria-label=\"filter %s\"> <span "
		      "role=\"status\"></span></div>\n<div class=\"scroll\"><table "
		      "class=\"sortable\" id=\"%s\"><thead><tr>",
		      id, title, id);
	for (size_t i = 0; i < nr_columns; i++)
		(void)fprintf(file, "<th scope=\"col\" class=\"%s\">%s</th>", columns[i].class,
			      columns[i].name);
	(void)fputs("</tr></thead><tbody>\n", file);
	(void)fwrite(rows->text, 1, rows->bytes, file);
	(void)fputs("</tbody></table></div></section>\n", file);
	return 0;
}

int kmt_page_rows_put_list(struct kmt_page_rows *rows, const char *class, FILE *file)
{
	int r = finish(rows, file);

	if (r < 0)
		return r;
	(void)fprintf(file, "<ul class=\"%s\">\n", class);
	(void)fwrite(rows->text, 1, rows->bytes, file);
	(void)fputs("</ul>\n", file);
	return 0;
}
