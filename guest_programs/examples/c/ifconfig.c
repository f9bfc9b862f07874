/* ifconfig: shows and configures interfaces, by nothing but reading and writing their devices.

     ifconfig [INTERFACE]
     ifconfig INTERFACE up | down | dhcp | ADDRESS/BITS | add ADDRESS/BITS | del ADDRESS/BITS |
                        mtu BYTES | hw ether ADDRESS

   Grants: --allow-interface '*' to look, --allow-interface eth0:write to change. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devnet_socket.h"

#define DIRECTORY "/devices/network"
/* Milliseconds to wait for a DHCP server. */
#define REPLY_TIMEOUT 30000

static int complain(const char *what, const char *why) {
    fprintf(stderr, "ifconfig: %s: %s\n", what, why);
    return 1;
}

/* The status is the text of the device; the C library reads it like any file. */
static int show(const char *name) {
    char path[64], line[256];
    snprintf(path, sizeof path, DIRECTORY "/%s", name);
    FILE *device = fopen(path, "r");
    if (!device) return complain(name, strerror(errno));
    printf("%s\n", name);
    while (fgets(line, sizeof line, device)) printf("    %s", line);
    fclose(device);
    return 0;
}

static int show_all(void) {
    DIR *directory = opendir(DIRECTORY);
    if (!directory) return complain(DIRECTORY, strerror(errno));
    int status = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] != '.') status |= show(entry->d_name);
    }
    closedir(directory);
    return status;
}

/* A line of text is a command. */
static int change(const char *name, const char *line) {
    char path[64];
    snprintf(path, sizeof path, DIRECTORY "/%s", name);
    FILE *device = fopen(path, "r+");
    if (!device) return complain(name, strerror(errno));
    int failed = fputs(line, device) == EOF || fflush(device) == EOF;
    const char *why = strerror(errno);
    fclose(device);
    return failed ? complain(line, why) : 0;
}

/* Typed commands: starts the DHCP client, waits for a lease, and prints it. */
static int dhcp(const char *name) {
    char path[64], text[DEVNET_ADDRESS_TEXT];
    snprintf(path, sizeof path, DIRECTORY "/%s", name);
    int device = devnet_open(path, DEVNET_READ | DEVNET_WRITE);
    if (device < 0) return complain(name, devnet_error_text(device));
    /* No host name and no requested address. */
    static const uint8_t options[2] = {0, 0};
    uint8_t wait[5], status[512];
    struct devnet_writer request = {wait, sizeof wait, 0, 0};
    devnet_put_number(&request, REPLY_TIMEOUT);
    int error = devnet_command(device, "link up");
    if (error >= 0)
        error = devnet_control(device, DEVNET_START_DHCP, options, sizeof options, 0, 0);
    if (error >= 0) error = devnet_ask(device, DEVNET_AWAIT_DHCP, &request, status, sizeof status);
    devnet_close(device);
    if (error < 0) return complain(name, devnet_error_text(error));
    struct devnet_reader reader = devnet_response(status, error, sizeof status);
    struct devnet_address address;
    if (devnet_take_byte(&reader) != DEVNET_DHCP_BOUND || devnet_take_byte(&reader) == 0)
        return complain(name, "no lease");
    devnet_take_ip(&reader, &address);
    unsigned bits = devnet_take_byte(&reader);
    if (reader.is_broken) return complain(name, devnet_error_text(DEVNET_EBADMSG));
    printf("%s: bound %s/%u\n", name, devnet_address_text(&address, text), bits);
    return 0;
}

int main(int count, char **words) {
    char line[128];
    if (count == 1) return show_all();
    const char *name = words[1], *verb = count > 2 ? words[2] : "",
               *value = count > 3 ? words[3] : "";
    if (count == 2) return show(name);
    if (count == 3 && strcmp(verb, "dhcp") == 0) return dhcp(name);
    if (count == 3 && (strcmp(verb, "up") == 0 || strcmp(verb, "down") == 0))
        snprintf(line, sizeof line, "link %s", verb);
    else if (count == 3 && strchr(verb, '/'))
        snprintf(line, sizeof line, "link up\naddress add %s", verb);
    else if (count == 4 && strcmp(verb, "add") == 0)
        snprintf(line, sizeof line, "address add %s", value);
    else if (count == 4 && strcmp(verb, "del") == 0)
        snprintf(line, sizeof line, "address remove %s", value);
    else if (count == 4 && strcmp(verb, "mtu") == 0) snprintf(line, sizeof line, "mtu %s", value);
    else if (count == 5 && strcmp(verb, "hw") == 0) snprintf(line, sizeof line, "mac %s", words[4]);
    else {
        fputs("usage: ifconfig [INTERFACE [up | down | dhcp | ADDRESS/BITS | add ADDRESS/BITS |\n"
              "                           del ADDRESS/BITS | mtu BYTES | hw ether ADDRESS]]\n",
              stderr);
        return 2;
    }
    return change(name, line);
}
