/*
 * egress_settings.h
 *		The settings of a program that makes requests to URLs that tenants have written.
 */
#ifndef CLIENT_EGRESS_SETTINGS_H
#define CLIENT_EGRESS_SETTINGS_H

#include "client/egress.h"
#include "lib/config.h"

/* All texts are borrowed from argv and the environment. */
typedef struct EgressSettings
{
	ConfigList allowed;
	const char *resolver; /* NULL: the system's name servers */
	const char *ca_file;  /* NULL: the system's certificates */
	EgressRules rules;    /* made from the ranges that "allowed" lists */
} EgressSettings;

/*
 * Rows of a program's table of options.  prefix is that of its environment, "WA_WORKER".  allow is
 * the variable of the allowed ranges: those of different programs differ, because what may be sent
 * somewhere may not be read from there.
 */
#define EGRESS_OPTIONS(prefix, allow, settings, what, who)                                        \
	{.flag = "allow-target",                                                                      \
	 .environment = (allow),                                                                      \
	 .argument = "CIDR",                                                                          \
	 .kind = CONFIG_LIST,                                                                         \
	 .target = &(settings).allowed,                                                               \
	 .help = what " may lead to these addresses besides the Internet's (every tenant's may)"},    \
		{.flag = "resolver",                                                                      \
		 .environment = prefix "_RESOLVER",                                                       \
		 .argument = "ADDR:PORT",                                                                 \
		 .kind = CONFIG_TEXT,                                                                     \
		 .target = &(settings).resolver,                                                          \
		 .help = "name server to ask, and nothing else (default: /etc/resolv.conf and "           \
				 "/etc/hosts)"},                                                                  \
	{                                                                                             \
		.flag = "ca-file", .environment = prefix "_CA_FILE", .argument = "FILE",                  \
		.kind = CONFIG_TEXT, .target = &(settings).ca_file,                                       \
		.help =                                                                                   \
			"authorities (PEM) that " who " certificates are verified by (default: the system's)" \
	}

/*
 * Fills in rules, and checks what can be checked without a network.  Returns false when something
 * is wrong; problem (of size bytes) then says what.
 */
extern bool egress_settings_check(EgressSettings *settings, char *problem, size_t size);

#endif
