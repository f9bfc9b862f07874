/* httpd: a web server for many connections at once, by poll.

     httpd PORT [DIRECTORY]

   It serves a page of its own at /, and the files of the directory. Grants: --allow-listen PORT,
   --allow-file DIRECTORY, and --limit-sockets for more than 31 connections. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devnet_socket.h"

#define CONNECTIONS 256
#define REQUEST_BYTES 2048
#define PIECE_BYTES 16384

static const char page[] =
    "<!DOCTYPE html>\n<title>A guest</title>\n<h1>It works</h1>\n"
    "<p>This page was sent by a guest program: WebAssembly, made of C.\n";

/* A connection reads a request, sends a response, and reads again. */
struct connection {
    int stream; /* 0 for a free place; descriptor 0 is never a socket. */
    int file;   /* Where the rest of the body is; -1 for none. */
    int is_last;
    long long body_left;
    size_t held; /* Bytes of the request, or of the piece of the answer. */
    size_t sent;
    int is_sending;
    char bytes[PIECE_BYTES];
};

static struct connection connections[CONNECTIONS];
static const char *directory;

static void end(struct connection *one) {
    if (one->file >= 0) close(one->file);
    devnet_close(one->stream);
    one->stream = 0;
}

/* Writes the head of a response, and a body from memory, to the piece. */
static void answer(struct connection *one, const char *status, const char *kind, long long length,
                   const char *body) {
    int count = snprintf(
        one->bytes, sizeof one->bytes,
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %lld\r\nConnection: %s\r\n\r\n%s",
        status, kind, length, one->is_last ? "close" : "keep-alive", body);
    one->held = (size_t)count;
    one->sent = 0;
    one->is_sending = 1;
}

static void answer_text(struct connection *one, const char *status, const char *text) {
    answer(one, status, "text/html", (long long)strlen(text), text);
}

static const char *kind_of(const char *path) {
    const char *dot = strrchr(path, '.');
    if (dot && strcmp(dot, ".html") == 0) return "text/html";
    if (dot && strcmp(dot, ".txt") == 0) return "text/plain";
    return "application/octet-stream";
}

static void answer_file(struct connection *one, const char *name) {
    char path[512];
    struct stat about;
    if (strstr(name, "..") ||
        snprintf(path, sizeof path, "%s%s", directory, name) >= (int)sizeof path) {
        answer_text(one, "400 Bad Request", "<h1>Bad request</h1>\n");
        return;
    }
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about) < 0 || !S_ISREG(about.st_mode)) {
        if (file >= 0) close(file);
        answer_text(one, "404 Not Found", "<h1>Not found</h1>\n");
        return;
    }
    one->file = file;
    one->body_left = about.st_size;
    answer(one, "200 OK", kind_of(path), about.st_size, "");
}

/* Processes a complete request. */
static void request(struct connection *one) {
    char *path = strchr(one->bytes, ' '), *end_of_path = path ? strchr(path + 1, ' ') : 0;
    one->is_last =
        strstr(one->bytes, "HTTP/1.0\r\n") || strcasestr(one->bytes, "\r\nconnection: close");
    if (strncmp(one->bytes, "GET ", 4) != 0 || !end_of_path) {
        one->is_last = 1;
        answer_text(one, "501 Not Implemented", "<h1>Only GET</h1>\n");
        return;
    }
    char name[256];
    *end_of_path = 0;
    snprintf(name, sizeof name, "%s", path + 1);
    if (strcmp(name, "/") == 0) answer_text(one, "200 OK", page);
    else if (directory) answer_file(one, name);
    else answer_text(one, "404 Not Found", "<h1>Not found</h1>\n");
}

/* Reads available data; ends the connection at its end or if the request is too long. A request
   that arrives before the previous response is complete is dropped: common clients do not pipeline.
   */
