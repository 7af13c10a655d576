// SPDX-License-Identifier: LGPL-2.1-only
#include <stdarg.h>
#include <string.h>

#include "kmemtape/units.h"

#include "html-parts.h"
#include "page.h"

#define TEXT_BYTES 2400

void kmt_page_begin(FILE *file, const char *title)
{
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
		    file);
	/* Whatever gets into the page: only this script runs, and nothing is loaded. */
	(void)fprintf(file,
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'unsafe-inline'; script-src '%s'; base-uri 'none'; "
		      "form-action 'none'\">\n",
		      kmt_html_script_hash);
	(void)fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
		    file);
	kmt_page_text(file, title);
	(void)fprintf(file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", kmt_html_style);
}

void kmt_page_end(FILE *file)
{
	(void)fprintf(file, "<script>%s</script>\n</body>\n</html>\n", kmt_html_script);
}

void kmt_page_text(FILE *file, const char *text)
{
	for (const char *at = text; *at; at++)
		switch (*at) {
		case '<':
			(void)fputs("&lt;", file);
			break;
		case '>':
			(void)fputs("&gt;", file);
			break;
		case '&':
			(void)fputs("&amp;", file);
			break;
		case '"':
			(void)fputs("&quot;", file);
			break;
		case '\'':
			(void)fputs("&#39;", file);
			break;
		default:
			(void)fputc(*at, file);
		}
}

void kmt_page_raw(FILE *file, const char *text)
{
	char safe[TEXT_BYTES];

	kmt_page_text(file, kmt_escape(safe, sizeof(safe), text));
}

void kmt_page_textf(FILE *file, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kmt_page_text(file, text);
}

void kmt_page_data_begin(FILE *file)
{
	(void)fputs("<script type=\"application/json\" id=\"data\">", file);
}

void kmt_page_data_end(FILE *file)
{
	(void)fputs("</script>\n", file);
}

/* These occur in strings alone. Separators of lines are no concern of JSON in an element, but of
 * whoever copies it into a program. Return: what stands for the character at @at, of @ret_length
 * bytes; NULL: itself. */
static const char *stand_in(const char *at, size_t *ret_length)
{
	*ret_length = 1;
	if (*at == '<')
		return "\\u003c";
	if (*at == '>')
		return "\\u003e";
	if (*at == '&')
		return "\\u0026";
	if (strncmp(at, "\xe2\x80\xa8", 3) != 0 && strncmp(at, "\xe2\x80\xa9", 3) != 0)
		return NULL;
	*ret_length = 3;
	return at[2] == '\xa8' ? "\\u2028" : "\\u2029";
}

void kmt_page_json(FILE *file, const char *json)
{
	size_t length;

	for (const char *at = json; *at; at += length) {
		const char *other = stand_in(at, &length);

		if (other)
			(void)fputs(other, file);
		else
			(void)fputc(*at, file);
	}
}

size_t kmt_page_json_bytes(const char *json)
{
	size_t bytes = 0, length;

	for (const char *at = json; *at; at += length)
		bytes += stand_in(at, &length) ? strlen("\\u003c") : 1;
	return bytes;
}
