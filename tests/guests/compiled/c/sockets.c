/* Every function of the C SDK's sockets, against themselves over the loopback interface. Ends with
   the line of the first surprise. */
#include <stdio.h>
#include <string.h>

#include "devnet_socket.h"

#define EXPECT(condition)                  \
    do {                                   \
        if (!(condition)) return __LINE__; \
    } while (0)

static int texts(void) {
    char text[DEVNET_ADDRESS_TEXT];
    struct devnet_address one = devnet_ipv4(10, 0, 2, 255, 65535), other = devnet_any(0);
    EXPECT(strcmp(devnet_address_text(&one, text), "10.0.2.255:65535") == 0);
    EXPECT(strcmp(devnet_address_text(&other, text), "::") == 0);
    static const char *const names[] = {
        "fd00:2::1", "::1", "1::", "1:0:2:3:4:5:6:7", "1:0:0:2::3", "fe80::ffff:a00:1"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        EXPECT(devnet_lookup(names[i], DEVNET_QUESTION_ADDRESS, 0, &other, 1) == 1);
        EXPECT(other.family == 6 && strcmp(devnet_address_text(&other, text), names[i]) == 0);
    }
    other.port = 80;
    EXPECT(strcmp(devnet_address_text(&other, text), "[fe80::ffff:a00:1]:80") == 0);
    EXPECT(!devnet_same_address(&one, &other) && devnet_same_address(&one, &one));
    EXPECT(strcmp(devnet_error_text(-DEVNET_ECONNREFUSED), "Connection refused") == 0);
    return 0;
}

static int postcard(void) {
    uint8_t bytes[12];
    struct devnet_writer writer = {bytes, sizeof bytes, 0, 0};
    devnet_put_number(&writer, 300);
    devnet_put_text(&writer, "ab", 2);
    struct devnet_reader reader = {bytes, writer.length, 0};
    size_t length;
    EXPECT(writer.length == 5 && devnet_take_number(&reader) == 300);
    EXPECT(memcmp(devnet_take_text(&reader, &length), "ab", 2) == 0 && length == 2 &&
           reader.left == 0 && !reader.is_broken);
    devnet_take_byte(&reader);
    EXPECT(reader.is_broken);
    devnet_put_number(&writer, UINT64_MAX);
    EXPECT(writer.is_broken);
    /* A length that lies. */
    static const uint8_t lie[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 1};
    struct devnet_reader liar = {lie, sizeof lie, 0};
    EXPECT(devnet_take_text(&liar, &length) == 0 && length == 0 && liar.is_broken);
    return 0;
}

static int lines(void) {
    char text[64];
    int device = devnet_open(DEVNET_SOCKETS, DEVNET_READ | DEVNET_WRITE);
    EXPECT(device >= 0 && devnet_last_error(device, text, sizeof text) == 0 && text[0] == 0);
    EXPECT(devnet_command(device, "socket tcp\nlisten x") == -DEVNET_EINVAL);
    EXPECT(devnet_last_error(device, text, sizeof text) == 63);
    EXPECT(strcmp(text, "line 2: \"x\" is no number from 0 to 4,294,967,295; listen [NUMBE") == 0);
    EXPECT(devnet_command(device, "connect 127.0.0.1:9") == -DEVNET_EINVAL);
    EXPECT(devnet_last_error(device, text, sizeof text) == 45);
    EXPECT(strcmp(text, "line 1: connect 127.0.0.1:9: Invalid argument") == 0);
    EXPECT(devnet_command(device, "socket tcp") == 0);
    EXPECT(devnet_last_error(device, text, sizeof text) == 0 && text[0] == 0);
    return devnet_close(device);
}