static void receive(struct connection *one) {
    int32_t count = devnet_recv(one->stream, one->bytes + one->held, REQUEST_BYTES - 1 - one->held);
    if (count == -DEVNET_EAGAIN) return;
    if (count <= 0) {
        end(one);
        return;
    }
    one->held += (size_t)count;
    one->bytes[one->held] = 0;
    if (strstr(one->bytes, "\r\n\r\n")) request(one);
    else if (one->held == REQUEST_BYTES - 1) end(one);
}

/* Reads the next piece of the file; 0 if the response is complete, -1 if the file has become
   shorter. */
static int refill(struct connection *one) {
    if (one->file < 0) return 0;
    if (one->body_left == 0) {
        close(one->file);
        one->file = -1;
        return 0;
    }
    ssize_t count = read(one->file, one->bytes, sizeof one->bytes);
    if (count <= 0) return -1;
    if (count > one->body_left) count = (ssize_t)one->body_left;
    one->body_left -= count;
    one->held = (size_t)count;
    one->sent = 0;
    return 1;
}

static void transmit(struct connection *one) {
    for (;;) {
        while (one->sent < one->held) {
            int32_t count = devnet_send(one->stream, one->bytes + one->sent, one->held - one->sent);
            if (count == -DEVNET_EAGAIN) return;
            if (count < 0) {
                end(one);
                return;
            }
            one->sent += (size_t)count;
        }
        int more = refill(one);
        if (more > 0) continue;
        if (more < 0 || one->is_last) {
            end(one);
            return;
        }
        one->is_sending = 0;
        one->held = 0;
        return;
    }
}

/* Accepts all connections in the backlog. Returns 1 if there is room for more, or the error if
   there is not. */
static int take(int listener) {
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *one = &connections[i];
        if (one->stream) continue;
        int stream = devnet_accept(listener, 0);
        if (stream == -DEVNET_EAGAIN) return 1;
        if (stream < 0) return stream;
        devnet_set_non_blocking(stream, 1);
        devnet_set_option(stream, DEVNET_OPTION_NO_DELAY, 1);
        one->stream = stream;
        one->file = -1;
        one->held = one->sent = 0;
        one->is_sending = 0;
        /* The request often arrives with the connection. */
        receive(one);
        if (one->stream && one->is_sending) transmit(one);
    }
    return -DEVNET_EMFILE;
}

static int serve(int listener) {
    static struct devnet_pollfd entries[CONNECTIONS + 1];
    int room = 1;
    for (;;) {
        int live = 0;
        for (int i = 0; i < CONNECTIONS; i++) {
            int stream = connections[i].stream ? connections[i].stream : -1;
            live += stream >= 0;
            entries[i + 1] = (struct devnet_pollfd){
                stream, connections[i].is_sending ? DEVNET_OUT : DEVNET_IN, 0};
        }
        /* Without free sockets, new connections wait in the backlog until one ends. */
        if (live == 0 && room < 0 && room != -DEVNET_EMFILE) return room;
        entries[0] = (struct devnet_pollfd){room > 0 || live == 0 ? listener : -1, DEVNET_IN, 0};
        int ready = devnet_poll(entries, CONNECTIONS + 1, -1);
        if (ready < 0) return ready;
        for (int i = 0; i < CONNECTIONS; i++) {
            struct connection *one = &connections[i];
            if (!one->stream || !entries[i + 1].found) continue;
            if (!one->is_sending) receive(one);
            if (one->stream && one->is_sending) transmit(one);
            if (!one->stream) room = 1;
        }
        if (entries[0].found) room = take(listener);
    }
}

int main(int count, char **words) {
    int port = count > 1 ? atoi(words[1]) : 0;
    if (count < 2 || count > 3 || port < 1 || port > 65535) {
        fputs("usage: httpd PORT [DIRECTORY]\n", stderr);
        return 2;
    }
    directory = count == 3 ? words[2] : 0;
    int listener = devnet_listen_at((uint16_t)port, 128);
    if (listener >= 0) {
        devnet_set_non_blocking(listener, 1);
        printf("serving at port %d\n", port);
        fflush(stdout);
        listener = serve(listener);
    }
    fprintf(stderr, "httpd: %s\n", devnet_error_text(listener));
    return 1;
}
