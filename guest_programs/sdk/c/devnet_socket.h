/* devnet_socket.h: BSD sockets for guest programs in C, over module "vfs" alone.

   Header only, C99, with a C library or without one (then compile with -mbulk-memory, or bring
   memcpy). No global state, no heap: every buffer is the caller's, or has a size that is defined
   below.

   A socket is a descriptor. devnet_read, devnet_write, devnet_poll, devnet_close, and read, write,
   poll and close of the C library work on it. Every function returns a negative error of devnet.h
   (-DEVNET_ECONNREFUSED), or 0 or a number; none sets errno. */
#ifndef DEVNET_SOCKET_H
#define DEVNET_SOCKET_H

#include "devnet_postcard.h"

/* Bytes of the largest datagram that devnet_sendto sends and devnet_recvfrom receives whole; the
   buffer is on the stack. A connected socket has no such bound: it reads and writes datagrams in
   the caller's buffer. */
#ifndef DEVNET_DATAGRAM_BYTES
#define DEVNET_DATAGRAM_BYTES 4096u
#endif
/* Maximum bytes of a host name in DNS. */
#define DEVNET_NAME_BYTES 255u
/* Bytes of the answer to DEVNET_GET_LAST_ERROR. */
#define DEVNET_LAST_ERROR_BYTES 2048u
/* Bytes of a datagram message besides its data: two addresses, the interface, the hop limit,
   lengths. */
#define DEVNET_AROUND_DATAGRAM 72u

#define DEVNET_SOCKETS "/devices/sockets"
#define DEVNET_TRY(expression)                     \
    do {                                           \
        int32_t devnet_tried = (expression);       \
        if (devnet_tried < 0) return devnet_tried; \
    } while (0)

/* ---- Files ---- */

