/*
 * openapi.h
 *		The OpenAPI document, which scripts/openapi builds into the program, and its rows as JSON.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stddef.h>

extern const char openapi_document[]; /* JSON */
extern const size_t openapi_document_length;
extern const char openapi_etag[]; /* including its quotation marks */

extern const char document_endpoints_json[];

#endif
