/* A guest without a C library: it asks a name, connects, and copies what it reads to its output. */
#include "devnet_socket.h"

#define OUTPUT 1

void _start(void) {
    char piece[512];
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    int stream = devnet_connect_name("web.lan", 80, 0);
    if (stream < 0) {
        const char *why = devnet_error_text(stream);
        devnet_write_all(OUTPUT, why, devnet_length(why));
        return;
    }
    devnet_write_all(stream, request, sizeof request - 1);
    for (;;) {
        int count = devnet_recv(stream, piece, sizeof piece);
        if (count <= 0) return;
        devnet_write_all(OUTPUT, piece, (size_t)count);
    }
}