static inline size_t devnet_length(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

static inline int devnet_open(const char *path, uint32_t flags) {
    return devnet_open_path(path, devnet_length(path), flags);
}

/* Writes all of the data; on a non-blocking descriptor it waits by devnet_poll. Returns 0. */
static inline int devnet_write_all(int descriptor, const void *data, size_t length) {
    const uint8_t *bytes = (const uint8_t *)data;
    while (length > 0) {
        int32_t count = devnet_write(descriptor, bytes, length);
        if (count == -DEVNET_EAGAIN) {
            struct devnet_pollfd entry = {descriptor, DEVNET_OUT, 0};
            DEVNET_TRY(devnet_poll(&entry, 1, -1));
            continue;
        }
        if (count < 0) return count;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

/* Sends a line of text as a command: devnet_command(device, "address add 10.0.0.2/24"). Returns 0.
   */
static inline int devnet_command(int device, const char *line) {
    int32_t count = devnet_write(device, line, devnet_length(line));
    return count < 0 ? count : 0;
}

/* Why the last devnet_command on this descriptor failed, in words: "line 1: BYTES is missing; mtu
   BYTES", or "" after one that succeeded. Writes a string that fits the capacity, cut if need be,
   and returns its length. */
static inline int devnet_last_error(int device, char *text, size_t capacity) {
    uint8_t response[DEVNET_LAST_ERROR_BYTES];
    if (capacity == 0) return -DEVNET_EINVAL;
    text[0] = 0;
    int32_t count =
        devnet_control(device, DEVNET_GET_LAST_ERROR, 0, 0, response, sizeof response);
    if (count < 0) return count;
    struct devnet_reader reader = devnet_response(response, count, sizeof response);
    if (devnet_take_byte(&reader) == 0) return 0;
    devnet_take_number(&reader); /* The line. */
    devnet_take_number(&reader); /* The error. */
    size_t length;
    const uint8_t *message = devnet_take_text(&reader, &length);
    if (reader.is_broken) return -DEVNET_EBADMSG;
    if (length >= capacity) length = capacity - 1;
    for (size_t i = 0; i < length; i++) text[i] = (char)message[i];
    text[length] = 0;
    return (int)length;
}

/* Sends a command that a writer encoded; returns the length of the response. */
static inline int devnet_ask(int descriptor, uint32_t command, const struct devnet_writer *request,
                             void *response, size_t capacity) {
    if (request->is_broken) return -DEVNET_EMSGSIZE;
    return devnet_control(descriptor, command, request->bytes, request->length, response, capacity);
}

/* Returns the description of an error: devnet_error_text(-DEVNET_ENOENT) or of the positive number.
   */
static inline const char *devnet_error_text(int error) {
    switch (error < 0 ? -error : error) {
#define DEVNET_CASE(number, name, text) \
    case number: return text;
        DEVNET_ERRORS(DEVNET_CASE)
#undef DEVNET_CASE
        default: return "Unknown error";
    }
}

/* ---- Sockets ---- */

/* Opens a socket on a device: DEVNET_SOCKETS, or /devices/network/eth0 to use only that interface.
   Kind: DEVNET_SOCKET_TCP, _UDP, _ICMP. */
static inline int devnet_socket_on(const char *device, int kind) {
    int descriptor = devnet_open(device, DEVNET_READ | DEVNET_WRITE);
    if (descriptor < 0) return descriptor;
    uint8_t request = (uint8_t)kind;
    int error = devnet_control(descriptor, DEVNET_CREATE_SOCKET, &request, 1, 0, 0);
    if (error < 0) {
        devnet_close(descriptor);
        return error;
    }
    return descriptor;
}

/* Opens a socket that uses any interface. It takes the family of the address to which it is bound
   or connected. */
static inline int devnet_socket(int kind) { return devnet_socket_on(DEVNET_SOCKETS, kind); }

static inline int devnet_ask_address(int descriptor, uint32_t command,
                                     const struct devnet_address *address) {
    uint8_t request[DEVNET_ENDPOINT_BYTES];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_address(&writer, address);
    int32_t count = devnet_ask(descriptor, command, &writer, 0, 0);
    return count < 0 ? count : 0;
}

/* Port 0 selects an ephemeral port. For an ICMP socket the port is the identifier. */
static inline int devnet_bind(int descriptor, const struct devnet_address *local) {
    return devnet_ask_address(descriptor, DEVNET_BIND, local);
}

/* Connects; blocks for a stream. A non-blocking one returns -DEVNET_EINPROGRESS: wait for
   DEVNET_OUT, then call devnet_take_error. */
static inline int devnet_connect(int descriptor, const struct devnet_address *remote) {
    return devnet_ask_address(descriptor, DEVNET_CONNECT, remote);
}

static inline int devnet_listen(int descriptor, uint32_t backlog) {
    uint8_t request[5];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_number(&writer, backlog);
    return devnet_ask(descriptor, DEVNET_LISTEN, &writer, 0, 0);
}

/* Accepts the next connection; a non-blocking listener returns -DEVNET_EAGAIN. Without a free
   descriptor or socket, the connection stays in the backlog. `remote` may be null. */
static inline int devnet_accept(int descriptor, struct devnet_address *remote) {
    for (;;) {
        int stream = devnet_open(DEVNET_SOCKETS, DEVNET_READ | DEVNET_WRITE);
        if (stream < 0) return stream;
        uint8_t offer[10 + 2 * DEVNET_ENDPOINT_BYTES], token[10];
        int32_t length =
            devnet_control(descriptor, DEVNET_NEXT_CONNECTION, 0, 0, offer, sizeof offer);
        int error = length;
        if (length >= 0) {
            struct devnet_reader reader = devnet_response(offer, length, sizeof offer);
            struct devnet_writer writer = {token, sizeof token, 0, 0};
            struct devnet_address local, peer;
            devnet_put_number(&writer, devnet_take_number(&reader));
            devnet_take_address(&reader, &local);
            devnet_take_address(&reader, &peer);
            error = reader.is_broken ? -DEVNET_EBADMSG
                                     : devnet_ask(stream, DEVNET_ACCEPT, &writer, 0, 0);
            if (error >= 0) {
                if (remote) *remote = peer;
                return stream;
            }
        }
        devnet_close(stream);
        /* It ended before it was accepted: try the next. */
        if (length < 0 || (error != -DEVNET_ENOENT && error != -DEVNET_ECONNABORTED &&
                           error != -DEVNET_ECONNRESET))
            return error;
    }
}

/* `how` is DEVNET_SHUTDOWN_READ, _WRITE or _BOTH. */
static inline int devnet_shutdown(int descriptor, int how) {
    uint8_t request = (uint8_t)how;
    return devnet_control(descriptor, DEVNET_SHUTDOWN, &request, 1, 0, 0);
}

static inline int32_t devnet_send(int descriptor, const void *data, size_t length) {
    return devnet_write(descriptor, data, length);
}
static inline int32_t devnet_recv(int descriptor, void *buffer, size_t length) {
    return devnet_read(descriptor, buffer, length);
}

/* Sends one datagram; returns its length. */
static inline int32_t devnet_sendto(int descriptor, const void *data, size_t length,
                                    const struct devnet_address *remote) {
    uint8_t request[DEVNET_DATAGRAM_BYTES + DEVNET_AROUND_DATAGRAM];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    if (length > DEVNET_DATAGRAM_BYTES) return -DEVNET_EMSGSIZE;
    devnet_put_address(&writer, remote);
    devnet_put_text(&writer, (const char *)data, length);
    DEVNET_TRY(devnet_ask(descriptor, DEVNET_SEND_TO, &writer, 0, 0));
    return (int32_t)length;
}

/* The metadata of a received datagram. */
struct devnet_datagram {
    struct devnet_address remote;
    struct devnet_address local;
    uint8_t hop_limit;
    /* Bytes of the whole datagram, including the part that did not fit. */
    size_t length;
};

/* Receives one datagram; returns the bytes written to the buffer. `about` may be null. */
static inline int32_t devnet_recvmsg(int descriptor, void *buffer, size_t capacity,
                                     struct devnet_datagram *about) {
    uint8_t response[DEVNET_DATAGRAM_BYTES + DEVNET_AROUND_DATAGRAM];
    int32_t length =
        devnet_control(descriptor, DEVNET_RECEIVE_FROM, 0, 0, response, sizeof response);
    if (length < 0) return length;
    struct devnet_reader reader = devnet_response(response, length, sizeof response);
    struct devnet_datagram metadata;
    size_t name;
    devnet_take_address(&reader, &metadata.remote);
    devnet_take_address(&reader, &metadata.local);
    devnet_take_text(&reader, &name);
    metadata.hop_limit = devnet_take_byte(&reader);
    metadata.length = (size_t)devnet_take_number(&reader);
    if (reader.is_broken) return -DEVNET_EBADMSG;
    size_t count = metadata.length < reader.left ? metadata.length : reader.left;
    if (count > capacity) count = capacity;
    for (size_t i = 0; i < count; i++) ((uint8_t *)buffer)[i] = reader.bytes[i];
    if (about) *about = metadata;
    return (int32_t)count;
}

static inline int32_t devnet_recvfrom(int descriptor, void *buffer, size_t capacity,
                                      struct devnet_address *remote) {
    struct devnet_datagram about;
    int32_t count = devnet_recvmsg(descriptor, buffer, capacity, &about);
    if (count >= 0 && remote) *remote = about.remote;
    return count;
}

/* Peeks at what the next read of a stream or datagram socket returns. Returns the bytes written to
   the buffer, at most DEVNET_DATAGRAM_BYTES, 0 at the end of a stream. `remote` may be null. */
static inline int32_t devnet_peek(int descriptor, void *buffer, size_t capacity,
                                  struct devnet_address *remote) {
    uint8_t request[5], response[DEVNET_DATAGRAM_BYTES + DEVNET_AROUND_DATAGRAM];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    if (capacity > DEVNET_DATAGRAM_BYTES) capacity = DEVNET_DATAGRAM_BYTES;
    devnet_put_number(&writer, capacity);
    int32_t length = devnet_ask(descriptor, DEVNET_PEEK, &writer, response, sizeof response);
    if (length < 0) return length;
    struct devnet_reader reader = devnet_response(response, length, sizeof response);
    struct devnet_address from;
    devnet_take_address(&reader, &from);
    devnet_take_number(&reader);
    size_t count;
    const uint8_t *data = devnet_take_text(&reader, &count);
    if (reader.is_broken || count > capacity) return -DEVNET_EBADMSG;
    for (size_t i = 0; i < count; i++) ((uint8_t *)buffer)[i] = data[i];
    if (remote) *remote = from;
    return (int32_t)count;
}

/* Sets an option by its number (DEVNET_OPTION_NO_DELAY and so on): 1 or 0, a number, or for
   DEVNET_OPTION_LINGER milliseconds, -1 for none. */
static inline int devnet_set_option(int descriptor, int option, int32_t value) {
    uint8_t request[8];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_byte(&writer, (uint8_t)option);
    switch (option) {
        case DEVNET_OPTION_RECEIVE_BUFFER:
        case DEVNET_OPTION_SEND_BUFFER:
        case DEVNET_OPTION_KEEP_ALIVE:
        case DEVNET_OPTION_KEEP_ALIVE_INTERVAL:
        case DEVNET_OPTION_USER_TIMEOUT:
            devnet_put_number(&writer, (uint32_t)value);
            break;
        case DEVNET_OPTION_LINGER:
            devnet_put_byte(&writer, value >= 0);
            if (value >= 0) devnet_put_number(&writer, (uint32_t)value);
            break;
        case DEVNET_OPTION_MULTICAST_INTERFACE:
        case DEVNET_OPTION_BIND_TO_DEVICE:
            return -DEVNET_EINVAL;
        default:
            if (value < 0 || value > 255) return -DEVNET_EINVAL;
            devnet_put_byte(&writer, (uint8_t)value);
    }
    return devnet_ask(descriptor, DEVNET_SET_OPTION, &writer, 0, 0);
}

/* Sets an option that is the name of an interface: DEVNET_OPTION_BIND_TO_DEVICE,
   DEVNET_OPTION_MULTICAST_INTERFACE. */
static inline int devnet_set_name_option(int descriptor, int option, const char *name) {
    uint8_t request[32];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_byte(&writer, (uint8_t)option);
    devnet_put_text(&writer, name, devnet_length(name));
    return devnet_ask(descriptor, DEVNET_SET_OPTION, &writer, 0, 0);
}

/* Joins a group, or leaves it, on an interface ("" for the route's). */
static inline int devnet_membership(int descriptor, int joins, const struct devnet_address *group,
                                    const char *interface) {
    uint8_t request[48];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_ip(&writer, group);
    devnet_put_text(&writer, interface, devnet_length(interface));
    return devnet_ask(descriptor, joins ? DEVNET_JOIN_GROUP : DEVNET_LEAVE_GROUP, &writer, 0, 0);
}

/* Returns both addresses; the remote one has family 0 if there is none. Each may be null. */
static inline int devnet_socket_ends(int descriptor, struct devnet_address *local,
                                     struct devnet_address *remote) {
    uint8_t response[96];
    int32_t length = devnet_control(descriptor, DEVNET_GET_SOCKET, 0, 0, response, sizeof response);
    if (length < 0) return length;
    struct devnet_reader reader = devnet_response(response, length, sizeof response);
    struct devnet_address ours, theirs = {0, 0, {0}};
    uint8_t kind = devnet_take_byte(&reader);
    if (kind == DEVNET_SOCKET_RAW || kind == DEVNET_SOCKET_RAW6) devnet_take_byte(&reader);
    devnet_take_byte(&reader);
    devnet_take_address(&reader, &ours);
    if (devnet_take_byte(&reader)) devnet_take_address(&reader, &theirs);
    if (reader.is_broken) return -DEVNET_EBADMSG;
    if (local) *local = ours;
    if (remote) *remote = theirs;
    return 0;
}

static inline int devnet_getsockname(int descriptor, struct devnet_address *local) {
    return devnet_socket_ends(descriptor, local, 0);
}

static inline int devnet_getpeername(int descriptor, struct devnet_address *remote) {
    DEVNET_TRY(devnet_socket_ends(descriptor, 0, remote));
    return remote->family ? 0 : -DEVNET_ENOTCONN;
}

/* Returns and clears the pending error (SO_ERROR), negative; 0 for none. */
static inline int devnet_take_error(int descriptor) {
    uint8_t response[2];
    int32_t length = devnet_control(descriptor, DEVNET_TAKE_ERROR, 0, 0, response, sizeof response);
    if (length < 0) return length;
    if (length < 2 || response[0] == 0) return 0;
    unsigned index = 0;
#define DEVNET_COUNTED(number, name, text) \
    if (index++ == response[1]) return -(number);
    DEVNET_ERRORS(DEVNET_COUNTED)
#undef DEVNET_COUNTED
    return -DEVNET_EIO;
}

/* ---- Names ---- */

/* Resolves a name, or parses an address; waits for the response. Kind: DEVNET_QUESTION_ADDRESS, _A,
   _AAAA. Returns the number of addresses found; the first `capacity` are written, all with this
   port. */
static inline int devnet_lookup(const char *name, int kind, uint16_t port,
                                struct devnet_address *addresses, size_t capacity) {
    uint8_t request[DEVNET_NAME_BYTES + 8], response[2048];
    struct devnet_writer writer = {request, sizeof request, 0, 0};
    devnet_put_text(&writer, name, devnet_length(name));
    devnet_put_byte(&writer, (uint8_t)kind);
    devnet_put_byte(&writer, 0);
    if (writer.is_broken) return -DEVNET_ENAMETOOLONG;
    int device = devnet_open(DEVNET_SOCKETS, DEVNET_READ);
    if (device < 0) return device;
    int32_t length = devnet_ask(device, DEVNET_RESOLVE, &writer, response, sizeof response);
    devnet_close(device);
    if (length < 0) return length;
    struct devnet_reader reader = devnet_response(response, length, sizeof response);
    struct devnet_address address;
    if (devnet_take_byte(&reader)) devnet_take_address(&reader, &address);
    int found = 0;
    for (uint64_t records = devnet_take_number(&reader); records > 0; records--) {
        size_t text;
        devnet_take_text(&reader, &text);
        int is_address = devnet_take_byte(&reader) == DEVNET_RECORD_ADDRESS;
        if (is_address) devnet_take_ip(&reader, &address);
        else devnet_take_text(&reader, &text);
        devnet_take_number(&reader);
        /* A response cut at the end of the buffer is used up to the cut. */
        if (reader.is_broken) break;
        if (!is_address) continue;
        address.port = port;
        if ((size_t)found < capacity) addresses[found] = address;
        found++;
    }
    return found > 0 ? found : -DEVNET_ENOENT;
}

/* Connects a new stream to the first address of a host that accepts. Returns the socket, or the
   error of the last address. The receive buffer bounds the throughput on a long path; it takes
   effect before the handshake, and 0 selects the default. */
static inline int devnet_connect_name(const char *name, uint16_t port, int32_t receive_buffer) {
    struct devnet_address addresses[8];
    int error = -DEVNET_ENOENT,
        found = devnet_lookup(name, DEVNET_QUESTION_ADDRESS, port, addresses, 8);
    if (found < 0) return found;
    for (int i = 0; i < found && i < 8; i++) {
        int stream = devnet_socket(DEVNET_SOCKET_TCP);
        if (stream < 0) return stream;
        error = receive_buffer > 0
                    ? devnet_set_option(stream, DEVNET_OPTION_RECEIVE_BUFFER, receive_buffer)
                    : 0;
        if (error >= 0) error = devnet_connect(stream, &addresses[i]);
        if (error >= 0) return stream;
        devnet_close(stream);
    }
    return error;
}

/* Opens a stream socket that listens on a port of every address. */
static inline int devnet_listen_at(uint16_t port, uint32_t backlog) {
    struct devnet_address any = devnet_any(port);
    int listener = devnet_socket(DEVNET_SOCKET_TCP);
    if (listener < 0) return listener;
    int error = devnet_bind(listener, &any);
    if (error >= 0) error = devnet_listen(listener, backlog);
    if (error >= 0) return listener;
    devnet_close(listener);
    return error;
}

#endif