static int streams(uint8_t family) {
    struct devnet_address at = family == 6 ? devnet_any(0) : devnet_ipv4(127, 0, 0, 1, 0), ours,
                          theirs, end;
    if (family == 6) at.octets[15] = 1;
    int listener = devnet_socket(DEVNET_SOCKET_TCP);
    EXPECT(listener >= 0 && devnet_set_option(listener, DEVNET_OPTION_REUSE_ADDRESS, 1) == 0);
    EXPECT(devnet_bind(listener, &at) == 0 && devnet_listen(listener, 4) == 0);
    EXPECT(devnet_getsockname(listener, &at) == 0 && at.port != 0 && at.family == family);
    EXPECT(devnet_getpeername(listener, &end) == -DEVNET_ENOTCONN);
    EXPECT(devnet_set_non_blocking(listener, 1) == 0 &&
           devnet_accept(listener, 0) == -DEVNET_EAGAIN);
    int client = devnet_socket(DEVNET_SOCKET_TCP);
    EXPECT(client >= 0 && devnet_set_option(client, DEVNET_OPTION_RECEIVE_BUFFER, 100000) == 0);
    EXPECT(devnet_set_non_blocking(client, 1) == 0);
    int begun = devnet_connect(client, &at);
    EXPECT(begun == -DEVNET_EINPROGRESS || begun == 0);
    struct devnet_pollfd both[2] = {{client, DEVNET_OUT, 0}, {listener, DEVNET_IN, 0}};
    while (!both[0].found) EXPECT(devnet_poll(&both[0], 1, 5000) == 1);
    EXPECT(devnet_take_error(client) == 0);
    EXPECT(devnet_poll(&both[1], 1, 5000) == 1 && both[1].found == DEVNET_IN);
    int server = devnet_accept(listener, &theirs);
    EXPECT(server >= 0 && devnet_getsockname(client, &ours) == 0 &&
           devnet_same_address(&ours, &theirs));
    EXPECT(devnet_getpeername(client, &end) == 0 && devnet_same_address(&end, &at));
    EXPECT(devnet_set_option(client, DEVNET_OPTION_NO_DELAY, 1) == 0);
    EXPECT(devnet_set_option(client, DEVNET_OPTION_KEEP_ALIVE, 7000) == 0);
    EXPECT(devnet_set_option(client, DEVNET_OPTION_TRAFFIC_CLASS, 0xb8) == 0);
    EXPECT(devnet_set_option(client, DEVNET_OPTION_LINGER, -1) == 0 &&
           devnet_set_option(client, DEVNET_OPTION_LINGER, 500) == 0);
    EXPECT(devnet_set_option(client, DEVNET_OPTION_HOP_LIMIT, 256) == -DEVNET_EINVAL);
    EXPECT(devnet_set_option(client, DEVNET_OPTION_RECEIVE_BUFFER, 100000) == 0);
    EXPECT(devnet_recv(client, &end, 1) == -DEVNET_EAGAIN);
    EXPECT(devnet_write_all(client, "hello", 5) == 0 &&
           devnet_shutdown(client, DEVNET_SHUTDOWN_WRITE) == 0);
    char heard[16];
    EXPECT(devnet_peek(server, heard, 2, &theirs) == 2 && memcmp(heard, "he", 2) == 0 &&
           devnet_same_address(&ours, &theirs));
    size_t held = 0;
    for (int count; (count = devnet_recv(server, heard + held, sizeof heard - held)) != 0;
         held += (size_t)count)
        EXPECT(count > 0);
    EXPECT(held == 5 && memcmp(heard, "hello", 5) == 0 &&
           devnet_peek(server, heard, sizeof heard, 0) == 0);
    EXPECT(devnet_close(server) == 0 && devnet_close(client) == 0 && devnet_close(listener) == 0);
    EXPECT(devnet_close(listener) == -DEVNET_EBADF);
    /* Nobody listens there now: the error comes once. */
    client = devnet_socket(DEVNET_SOCKET_TCP);
    EXPECT(devnet_connect(client, &at) == -DEVNET_ECONNREFUSED && devnet_close(client) == 0);
    client = devnet_socket(DEVNET_SOCKET_TCP);
    EXPECT(devnet_set_non_blocking(client, 1) == 0);
    begun = devnet_connect(client, &at);
    struct devnet_pollfd entry = {client, DEVNET_OUT, 0};
    if (begun == -DEVNET_EINPROGRESS)
        EXPECT(devnet_poll(&entry, 1, 5000) == 1 &&
               devnet_take_error(client) == -DEVNET_ECONNREFUSED);
    else EXPECT(begun == -DEVNET_ECONNREFUSED);
    EXPECT(devnet_take_error(client) == 0);
    return devnet_close(client);
}

static int datagrams(void) {
    struct devnet_address at = devnet_ipv4(127, 0, 0, 1, 0), ours;
    struct devnet_datagram about;
    char heard[8];
    int one = devnet_socket(DEVNET_SOCKET_UDP), other = devnet_socket(DEVNET_SOCKET_UDP);
    EXPECT(devnet_bind(one, &at) == 0 && devnet_getsockname(one, &at) == 0);
    EXPECT(devnet_connect(other, &at) == 0 && devnet_getsockname(other, &ours) == 0);
    EXPECT(devnet_send(other, "good evening", 12) == 12);
    EXPECT(devnet_peek(one, heard, sizeof heard, &about.remote) == 8 &&
           memcmp(heard, "good eve", 8) == 0);
    EXPECT(devnet_same_address(&about.remote, &ours));
    EXPECT(devnet_recvmsg(one, heard, sizeof heard, &about) == 8 && about.length == 12 &&
           memcmp(heard, "good eve", 8) == 0);
    EXPECT(devnet_same_address(&about.remote, &ours) && devnet_same_address(&about.local, &at) &&
           about.hop_limit == 64);
    EXPECT(devnet_sendto(one, "hi", 2, &about.remote) == 2 &&
           devnet_recvfrom(other, heard, sizeof heard, &ours) == 2);
    EXPECT(devnet_same_address(&ours, &at));
    static char large[DEVNET_DATAGRAM_BYTES + 1];
    EXPECT(devnet_sendto(one, large, sizeof large, &about.remote) == -DEVNET_EMSGSIZE);
    EXPECT(devnet_sendto(one, large, sizeof large - 1, &about.remote) == (int)sizeof large - 1);
    EXPECT(devnet_recvmsg(other, large, sizeof large, &about) == (int)sizeof large - 1);
    struct devnet_address group = devnet_ipv4(224, 0, 0, 251, 0);
    EXPECT(devnet_membership(one, 1, &group, "eth0") == 0 &&
           devnet_membership(one, 0, &group, "eth0") == 0);
    EXPECT(devnet_set_name_option(other, DEVNET_OPTION_MULTICAST_INTERFACE, "eth0") == 0);
    EXPECT(devnet_set_name_option(other, DEVNET_OPTION_MULTICAST_INTERFACE, "nowhere") ==
           -DEVNET_ENODEV);
    devnet_close(one);
    return devnet_close(other);
}

int main(void) {
    struct devnet_address none;
    int line = texts();
    if (!line) line = postcard();
    if (!line) line = lines();
    if (!line) line = streams(4);
    if (!line) line = streams(6);
    if (!line) line = datagrams();
    if (!line &&
        devnet_lookup("nowhere.lan", DEVNET_QUESTION_ADDRESS, 0, &none, 1) != -DEVNET_ENOENT)
        line = __LINE__;
    printf("%d\n", line);
    return line != 0;
}
