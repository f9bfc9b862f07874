/* devnet_address.h: IP addresses with ports, and their text, for guest programs in C. */
#ifndef DEVNET_ADDRESS_H
#define DEVNET_ADDRESS_H

#include "devnet.h"

/* Bytes of the text of an address with its port and brackets, including the terminating zero. */
#define DEVNET_ADDRESS_TEXT 64u

/* A socket address. Family 4, 6, or 0 for none; an IPv4 address is the first four octets. */
struct devnet_address {
    uint8_t family;
    uint16_t port;
    uint8_t octets[16];
};

static inline struct devnet_address devnet_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d,
                                                uint16_t port) {
    struct devnet_address address = {4, port, {a, b, c, d}};
    return address;
}

/* The wildcard address: IPv6's, which accepts IPv4 too. */
static inline struct devnet_address devnet_any(uint16_t port) {
    struct devnet_address address = {6, port, {0}};
    return address;
}

static inline int devnet_same_address(const struct devnet_address *one,
                                      const struct devnet_address *other) {
    unsigned differs =
        (unsigned)(one->family ^ other->family) | (unsigned)(one->port ^ other->port);
    for (unsigned i = 0; i < 16; i++) differs |= (unsigned)(one->octets[i] ^ other->octets[i]);
    return differs == 0;
}

static inline size_t devnet_put_digits(char *text, size_t place, unsigned number, unsigned base) {
    char digits[10];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    while (count) text[place++] = digits[--count];
    return place;
}

/* Finds the longest run of two or more zero groups (RFC 5952), in groups; 8 for none. */
static inline unsigned devnet_zero_run(const uint8_t *octets, unsigned *length) {
    unsigned best = 8;
    *length = 1;
    for (unsigned first = 0; first < 8; first++) {
        unsigned end = first;
        while (end < 8 && octets[2 * end] == 0 && octets[2 * end + 1] == 0) end++;
        if (end - first > *length) {
            *length = end - first;
            best = first;
        }
    }
    return best;
}

/* Writes an address as text, with its port unless that is 0: 10.0.0.1:80, [fd00::1]:80, 10.0.0.1,
   fd00::1. Returns `text`. */
static inline const char *devnet_address_text(const struct devnet_address *address,
                                              char text[DEVNET_ADDRESS_TEXT]) {
    size_t place = 0;
    if (address->family == 6) {
        unsigned length, run = devnet_zero_run(address->octets, &length);
        if (address->port) text[place++] = '[';
        for (unsigned group = 0; group < 8; group++) {
            if (group == run) {
                text[place++] = ':';
                text[place++] = ':';
                group += length - 1;
                continue;
            }
            if (group > 0 && group != run + length) text[place++] = ':';
            place = devnet_put_digits(
                text, place,
                (unsigned)address->octets[2 * group] << 8 | address->octets[2 * group + 1], 16);
        }
        if (address->port) text[place++] = ']';
    } else {
        for (unsigned i = 0; i < 4; i++) {
            if (i > 0) text[place++] = '.';
            place = devnet_put_digits(text, place, address->octets[i], 10);
        }
    }
    if (address->port) {
        text[place++] = ':';
        place = devnet_put_digits(text, place, address->port, 10);
    }
    text[place] = 0;
    return text;
}

#endif
