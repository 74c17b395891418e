/*
 * fuzz_target.c
 *		The target of a request is taken apart within the room that was measured.
 */
#include <string.h>

#include "http/target.h"
#include "lib/utf8.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	HttpText path;
	HttpText query;
	HttpTargetSize size;
	HttpText *segments;
	HttpField *parameters;
	size_t n_parameters = 0;
	char *bytes;

	http_target_split((const char *) data, len, &path, &query);
	size = http_target_measure(path, query);
	segments = malloc(sizeof(*segments) * (size.n_segments + 1));
	parameters = malloc(sizeof(*parameters) * (size.n_parameters + 1));
	bytes = malloc(size.n_bytes + 1);
	if (http_target_decode(path, query, segments, parameters, &n_parameters, bytes) == NULL)
	{
		FUZZ_ASSERT(n_parameters <= size.n_parameters);
		for (size_t i = 0; i < size.n_segments; i++)
		{
			FUZZ_ASSERT(strlen(segments[i].data) == segments[i].len);
			FUZZ_ASSERT(utf8_valid(segments[i].data, segments[i].len));
			FUZZ_ASSERT(strcmp(segments[i].data, ".") != 0 && strcmp(segments[i].data, "..") != 0);
		}
	}
	free(segments);
	free(parameters);
	free(bytes);
	return 0;
}
