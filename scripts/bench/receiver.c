/*
 * receiver.c
 *		A receiver of webhooks for scripts/bench/deliveries that costs as little as possible.
 *
 * It listens on a port of all local addresses and answers each request with 200 at once.  It
 * prints the port.  For each line on its standard input it prints the number of requests
 * since the line before, the number of connections that were accepted, and the median, the
 * 99th percentile and the maximum of the milliseconds from the timestamp of the event to its
 * arrival.  It ends at the end of its input.
 *
 * It expects requests of wa-worker and is no example of how to read HTTP.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 20000
#define REQUEST_MAX (64 * 1024)
#define EVENTS_MAX 256
#define MS_MAX 100000

typedef struct Connection
{
	size_t len;
	char bytes[REQUEST_MAX];
} Connection;

static Connection *connections[CONNECTIONS_MAX];
static long histogram[MS_MAX + 1];
static long requests;
static long accepted;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
note(const char *body, size_t len)
{
	static const char name[] = "\"timestamp\":";
	const char *at = memmem(body, len, name, sizeof(name) - 1);
	int64_t ms = at == NULL ? 0 : now_ms() - strtoll(at + sizeof(name) - 1, NULL, 10);

	requests++;
	histogram[ms < 0 ? 0 : ms > MS_MAX ? MS_MAX : ms]++;
}

/* The length of the request at the start of the bytes; 0: it is not complete. */
static size_t
request_len(const char *bytes, size_t len, size_t *body)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	const char *length;

	if (end == NULL)
		return 0;
	length = memmem(bytes, (size_t) (end - bytes), name, sizeof(name) - 1);
	*body = length == NULL ? 0 : strtoul(length + sizeof(name) - 1, NULL, 10);
	return (size_t) (end - bytes) + 4 + *body <= len ? (size_t) (end - bytes) + 4 + *body : 0;
}

static bool
answer(int fd, Connection *connection)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	size_t body;
	size_t len;

	while ((len = request_len(connection->bytes, connection->len, &body)) > 0)
	{
		note(connection->bytes + len - body, body);
		connection->len -= len;
		memmove(connection->bytes, connection->bytes + len, connection->len);
		if (write(fd, text, sizeof(text) - 1) != sizeof(text) - 1)
			return false;
	}
	return connection->len < REQUEST_MAX;
}

static void
serve(int fd)
{
	Connection *connection = connections[fd];
	ssize_t got;

	if (connection == NULL)
		return;
	got = read(fd, connection->bytes + connection->len, REQUEST_MAX - connection->len);

	connection->len += got > 0 ? (size_t) got : 0;
	if (got > 0 && answer(fd, connection))
		return;
	close(fd);
	free(connection);
	connections[fd] = NULL;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "epoll_ctl");
}

static void
accept_one(int epoll, int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	if (fd >= CONNECTIONS_MAX || (connections[fd] = calloc(1, sizeof(Connection))) == NULL)
		errx(1, "too many connections");
	accepted++;
	watch(epoll, fd);
}

static int
percentile(double share)
{
	long seen = 0;
	int ms = 0;

	while (ms < MS_MAX && (seen += histogram[ms]) < (long) ((double) requests * share))
		ms++;
	return ms;
}

static void
tell(void)
{
	int worst = MS_MAX;
	char line[64];

	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		exit(0);
	while (worst > 0 && histogram[worst] == 0)
		worst--;
	printf("%ld %ld %d %d %d\n", requests, accepted, percentile(0.5), percentile(0.99), worst);
	fflush(stdout);
	memset(histogram, 0, sizeof(histogram));
	requests = 0;
	accepted = 0;
}

static int
listen_anywhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	if (bind(fd, (struct sockaddr *) &address, size) != 0 || listen(fd, 4096) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &size) != 0)
		err(1, "listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int
main(void)
{
	int epoll = epoll_create1(0);
	int listener = listen_anywhere();
	struct epoll_event events[EVENTS_MAX];

	watch(epoll, listener);
	watch(epoll, STDIN_FILENO);
	for (;;)
	{
		int count = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++)
		{
			int fd = events[i].data.fd;

			if (fd == listener)
				accept_one(epoll, listener);
			else if (fd == STDIN_FILENO)
				tell();
			else
				serve(fd);
		}
	}
}
