/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_PARTS_H
#define KMT_REPORT_HTML_PARTS_H

/* The files of html/, made into C by html/embed.py. */
extern const char kmt_html_style[], kmt_html_script[];
extern const char kmt_html_script_hash[]; /* "sha256-...", as a Content-Security-Policy has it */

#endif
