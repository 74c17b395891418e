/*
 * http_samples.c
 *		Requests that must be refused, and requests that must be accepted.
 */
#include "tests/unit/http_samples.h"

#define SAMPLE(name, status, text)                 \
	{                                              \
		name, text, sizeof(text) - 1, status, NULL \
	}
#define ACCEPTED(name, body, text)              \
	{                                           \
		name, text, sizeof(text) - 1, 200, body \
	}

#define GET "GET /echo HTTP/1.1\r\n"
#define POST "POST /echo HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define CHUNKED POST HOST "Transfer-Encoding: chunked\r\n\r\n"

const HttpSample http_refused[] = {
	/* line endings and white space */
	SAMPLE("bare LF behind the request line", 400, "GET /echo HTTP/1.1\nHost: a\r\n\r\n"),
	SAMPLE("bare LF behind a field", 400, GET "Host: a\nX-A: b\r\n\r\n"),
	SAMPLE("bare LF as the empty line", 400, GET HOST "\n"),
	SAMPLE("CR LF LF as the end", 400, GET "Host: a\r\n\nX"),
	SAMPLE("bare CR in the request line", 400, "GET /echo HTTP/1.1\rHost: a\r\n\r\n"),
	SAMPLE("bare CR in a value", 400, GET "Host: a\r\nX-A: b\rc\r\n\r\n"),
	SAMPLE("bare CR as the empty line", 400, GET HOST "\rX"),
	SAMPLE("two empty lines before the request", 400, "\r\n\r\n" GET HOST "\r\n"),
	SAMPLE("bare LF before the request", 400, "\n" GET HOST "\r\n"),
	SAMPLE("bare CR before the request", 400, "\r" GET HOST "\r\n"),
	SAMPLE("folded field", 400, GET HOST "X-A: b\r\n c\r\n\r\n"),
	SAMPLE("folded field with a tab", 400, GET HOST "X-A: b\r\n\tc\r\n\r\n"),
	SAMPLE("folded first field", 400, GET " Host: a\r\n\r\n"),
	SAMPLE("folded Transfer-Encoding", 400,
		   POST HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),

	/* field names and values */
	SAMPLE("space before the colon", 400, GET "Host : a\r\n\r\n"),
	SAMPLE("tab before the colon", 400, GET HOST "Content-Length\t: 0\r\n\r\n"),
	SAMPLE("empty field name", 400, GET HOST ": b\r\n\r\n"),
	SAMPLE("field without a colon", 400, GET HOST "X-A\r\n\r\n"),
	SAMPLE("field name that is no token", 400, GET HOST "X(A): b\r\n\r\n"),
	SAMPLE("field name that is not ASCII", 400, GET HOST "X\xC3\xA4: b\r\n\r\n"),
	SAMPLE("NUL in a name", 400, GET HOST "X\0A: b\r\n\r\n"),
	SAMPLE("NUL in a value", 400, GET HOST "X-A: b\0c\r\n\r\n"),
	SAMPLE("control character in a value", 400, GET HOST "X-A: b\x01\r\n\r\n"),
	SAMPLE("DEL in a value", 400, GET HOST "X-A: b\x7F\r\n\r\n"),

	/* the request line */
	SAMPLE("no method", 400, " /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("two spaces behind the method", 400, "GET  /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("two spaces before the version", 400, "GET /echo  HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("space behind the version", 400, "GET /echo HTTP/1.1 \r\n" HOST "\r\n"),
	SAMPLE("tab as the separator", 400, "GET\t/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("method that is no token", 400, "G(T /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("method in lower case", 501, "get /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("unknown method", 501, "BREW /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("very long method", 501, "ABCDEFGHIJKLMNOPQRSTUVWXYZ /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("CONNECT", 501, "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("TRACE", 501, "TRACE /echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("HTTP/2 without TLS", 501, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	SAMPLE("HTTP/1.0", 505, "GET /echo HTTP/1.0\r\n" HOST "\r\n"),
	SAMPLE("HTTP/1.2", 505, "GET /echo HTTP/1.2\r\n" HOST "\r\n"),
	SAMPLE("HTTP/2.0", 505, "GET /echo HTTP/2.0\r\n" HOST "\r\n"),
	SAMPLE("HTTP/0.9", 400, "GET /echo\r\n"),
	SAMPLE("version in lower case", 400, "GET /echo http/1.1\r\n" HOST "\r\n"),
	SAMPLE("version with more digits", 400, "GET /echo HTTP/1.10\r\n" HOST "\r\n"),
	SAMPLE("TLS on the plain port", 400, "\x16\x03\x01\x02\x00\x01"),

	/* the target */
	SAMPLE("absolute form of another host", 400, "GET http://b/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form of a longer host", 400, "GET http://ab/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form of another port", 400, "GET http://a:80/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form without Host", 400, "GET http://a/echo HTTP/1.1\r\n\r\n"),
	SAMPLE("absolute form with a user", 400, "GET http://u@a/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form without a host", 400, "GET http:///echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form of another scheme", 400, "GET ftp://a/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("absolute form with a backslash", 400, "GET http:\\\\a/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("fragment behind the host", 400, "GET http://a#/echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("authority form", 400, "GET a:80 HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("asterisk form of a GET", 400, "GET * HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("asterisk with a path", 400, "OPTIONS */echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("target without a slash", 400, "GET echo HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("NUL in the target", 400, "GET /ec\0ho HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("control character in the target", 400, "GET /ec\x01ho HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("raw UTF-8 in the target", 400, "GET /\xC3\xA4 HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("fragment in the target", 400, "GET /echo#a HTTP/1.1\r\n" HOST "\r\n"),
	SAMPLE("backslash in the path", 400, "GET /a\\..\\b HTTP/1.1\r\n" HOST "\r\n"),

	/* Host */
	SAMPLE("no Host", 400, GET "\r\n"),
	SAMPLE("two Hosts", 400, GET HOST HOST "\r\n"),
	SAMPLE("empty Host", 400, GET "Host:\r\n\r\n"),
	SAMPLE("Host with a user", 400, GET "Host: a@b\r\n\r\n"),
	SAMPLE("Host with a path", 400, GET "Host: a/b\r\n\r\n"),
	SAMPLE("Host with a space", 400, GET "Host: a b\r\n\r\n"),
	SAMPLE("list of Hosts", 400, GET "Host: a, b\r\n\r\n"),
	SAMPLE("Host with a bad port", 400, GET "Host: a:b\r\n\r\n"),
	SAMPLE("Host with an open bracket", 400, GET "Host: [::1\r\n\r\n"),

	/* lengths */
	SAMPLE("two equal lengths", 400, POST HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
	SAMPLE("two lengths that differ", 400,
		   POST HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
	SAMPLE("list of lengths", 400, POST HOST "Content-Length: 1, 1\r\n\r\na"),
	SAMPLE("length with a plus", 400, POST HOST "Content-Length: +1\r\n\r\na"),
	SAMPLE("length with a minus", 400, POST HOST "Content-Length: -1\r\n\r\na"),
	SAMPLE("hexadecimal length", 400, POST HOST "Content-Length: 0x1\r\n\r\na"),
	SAMPLE("length with a space in it", 400, POST HOST "Content-Length: 1 1\r\n\r\na"),
	SAMPLE("length with a vertical tab", 400, POST HOST "Content-Length: \v1\r\n\r\na"),
	SAMPLE("empty length", 400, POST HOST "Content-Length:\r\n\r\n"),
	SAMPLE("length beyond 64 bits", 400, POST HOST "Content-Length: 18446744073709551617\r\n\r\na"),
	SAMPLE("length with Transfer-Encoding", 400,
		   POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	SAMPLE("Transfer-Encoding with length", 400,
		   POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),

	/* transfer codings */
	SAMPLE("chunked twice", 400,
		   POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	SAMPLE("list of codings", 400, POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	SAMPLE("chunked not last", 400, POST HOST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
	SAMPLE("identity", 400, POST HOST "Transfer-Encoding: identity\r\n\r\n"),
	SAMPLE("unknown coding", 400, POST HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	SAMPLE("quoted coding", 400, POST HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	SAMPLE("coding with a parameter", 400,
		   POST HOST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"),
	SAMPLE("empty coding", 400, POST HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),

	/* chunks */
	SAMPLE("empty chunk extension", 400, CHUNKED "1;\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension without a size", 400, CHUNKED ";a\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension without a value", 400, CHUNKED "1;a=\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension without a name", 400, CHUNKED "1;=b\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension behind white space", 400, CHUNKED "1 ;a\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension with white space", 400, CHUNKED "1;a =b\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension that ends with LF", 400, CHUNKED "1;a\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension with CR", 400, CHUNKED "1;a\rb\r\na\r\n0\r\n\r\n"),
	SAMPLE("line end in a quoted extension", 400, CHUNKED "1;a=\"\r\n\"\r\na\r\n0\r\n\r\n"),
	SAMPLE("LF in a quoted extension", 400, CHUNKED "1;a=\"\n\"\r\na\r\n0\r\n\r\n"),
	SAMPLE("escaped LF in a quoted extension", 400, CHUNKED "1;a=\"\\\n\"\r\na\r\n0\r\n\r\n"),
	SAMPLE("escape in a quoted extension", 400, CHUNKED "1;a=\"\\\"\"\r\na\r\n0\r\n\r\n"),
	SAMPLE("text behind a quoted extension", 400, CHUNKED "1;a=\"b\"c\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk extension behind a value", 400, CHUNKED "1;a=b;c\r\na\r\n0\r\n\r\n"),
	SAMPLE("NUL in a chunk extension", 400, CHUNKED "1;a\0\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size with a space", 400, CHUNKED "1 \r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size behind a space", 400, CHUNKED " 1\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size with a plus", 400, CHUNKED "+1\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size with 0x", 400, CHUNKED "0x1\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size that is no number", 400, CHUNKED "g\r\na\r\n0\r\n\r\n"),
	SAMPLE("no chunk size", 400, CHUNKED "\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size of nine digits", 400, CHUNKED "000000001\r\na\r\n0\r\n\r\n"),
	SAMPLE("chunk size beyond 64 bits", 400, CHUNKED "10000000000000001\r\na\r\n0\r\n\r\n"),
	SAMPLE("bare LF behind a chunk size", 400, CHUNKED "1\na\r\n0\r\n\r\n"),
	SAMPLE("bare CR behind a chunk size", 400, CHUNKED "1\ra\r\n0\r\n\r\n"),
	SAMPLE("bare LF behind a chunk", 400, CHUNKED "1\r\na\n0\r\n\r\n"),
	SAMPLE("chunk longer than its size", 400, CHUNKED "1\r\nab\r\n0\r\n\r\n"),
	SAMPLE("bare LF behind the last chunk", 400, CHUNKED "0\n\n"),
	SAMPLE("trailer with a length", 400, CHUNKED "0\r\nContent-Length: 5\r\n\r\n"),
	SAMPLE("trailer with a coding", 400, CHUNKED "0\r\nTransfer-encoding: chunked\r\n\r\n"),
	SAMPLE("trailer with a host", 400, CHUNKED "0\r\nX-A: b\r\nHOST: a\r\n\r\n"),
	SAMPLE("trailer with a credential", 400, CHUNKED "0\r\nx-api-key: a\r\n\r\n"),
	SAMPLE("trailer with Connection", 400, CHUNKED "0\r\nConnection: upgrade\r\n\r\n"),
	SAMPLE("trailer without a colon", 400, CHUNKED "0\r\nX-A\r\n\r\n"),
	SAMPLE("folded trailer", 400, CHUNKED "0\r\nX-A: b\r\n c\r\n\r\n"),
	SAMPLE("bare LF in a trailer", 400, CHUNKED "0\r\nX-A: b\n\r\n"),
	SAMPLE("bare LF behind a trailer", 400, CHUNKED "0\r\nX-A: b\r\n\n"),
	SAMPLE("NUL in a trailer", 400, CHUNKED "0\r\nX-A: \0\r\n\r\n"),
	SAMPLE("chunk larger than a body may be", 413, CHUNKED "100001\r\n"),
	SAMPLE("chunks larger than a body may be", 413, CHUNKED "1\r\na\r\n100000\r\n"),
};
const int http_n_refused = (int) (sizeof(http_refused) / sizeof(http_refused[0]));

const HttpSample http_accepted[] = {
	ACCEPTED("the shortest", "", GET HOST "\r\n"),
	ACCEPTED("fields in any case, with white space", "",
			 GET "hOST:\t example.org:8080 \t\r\nX-Empty:\r\nX-A:b\r\nX-Latin: \xE4\r\n\r\n"),
	ACCEPTED("IPv6 host", "", GET "Host: [::1]:80\r\n\r\n"),
	ACCEPTED("all that may stand in a target", "",
			 "GET /echo?a=%C3%A4&b=[x]|{y}^`\\+*'(),;:@!$~ HTTP/1.1\r\n" HOST "\r\n"),
	ACCEPTED("length of zero", "", POST HOST "Content-Length: 0\r\n\r\n"),
	ACCEPTED("body by length", "hello", POST HOST "Content-Length: 5\r\n\r\nhello"),
	ACCEPTED("length with zeros before it", "hello", POST HOST "Content-Length: 005\r\n\r\nhello"),
	ACCEPTED("body of a GET", "hello", GET HOST "Content-Length: 5\r\n\r\nhello"),
	ACCEPTED("empty chunked body", "", CHUNKED "0\r\n\r\n"),
	ACCEPTED("chunks", "hello world", CHUNKED "5\r\nhello\r\n006\r\n world\r\n0\r\n\r\n"),
	ACCEPTED("hexadecimal sizes in both cases", "0123456789abcdefghijk",
			 POST HOST "transfer-encoding: CHUNKED\r\n\r\n"
					   "A\r\n0123456789\r\nb\r\nabcdefghijk\r\n00\r\n\r\n"),
	ACCEPTED("a chunk that looks like a request", "GET / HTTP/1.1\r\n\r\n",
			 CHUNKED "12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"),
	ACCEPTED("an upgrade that nobody takes", "",
			 GET HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
	ACCEPTED("PATCH", "{}", "PATCH /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}"),
	ACCEPTED("DELETE", "", "DELETE /echo HTTP/1.1\r\n" HOST "\r\n"),
	ACCEPTED("OPTIONS", "", "OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n"),
	ACCEPTED("PUT", "x", "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"),
	ACCEPTED("an empty line before the request", "", "\r\n" GET HOST "\r\n"),
	ACCEPTED("absolute form", "", "GET http://a/echo HTTP/1.1\r\n" HOST "\r\n"),
	ACCEPTED("absolute form in other cases", "",
			 "GET HTTPS://Example.ORG:8443/echo?a=/ HTTP/1.1\r\nHost: example.org:8443\r\n\r\n"),
	ACCEPTED("absolute form with an IPv6 host", "",
			 "GET http://[::1]:80/echo HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
	ACCEPTED("chunk extensions", "hello world",
			 CHUNKED "5;a\r\nhello\r\n006;a;c-d=\"e; =\";f\r\n world\r\n0;a=1\r\n\r\n"),
	ACCEPTED("trailer fields", "hello",
			 CHUNKED "5\r\nhello\r\n0\r\nX-Checksum: 1\r\nServer-Timing:\r\n\r\n"),
	ACCEPTED("trailer fields behind an extension", "", CHUNKED "0;last\r\nX-A:\t b \r\n\r\n"),
};
const int http_n_accepted = (int) (sizeof(http_accepted) / sizeof(http_accepted[0]));
