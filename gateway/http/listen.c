/*
 * listen.c
 *		Parses the address to listen on, and binds a socket to it; see listen.h.
 *
 * An address is "127.0.0.1:8080", "[::1]:8080" or "*:8080" (every address).  Names are not
 * looked up, because the address that a gateway listens on should not depend on a resolver.
 */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http.h"

#define PORT_MAX 65535

static bool
parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long number;

	if (text[0] < '0' || text[0] > '9')
		return false;
	number = strtoul(text, &end, 10);
	*port = (uint16_t) number;
	return *end == '\0' && number <= PORT_MAX;
}

/* Sets the address of a host (without brackets); false when it is not an IP address. */
static bool
parse_host(const char *host, bool bracket, uint16_t port, struct sockaddr_storage *address,
		   socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) address;

	memset(address, 0, sizeof(*address));
	if (!bracket && strcmp(host, "*") != 0 && inet_pton(AF_INET, host, &v4->sin_addr) == 1)
	{
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*size = sizeof(*v4);
		return true;
	}

	/* "*" is the IPv6 wildcard address, which accepts IPv4 as well */
	if (strcmp(host, "*") != 0 && (!bracket || inet_pton(AF_INET6, host, &v6->sin6_addr) != 1))
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	*size = sizeof(*v6);
	return true;
}

static bool
parse(const char *listen, struct sockaddr_storage *address, socklen_t *size)
{
	const char *colon = strrchr(listen, ':');
	bool bracket = listen[0] == '[';
	char host[INET6_ADDRSTRLEN + 1];
	size_t len = colon != NULL ? (size_t) (colon - listen) : 0;
	uint16_t port;

	if (bracket && (len < 2 || listen[len - 1] != ']'))
		return false;
	if (bracket)
	{
		listen++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host) || !parse_port(colon + 1, &port))
		return false;
	memcpy(host, listen, len);
	host[len] = '\0';
	return parse_host(host, bracket, port, address, size);
}

bool
http_listen_check(const char *listen, char *error, size_t error_size)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (parse(listen, &address, &size))
		return true;
	snprintf(error, error_size,
			 "invalid address to listen on \"%s\": it must be IPV4:PORT, [IPV6]:PORT or *:PORT",
			 listen);
	return false;
}

/* On a system without IPv6, "*" means every IPv4 address. */
static void
fall_back_to_ipv4(struct sockaddr_storage *address, socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	uint16_t port = ((struct sockaddr_in6 *) address)->sin6_port;

	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	*size = sizeof(*v4);
}

/* Sets the options and binds; false and errno when it could not. */
static bool
set_up(int fd, const struct sockaddr_storage *address, socklen_t size, bool both, bool reuse_port)
{
	const int on = 1;
	const int v6_only = both ? 0 : 1;

	if (address->ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) != 0)
		return false;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		   (!reuse_port || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
		   bind(fd, (const struct sockaddr *) address, size) == 0;
}

int
http_listen_bind(const char *listen, bool reuse_port, char *error, size_t error_size)
{
	struct sockaddr_storage address;
	socklen_t size;
	bool all = listen[0] == '*';
	int fd;

	if (!parse(listen, &address, &size))
	{
		http_listen_check(listen, error, error_size);
		return -1;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && all)
	{
		fall_back_to_ipv4(&address, &size);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0 || !set_up(fd, &address, size, all, reuse_port))
	{
		snprintf(error, error_size, "could not listen on %s: %s", listen, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

void
http_listen_name(const struct sockaddr *address, char *name, size_t size, int *port)
{
	const void *bytes = &((const struct sockaddr_in *) address)->sin_addr;
	int family = address->sa_family;

	*port = 0;
	snprintf(name, size, "unknown");
	if (family == AF_INET)
		*port = ntohs(((const struct sockaddr_in *) address)->sin_port);
	else if (family == AF_INET6)
	{
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) address;

		*port = ntohs(v6->sin6_port);
		bytes = &v6->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		{
			family = AF_INET;
			bytes = v6->sin6_addr.s6_addr + 12;
		}
	}
	else
		return;
	inet_ntop(family, bytes, name, (socklen_t) size);
}

int
http_reserve_port(const char *listen, char *bound, size_t bound_size, char *error,
				  size_t error_size)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int fd = http_listen_bind(listen, true, error, error_size);
	int port;
	char name[INET6_ADDRSTRLEN];

	if (fd < 0)
		return -1;
	if (getsockname(fd, (struct sockaddr *) &address, &size) != 0)
	{
		snprintf(error, error_size, "could not read the bound address: %s", strerror(errno));
		close(fd);
		return -1;
	}
	http_listen_name((struct sockaddr *) &address, name, sizeof(name), &port);
	if (listen[0] == '*')
		snprintf(bound, bound_size, "*:%d", port);
	else if (address.ss_family == AF_INET6)
		snprintf(bound, bound_size, "[%s]:%d", name, port);
	else
		snprintf(bound, bound_size, "%s:%d", name, port);
	return fd;
}
