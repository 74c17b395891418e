/*
 * dashboard.h
 *		The dashboard's files, as scripts/web puts them into the program.
 */
#ifndef API_DASHBOARD_H
#define API_DASHBOARD_H

#include <stddef.h>

typedef struct DashboardFile
{
	const char *name; /* relative to gateway/web: "index.html", "vendor/preact.js" */
	const char *type; /* Content-Type */
	const char *etag; /* including its quotation marks */
	const unsigned char *plain;
	size_t plain_len;
	const unsigned char *gzip; /* the same, compressed */
	size_t gzip_len;
} DashboardFile;

extern const DashboardFile dashboard_files[];
extern const int dashboard_file_count;

#endif
