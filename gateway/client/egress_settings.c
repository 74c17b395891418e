/*
 * egress_settings.c
 *		The settings of a program that makes requests to URLs that tenants have written.
 */
#include "client/egress_settings.h"

#include <stdio.h>
#include <unistd.h>

#include "client/resolve.h"

bool
egress_settings_check(EgressSettings *settings, char *problem, size_t size)
{
	for (size_t i = 0; i < settings->allowed.count; i++)
	{
		if (!egress_allow(&settings->rules, settings->allowed.texts[i]))
		{
			snprintf(problem, size, "--allow-target takes addresses and ranges like 10.0.0.0/8");
			return false;
		}
	}
	if (settings->resolver != NULL && !resolver_is_server(settings->resolver))
	{
		snprintf(problem, size, "--resolver takes an address and a port");
		return false;
	}
	if (settings->ca_file != NULL && access(settings->ca_file, R_OK) != 0)
	{
		snprintf(problem, size, "the file of --ca-file cannot be read");
		return false;
	}
	return true;
}
