/* devnet_postcard.h: what commands carry, read and written
   (https://postcard.jamesmunns.com/wire-format), for guest programs in C.

   A writer or reader that went too far stays broken, and is asked once, at the end. Nothing is
   copied that need not be, and nothing is read or written outside of the bytes that were given. */
#ifndef DEVNET_POSTCARD_H
#define DEVNET_POSTCARD_H

#include "devnet_address.h"

/* Bytes of an encoded address with its port. */
#define DEVNET_ENDPOINT_BYTES 20u

struct devnet_writer {
    uint8_t *bytes;
    size_t room;
    size_t length;
    int is_broken;
};

struct devnet_reader {
    const uint8_t *bytes;
    size_t left;
    int is_broken;
};

static inline void devnet_put(struct devnet_writer *writer, const void *bytes, size_t length) {
    const uint8_t *from = (const uint8_t *)bytes;
    if (length > writer->room - writer->length) {
        writer->is_broken = 1;
        return;
    }
    for (size_t i = 0; i < length; i++) writer->bytes[writer->length++] = from[i];
}

static inline void devnet_put_byte(struct devnet_writer *writer, uint8_t byte) {
    devnet_put(writer, &byte, 1);
}

static inline void devnet_put_number(struct devnet_writer *writer, uint64_t number) {
    for (; number > 0x7f; number >>= 7) devnet_put_byte(writer, (uint8_t)(number | 0x80));
    devnet_put_byte(writer, (uint8_t)number);
}

static inline void devnet_put_text(struct devnet_writer *writer, const char *text, size_t length) {
    devnet_put_number(writer, length);
    devnet_put(writer, text, length);
}

/* An IP address without port. */
static inline void devnet_put_ip(struct devnet_writer *writer,
                                 const struct devnet_address *address) {
    if (address->family != 4 && address->family != 6) writer->is_broken = 1;
    devnet_put_byte(writer, address->family == 6);
    devnet_put(writer, address->octets, address->family == 6 ? 16 : 4);
}

static inline void devnet_put_address(struct devnet_writer *writer,
                                      const struct devnet_address *address) {
    devnet_put_ip(writer, address);
    devnet_put_number(writer, address->port);
}

/* The part of a response of `length` bytes that devnet_control wrote into room for `capacity`. */
static inline struct devnet_reader devnet_response(const void *bytes, int32_t length,
                                                   size_t capacity) {
    size_t held = length < 0 ? 0 : (size_t)length;
    struct devnet_reader reader = {(const uint8_t *)bytes, held < capacity ? held : capacity, 0};
    return reader;
}

static inline uint8_t devnet_take_byte(struct devnet_reader *reader) {
    if (reader->left == 0) {
        reader->is_broken = 1;
        return 0;
    }
    reader->left--;
    return *reader->bytes++;
}

static inline uint64_t devnet_take_number(struct devnet_reader *reader) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = devnet_take_byte(reader);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return number;
    }
    reader->is_broken = 1;
    return 0;
}

/* Returns bytes in place; null if there are not enough. */
static inline const uint8_t *devnet_take(struct devnet_reader *reader, size_t length) {
    if (length > reader->left) {
        reader->is_broken = 1;
        return 0;
    }
    const uint8_t *bytes = reader->bytes;
    reader->bytes += length;
    reader->left -= length;
    return bytes;
}

/* Returns a string or a sequence of bytes. */
static inline const uint8_t *devnet_take_text(struct devnet_reader *reader, size_t *length) {
    uint64_t announced = devnet_take_number(reader);
    *length = announced > reader->left ? 0 : (size_t)announced;
    return devnet_take(reader, announced > reader->left ? reader->left + 1 : (size_t)announced);
}

static inline void devnet_take_ip(struct devnet_reader *reader, struct devnet_address *address) {
    address->family = devnet_take_byte(reader) ? 6 : 4;
    address->port = 0;
    const uint8_t *octets = devnet_take(reader, address->family == 6 ? 16 : 4);
    for (unsigned i = 0; i < 16; i++)
        address->octets[i] = octets && (i < 4 || address->family == 6) ? octets[i] : 0;
}

static inline void devnet_take_address(struct devnet_reader *reader,
                                       struct devnet_address *address) {
    devnet_take_ip(reader, address);
    address->port = (uint16_t)devnet_take_number(reader);
}

#endif
