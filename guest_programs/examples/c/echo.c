/* echo: sends datagrams back to their sender, or sends one and prints what comes back.

     echo PORT
     echo HOST PORT TEXT

   Grants: --allow-listen udp:PORT; --allow-connect HOST:PORT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devnet_socket.h"

static int complain(const char *what, int error) {
    fprintf(stderr, "echo: %s: %s\n", what, devnet_error_text(error));
    return 1;
}

static int serve(int socket, uint16_t port) {
    char data[DEVNET_DATAGRAM_BYTES], text[DEVNET_ADDRESS_TEXT];
    struct devnet_address local = devnet_any(port), remote;
    int error = devnet_bind(socket, &local);
    if (error < 0) return complain("bind", error);
    for (;;) {
        int32_t length = devnet_recvfrom(socket, data, sizeof data, &remote);
        /* An ICMP error for an earlier reply does not end the program. */
        if (length == -DEVNET_ECONNREFUSED || length == -DEVNET_EHOSTUNREACH) continue;
        if (length < 0) return complain("receive", length);
        error = devnet_sendto(socket, data, (size_t)length, &remote);
        if (error < 0) complain(devnet_address_text(&remote, text), error);
    }
}

static int ask(int socket, const char *host, uint16_t port, const char *text) {
    char data[DEVNET_DATAGRAM_BYTES];
    struct devnet_address remote;
    int error = devnet_lookup(host, DEVNET_QUESTION_ADDRESS, port, &remote, 1);
    if (error >= 0) error = devnet_sendto(socket, text, strlen(text), &remote);
    if (error < 0) return complain(host, error);
    struct devnet_pollfd entry = {socket, DEVNET_IN, 0};
    error = devnet_poll(&entry, 1, 5000);
    if (error <= 0) return complain(host, error < 0 ? error : -DEVNET_ETIMEDOUT);
    int32_t length = devnet_recvfrom(socket, data, sizeof data, &remote);
    if (length < 0) return complain(host, length);
    printf("%.*s\n", (int)length, data);
    return 0;
}

int main(int count, char **words) {
    if (count != 2 && count != 4) {
        fputs("usage: echo PORT | echo HOST PORT TEXT\n", stderr);
        return 2;
    }
    int socket = devnet_socket(DEVNET_SOCKET_UDP);
    if (socket < 0) return complain("socket", socket);
    if (count == 2) return serve(socket, (uint16_t)atoi(words[1]));
    return ask(socket, words[1], (uint16_t)atoi(words[2]), words[3]);
}
