/*
 * openapi.h
 *		The OpenAPI document, as scripts/openapi puts it into the program, and its rows as JSON.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stddef.h>

extern const char openapi_document[]; /* JSON */
extern const size_t openapi_document_length;
extern const char openapi_etag[]; /* with its quotation marks */

extern const char document_endpoints_json[];

#endif
