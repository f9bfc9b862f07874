/* fetch: gets a document from a web server.

     fetch http://HOST[:PORT]/PATH [FILE]

   The body goes to the file, or to standard output. Grants: --allow-connect HOST:PORT, and
   --allow-file FILE:write. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "devnet_socket.h"

#define HEAD_BYTES 8192
#define PIECE_BYTES 65536
/* Bytes of the receive buffer: the bandwidth-delay product of a long path. */
#define WINDOW_BYTES (1 << 20)

static int complain(const char *what, const char *why) {
    fprintf(stderr, "fetch: %s: %s\n", what, why);
    return 1;
}

struct url {
    char host[256];
    uint16_t port;
    const char *path;
};

static int parse(const char *text, struct url *url) {
    if (strncmp(text, "http://", 7) != 0) return -1;
    const char *host = text + 7, *path = strchr(host, '/');
    size_t length = path ? (size_t)(path - host) : strlen(host);
    if (length == 0 || length >= sizeof url->host) return -1;
    memcpy(url->host, host, length);
    url->host[length] = 0;
    url->path = path ? path : "/";
    url->port = 80;
    /* The last colon begins a port, unless it is inside the brackets of an IPv6 address. */
    char *colon = strrchr(url->host, ':'), *bracket = strrchr(url->host, ']');
    if (colon && (!bracket || colon > bracket)) {
        long port = strtol(colon + 1, 0, 10);
        if (port < 1 || port > 65535) return -1;
        url->port = (uint16_t)port;
        *colon = 0;
    }
    if (url->host[0] == '[' && bracket) {
        *bracket = 0;
        memmove(url->host, url->host + 1, strlen(url->host));
    }
    return 0;
}

static int write_all(int file, const char *data, size_t length) {
    while (length > 0) {
        ssize_t count = write(file, data, length);
        if (count <= 0) return -1;
        data += count;
        length -= (size_t)count;
    }
    return 0;
}

/* Reads the complete head. Returns the number of bytes read, and the offset of the body. */
static int read_head(int stream, char *buffer, size_t *body) {
    size_t held = 0;
    while (held < HEAD_BYTES) {
        int32_t count = devnet_recv(stream, buffer + held, HEAD_BYTES - held);
        if (count <= 0) return count < 0 ? count : -DEVNET_ECONNRESET;
        held += (size_t)count;
        buffer[held] = 0;
        char *end = strstr(buffer, "\r\n\r\n");
        if (end) {
            *end = 0;
            *body = (size_t)(end - buffer) + 4;
            return (int)held;
        }
    }
    return -DEVNET_EMSGSIZE;
}

/* Returns the Content-Length of a head; -1 if it has none. */
static long long content_length(const char *head) {
    for (const char *line = head; (line = strstr(line, "\r\n"));) {
        line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0) return strtoll(line + 15, 0, 10);
    }
    return -1;
}

static int copy_body(int stream, int file, long long left) {
    static char piece[PIECE_BYTES];
    while (left != 0) {
        int32_t count =
            devnet_recv(stream, piece, left < 0 || left > PIECE_BYTES ? PIECE_BYTES : (size_t)left);
        if (count < 0) return complain("receiving", devnet_error_text(count));
        if (count == 0) return left > 0 ? complain("receiving", "the document ended early") : 0;
        if (write_all(file, piece, (size_t)count) < 0) return complain("writing", strerror(errno));
        if (left > 0) left -= count;
    }
    return 0;
}

static int fetch(int stream, const struct url *url, const char *path) {
    static char head[HEAD_BYTES + 1];
    size_t body;
    int length =
        snprintf(head, sizeof head, "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: fetch\r\n\r\n",
                 url->path, url->host);
    int error = length < (int)sizeof head ? devnet_write_all(stream, head, (size_t)length)
                                          : -DEVNET_EMSGSIZE;
    if (error >= 0) error = read_head(stream, head, &body);
    if (error < 0) return complain(url->host, devnet_error_text(error));
    size_t held = (size_t)error;
    const char *status = strchr(head, ' ');
    if (!status || atoi(status) != 200)
        return complain(url->path, status ? status + 1 : "not an HTTP answer");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : STDOUT_FILENO;
    if (file < 0) return complain(path, strerror(errno));
    long long left = content_length(head);
    size_t early = left >= 0 && (unsigned long long)left < held - body ? (size_t)left : held - body;
    if (write_all(file, head + body, early) < 0) return complain("writing", strerror(errno));
    return copy_body(stream, file, left < 0 ? left : left - (long long)early);
}

int main(int count, char **words) {
    struct url url;
    if (count < 2 || count > 3 || parse(words[1], &url) < 0) {
        fputs("usage: fetch http://HOST[:PORT]/PATH [FILE]\n", stderr);
        return 2;
    }
    int stream = devnet_connect_name(url.host, url.port, WINDOW_BYTES);
    if (stream < 0) return complain(url.host, devnet_error_text(stream));
    int status = fetch(stream, &url, count == 3 ? words[2] : 0);
    devnet_close(stream);
    return status;
}
