/* ping: asks a host for echoes, by IPv4 or IPv6.

     ping [-c COUNT] HOST

   Grants: --allow-connect HOST (without a port: ICMP has none). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devnet_socket.h"

#define DATA_BYTES 56
/* Milliseconds to wait for a reply, and between requests. */
#define REPLY_TIMEOUT 2000
#define INTERVAL 1000

static int complain(const char *what, int error) {
    fprintf(stderr, "ping: %s: %s\n", what, devnet_error_text(error));
    return 1;
}

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Sends one request and waits for its reply. Returns 1 with the round-trip time, 0 without a reply,
   or an error. */
static int echo(int socket, int family, unsigned sequence, double *took, unsigned *hops) {
    /* Type, code, checksum and identifier (filled in by the system), sequence number, data. */
    uint8_t message[8 + DATA_BYTES] = {0}, answer[8 + DATA_BYTES];
    message[0] = family == 6 ? 128 : 8;
    message[6] = (uint8_t)(sequence >> 8);
    message[7] = (uint8_t)sequence;
    for (int i = 0; i < DATA_BYTES; i++) message[8 + i] = (uint8_t)i;
    double begin = milliseconds();
    DEVNET_TRY(devnet_send(socket, message, sizeof message));
    for (;;) {
        double left = begin + REPLY_TIMEOUT - milliseconds();
        struct devnet_pollfd entry = {socket, DEVNET_IN, 0};
        int ready = left > 0 ? devnet_poll(&entry, 1, (int32_t)left + 1) : 0;
        if (ready <= 0) return ready;
        struct devnet_datagram about;
        int32_t length = devnet_recvmsg(socket, answer, sizeof answer, &about);
        if (length < 0) return length;
        /* A late reply to an earlier request is ignored. */
        if (length < 8 || answer[6] != message[6] || answer[7] != message[7]) continue;
        *took = milliseconds() - begin;
        *hops = about.hop_limit;
        return 1;
    }
}

int main(int count, char **words) {
    int wanted = 4, place = 1;
    if (count > 3 && strcmp(words[1], "-c") == 0) {
        wanted = atoi(words[2]);
        place = 3;
    }
    if (place + 1 != count || wanted < 1) {
        fputs("usage: ping [-c COUNT] HOST\n", stderr);
        return 2;
    }
    struct devnet_address host;
    char text[DEVNET_ADDRESS_TEXT];
    int error = devnet_lookup(words[place], DEVNET_QUESTION_ADDRESS, 0, &host, 1);
    if (error < 0) return complain(words[place], error);
    int socket = devnet_socket(DEVNET_SOCKET_ICMP);
    if (socket < 0) return complain("socket", socket);
    error = devnet_connect(socket, &host);
    if (error < 0) return complain(words[place], error);
    devnet_address_text(&host, text);
    printf("PING %s (%s): %d data bytes\n", words[place], text, DATA_BYTES);
    int received = 0;
    for (int sequence = 0; sequence < wanted; sequence++) {
        double took;
        unsigned hops;
        if (sequence > 0) usleep(INTERVAL * 1000);
        error = echo(socket, host.family, (unsigned)sequence, &took, &hops);
        if (error < 0) complain(text, error);
        if (error <= 0) continue;
        received++;
        printf("%d bytes from %s: seq=%d ttl=%u time=%.3f ms\n", 8 + DATA_BYTES, text, sequence,
               hops, took);
        fflush(stdout);
    }
    printf("%d packets transmitted, %d received\n", wanted, received);
    return received == wanted ? 0 : 1;
}
