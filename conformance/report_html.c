/* SPDX-License-Identifier: MIT */
/*
 * The page: page.html with the JSON report in the place of its marker.
 */
#include "file.h"
#include "report.h"

#include <string.h>

void report_html(FILE *out, const struct results *results)
{
    static const char marker[] = "@REPORT@";
    const char *at = strstr(file_page, marker);

    fwrite(file_page, 1, (size_t)(at - file_page), out);
    report_json(out, results);
    fputs(at + strlen(marker), out);
}
