/* devnet.h: the files, devices and commands of devnet, for guest programs in C (C99, with or
   without a C library).

   Made by `cargo run -p devnet-tests --bin c-header` from the tables in the sources. Do not edit: a
   test compares. devnet_socket.h, beside it, makes sockets of this. */
#ifndef DEVNET_H
#define DEVNET_H

#include <stddef.h>
#include <stdint.h>

/* Errors, with the numbers and words of Linux. A call that fails answers one of them, negative. The
   order is that in which commands number them (DEVNET_TAKE_ERROR). */
#define DEVNET_ERRORS(ERROR) \
    ERROR(1, EPERM, "Operation not permitted") \
    ERROR(2, ENOENT, "No such file or directory") \
    ERROR(3, ESRCH, "No such process") \
    ERROR(4, EINTR, "Interrupted system call") \
    ERROR(5, EIO, "Input/output error") \
    ERROR(6, ENXIO, "No such device or address") \
    ERROR(9, EBADF, "Bad file descriptor") \
    ERROR(11, EAGAIN, "Resource temporarily unavailable") \
    ERROR(12, ENOMEM, "Cannot allocate memory") \
    ERROR(13, EACCES, "Permission denied") \
    ERROR(16, EBUSY, "Device or resource busy") \
    ERROR(17, EEXIST, "File exists") \
    ERROR(19, ENODEV, "No such device") \
    ERROR(20, ENOTDIR, "Not a directory") \
    ERROR(21, EISDIR, "Is a directory") \
    ERROR(22, EINVAL, "Invalid argument") \
    ERROR(24, EMFILE, "Too many open files") \
    ERROR(25, ENOTTY, "Inappropriate ioctl for device") \
    ERROR(27, EFBIG, "File too large") \
    ERROR(28, ENOSPC, "No space left on device") \
    ERROR(29, ESPIPE, "Illegal seek") \
    ERROR(30, EROFS, "Read-only file system") \
    ERROR(32, EPIPE, "Broken pipe") \
    ERROR(36, ENAMETOOLONG, "File name too long") \
    ERROR(39, ENOTEMPTY, "Directory not empty") \
    ERROR(74, EBADMSG, "Bad message") \
    ERROR(90, EMSGSIZE, "Message too long") \
    ERROR(92, ENOPROTOOPT, "Protocol not available") \
    ERROR(93, EPROTONOSUPPORT, "Protocol not supported") \
    ERROR(95, EOPNOTSUPP, "Operation not supported") \
    ERROR(97, EAFNOSUPPORT, "Address family not supported by protocol") \
    ERROR(98, EADDRINUSE, "Address already in use") \
    ERROR(99, EADDRNOTAVAIL, "Cannot assign requested address") \
    ERROR(100, ENETDOWN, "Network is down") \
    ERROR(101, ENETUNREACH, "Network is unreachable") \
    ERROR(103, ECONNABORTED, "Software caused connection abort") \
    ERROR(104, ECONNRESET, "Connection reset by peer") \
    ERROR(105, ENOBUFS, "No buffer space available") \
    ERROR(106, EISCONN, "Transport endpoint is already connected") \
    ERROR(107, ENOTCONN, "Transport endpoint is not connected") \
    ERROR(110, ETIMEDOUT, "Connection timed out") \
    ERROR(111, ECONNREFUSED, "Connection refused") \
    ERROR(112, EHOSTDOWN, "Host is down") \
    ERROR(113, EHOSTUNREACH, "No route to host") \
    ERROR(114, EALREADY, "Operation already in progress") \
    ERROR(115, EINPROGRESS, "Operation now in progress") \
    ERROR(125, ECANCELED, "Operation canceled") \
    ERROR(71, EPROTO, "Protocol error") \
    ERROR(14, EFAULT, "Bad address")
enum {
    DEVNET_EPERM = 1,
    DEVNET_ENOENT = 2,
    DEVNET_ESRCH = 3,
    DEVNET_EINTR = 4,
    DEVNET_EIO = 5,
    DEVNET_ENXIO = 6,
    DEVNET_EBADF = 9,
    DEVNET_EAGAIN = 11,
    DEVNET_ENOMEM = 12,
    DEVNET_EACCES = 13,
    DEVNET_EBUSY = 16,
    DEVNET_EEXIST = 17,
    DEVNET_ENODEV = 19,
    DEVNET_ENOTDIR = 20,
    DEVNET_EISDIR = 21,
    DEVNET_EINVAL = 22,
    DEVNET_EMFILE = 24,
    DEVNET_ENOTTY = 25,
    DEVNET_EFBIG = 27,
    DEVNET_ENOSPC = 28,
    DEVNET_ESPIPE = 29,
    DEVNET_EROFS = 30,
    DEVNET_EPIPE = 32,
    DEVNET_ENAMETOOLONG = 36,
    DEVNET_ENOTEMPTY = 39,
    DEVNET_EBADMSG = 74,
    DEVNET_EMSGSIZE = 90,
    DEVNET_ENOPROTOOPT = 92,
    DEVNET_EPROTONOSUPPORT = 93,
    DEVNET_EOPNOTSUPP = 95,
    DEVNET_EAFNOSUPPORT = 97,
    DEVNET_EADDRINUSE = 98,
    DEVNET_EADDRNOTAVAIL = 99,
    DEVNET_ENETDOWN = 100,
    DEVNET_ENETUNREACH = 101,
    DEVNET_ECONNABORTED = 103,
    DEVNET_ECONNRESET = 104,
    DEVNET_ENOBUFS = 105,
    DEVNET_EISCONN = 106,
    DEVNET_ENOTCONN = 107,
    DEVNET_ETIMEDOUT = 110,
    DEVNET_ECONNREFUSED = 111,
    DEVNET_EHOSTDOWN = 112,
    DEVNET_EHOSTUNREACH = 113,
    DEVNET_EALREADY = 114,
    DEVNET_EINPROGRESS = 115,
    DEVNET_ECANCELED = 125,
    DEVNET_EPROTO = 71,
    DEVNET_EFAULT = 14,
};

/* Commands for devnet_control. A file opened for reading is enough for those marked "read"; the
   others need one opened for writing. Requests and responses are postcard:
   https://postcard.jamesmunns.com/wire-format */
#define DEVNET_REQUEST_BYTES 66000u
/* Returns identity, state, link, hardware address, MTU and flags of the interface. (read) */
#define DEVNET_GET_INTERFACE 0xbfff6e01u
/* Lists every interface (on `/devices/sockets`), or just this one. (read) */
#define DEVNET_LIST_INTERFACES 0xbfff6e02u
/* Brings the interface administratively up or down; true if that changed something. (write) */
#define DEVNET_SET_ENABLED 0xffff6e03u
/* Sets the hardware address; true if that changed something. (write) */
#define DEVNET_SET_HARDWARE_ADDRESS 0xffff6e04u
/* Sets the MTU in bytes; true if that changed something. (write) */
#define DEVNET_SET_MTU 0xffff6e05u
/* Sets the metric of the interface's routes without one of their own; true if that changed
   something. (write) */
#define DEVNET_SET_METRIC 0xffff6e06u
/* Returns the interface's counters. (read) */
#define DEVNET_GET_STATISTICS 0xbfff6e07u
/* Advertises this system as IPv6 router with a prefix, or stops that; true if that changed
   something. (write) */
#define DEVNET_SET_ADVERTISEMENT 0xffff6e08u
/* Returns the interface's counters of SYN cookies. (read) */
#define DEVNET_GET_SYN_COOKIES 0xbfff6e09u
/* Lists what is in use: on an interface its own, on `/devices/sockets` that of all interfaces.
   (read) */
#define DEVNET_LIST_USAGE 0xbfff6e0au
/* Lists the packets that were dropped, by reason: on an interface its own, on `/devices/sockets`
   those of all interfaces. (read) */
#define DEVNET_LIST_DROPS 0xbfff6e0bu
/* Lists the counters of the protocols by the names of SNMP: on an interface its own, on
   `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_LIST_COUNTERS 0xbfff6e0cu
/* Returns every counter as text in the format of OpenMetrics, which Prometheus reads: on an
   interface its own, on `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_GET_METRICS 0xbfff6e0du
/* Sets something of the interface; true if that changed something. (write) */
#define DEVNET_SET_INTERFACE_OPTION 0xffff6e0eu
/* Returns what the status does not have: on an interface its own, on `/devices/sockets` that of all
   interfaces. (read) */
#define DEVNET_LIST_INTERFACE_DETAILS 0xbfff6e0fu
/* Lists the addresses in the order in which they were added. (read) */
#define DEVNET_LIST_ADDRESSES 0xbfff6e10u
/* Adds an address. (write) */
#define DEVNET_ADD_ADDRESS 0xffff6e11u
/* Removes an address. (write) */
#define DEVNET_REMOVE_ADDRESS 0xffff6e12u
/* Removes every address that a command added; returns how many. (write) */
#define DEVNET_FLUSH_ADDRESSES 0xffff6e13u
/* Makes these the addresses that commands added: those that stay are not touched, the others go and
   come, or nothing changes; true if that changed something. (write) */
#define DEVNET_REPLACE_ADDRESSES 0xffff6e14u
/* Adds an address with everything about it, or changes one that is there; true if that changed
   something. (write) */
#define DEVNET_SET_ADDRESS 0xffff6e15u
/* Lists the addresses with everything about them, in the order in which they were added. (read) */
#define DEVNET_LIST_ADDRESS_DETAILS 0xbfff6e16u
/* Sets an option of IPv6 autoconfiguration; true if that changed something. (write) */
#define DEVNET_SET_AUTOCONFIGURATION 0xffff6e17u
/* Returns how IPv6 autoconfiguration stands: on an interface its own, on `/devices/sockets` that of
   all interfaces. (read) */
#define DEVNET_LIST_AUTOCONFIGURATION 0xbfff6e18u
/* Lists the routes: on an interface its own, on `/devices/sockets` those of all interfaces. (read)
   */
#define DEVNET_LIST_ROUTES 0xbfff6e20u
/* Adds a route. (write) */
#define DEVNET_ADD_ROUTE 0xffff6e21u
/* Removes the first route that matches. (write) */
#define DEVNET_REMOVE_ROUTE 0xffff6e22u
/* Returns the route of a packet to this destination, and why it is chosen. (read) */
#define DEVNET_FIND_ROUTE 0xbfff6e23u
/* Lists the routes that routers advertise with another preference than medium, on an interface its
   own, on `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_LIST_ROUTE_PREFERENCES 0xbfff6e24u
/* Adds or replaces a route with everything about it; true if that changed something. (write) */
#define DEVNET_SET_ROUTE 0xffff6e25u
/* Removes the first route that matches, or all that do; returns how many. Connected routes and
   those of others count too. (write) */
#define DEVNET_REMOVE_ROUTES 0xffff6e26u
/* Lists the routes with everything about them: on an interface its own, on `/devices/sockets` those
   of all interfaces and then those of the whole system. (read) */
#define DEVNET_LIST_ROUTE_DETAILS 0xbfff6e27u
/* Adds or replaces a route that may have several next hops; true if that changed something. In the
   other lists each next hop is a route. (write) */
#define DEVNET_SET_MULTIPATH_ROUTE 0xffff6e28u
/* Lists the routes that have several next hops: on an interface its own, on `/devices/sockets`
   those of all interfaces. (read) */
#define DEVNET_LIST_MULTIPATH_ROUTES 0xbfff6e29u
/* Returns the route and the next hop of a flow, and why it is chosen. (read) */
#define DEVNET_FIND_FLOW_ROUTE 0xbfff6e2au
/* Joins a multicast group on the interface, without a socket. (write) */
#define DEVNET_ADD_GROUP 0xffff6e2bu
/* Leaves a multicast group that `AddGroup` joined; what sockets joined stays. (write) */
#define DEVNET_REMOVE_GROUP 0xffff6e2cu
/* As `ListGroups`, with who wants each group. (read) */
#define DEVNET_LIST_GROUP_DETAILS 0xbfff6e2du
/* Lists the DNS servers in the order in which they are queried: by the metric of their interface,
   then as they were added; on `/devices/sockets` those of the system come last. Of interfaces of
   equal metric the server that answers fastest is queried first. (read) */
#define DEVNET_LIST_DNS_SERVERS 0xbfff6e30u
/* Adds a DNS server, on `/devices/sockets` one of the whole system. (write) */
#define DEVNET_ADD_DNS_SERVER 0xffff6e31u
/* Removes a DNS server. (write) */
#define DEVNET_REMOVE_DNS_SERVER 0xffff6e32u
/* Looks a name up; waits for the answer. (read) */
#define DEVNET_RESOLVE 0xbfff6e33u
/* Looks up records of any type, and returns what the server answered; waits for it. (read) */
#define DEVNET_QUERY_RECORDS 0xbfff6e34u
/* Lists the answers that are kept for questions on this device. (read) */
#define DEVNET_LIST_DNS_CACHE 0xbfff6e35u
/* Forgets the answers that are kept for questions on this device; returns how many. (write) */
#define DEVNET_FLUSH_DNS_CACHE 0xffff6e36u
/* Sets an option of the resolver; true if that changed something. Only `/devices/sockets` has it.
   (write) */
#define DEVNET_SET_RESOLVER_OPTION 0xffff6e37u
/* Returns the options of the resolver and the search domains. (read) */
#define DEVNET_GET_RESOLVER 0xbfff6e38u
/* Makes these the search domains that commands set, on an interface its own, on `/devices/sockets`
   those of the system; true if that changed something. (write) */
#define DEVNET_SET_SEARCH_DOMAINS 0xffff6e39u
/* Lists the hosts table. (read) */
#define DEVNET_LIST_HOSTS 0xbfff6e3au
/* Changes the hosts table; true if that changed something. Only `/devices/sockets` has it. (write)
   */
#define DEVNET_CHANGE_HOSTS 0xffff6e3bu
/* Sets what the interface does with multicast DNS; true if that changed something. (write) */
#define DEVNET_SET_MULTICAST_DNS 0xffff6e3cu
/* Returns names and services of multicast DNS: on an interface its own, on `/devices/sockets` those
   of all interfaces. (read) */
#define DEVNET_LIST_MULTICAST_DNS 0xbfff6e3du
/* Publishes or withdraws a service of this host on the interface; true if that changed something.
   (write) */
#define DEVNET_CHANGE_SERVICES 0xffff6e3eu
/* Looks for services on the link of the interface, on `/devices/sockets` on those of all interfaces
   that resolve names so; waits as long as it is told. (read) */
#define DEVNET_BROWSE_SERVICES 0xbfff6e3fu
/* Starts the DHCPv4 client; true if it was not running. (write) */
#define DEVNET_START_DHCP 0xffff6e40u
/* Stops the DHCPv4 client, releases the lease and removes what it added; true if it was running.
   (write) */
#define DEVNET_STOP_DHCP 0xffff6e41u
/* Renews the lease now. (write) */
#define DEVNET_RENEW_DHCP 0xffff6e42u
/* Returns the state of the DHCPv4 client and its lease. (read) */
#define DEVNET_GET_DHCP 0xbfff6e43u
/* Waits until the DHCPv4 client is bound; the request is the longest wait in milliseconds. (read)
   */
#define DEVNET_AWAIT_DHCP 0xbfff6e44u
/* Starts the DHCPv4 server, or gives the running one these options; true if it was not running.
   Leases and reservations of a running one stay, so that it cannot move to a network that a
   reservation is not of. (write) */
#define DEVNET_START_DHCP_SERVER 0xffff6e45u
/* Stops the DHCPv4 server and forgets its leases and reservations; true if it was running. (write)
   */
#define DEVNET_STOP_DHCP_SERVER 0xffff6e46u
/* Returns what the DHCPv4 server hands out and its statistics. (read) */
#define DEVNET_GET_DHCP_SERVER 0xbfff6e47u
/* Lists the leases and reservations of the DHCPv4 server by address. (read) */
#define DEVNET_LIST_DHCP_LEASES 0xbfff6e48u
/* Changes the leases and reservations of the DHCPv4 server; true if that changed something. (write)
   */
#define DEVNET_CHANGE_DHCP_LEASES 0xffff6e49u
/* Starts the DHCPv4 client as `StartDhcp` does, with everything that it can be told; true if it was
   not running. A running one uses it from its next message on. (write) */
#define DEVNET_START_DHCP_CLIENT 0xffff6e4au
/* Lists the options of the DHCPv4 client's lease by number, as the server sent them. (read) */
#define DEVNET_LIST_DHCP_OPTIONS 0xbfff6e4bu
/* Sets what the DHCPv4 client makes of the interface while no server answers; true if that changed
   something. (write) */
#define DEVNET_SET_FALLBACK 0xffff6e4cu
/* Returns the fall-back of the interface, and whether it is used. (read) */
#define DEVNET_GET_FALLBACK 0xbfff6e4du
/* Changes which DNS servers are asked over TLS (RFC 7858), whoever named them; true if that changed
   something. Only `/devices/sockets` has it. (write) */
#define DEVNET_CHANGE_DNS_SECURITY 0xffff6e4eu
/* Returns which DNS servers are asked over TLS. (read) */
#define DEVNET_GET_DNS_SECURITY 0xbfff6e4fu
/* Lists the neighbors (ARP and NDP). (read) */
#define DEVNET_LIST_NEIGHBORS 0xbfff6e50u
/* Adds or replaces a static neighbor. (write) */
#define DEVNET_ADD_NEIGHBOR 0xffff6e51u
/* Removes a neighbor. (write) */
#define DEVNET_REMOVE_NEIGHBOR 0xffff6e52u
/* Removes every neighbor that is not static; returns how many. (write) */
#define DEVNET_FLUSH_NEIGHBORS 0xffff6e53u
/* Answers ARP requests and neighbor solicitations for an address of somebody else, with the
   hardware address of the interface; true if it did not. (write) */
#define DEVNET_ADD_PROXY 0xffff6e54u
/* Answers for an address no longer. (write) */
#define DEVNET_REMOVE_PROXY 0xffff6e55u
/* Lists the addresses of others that are answered for: on an interface its own, on
   `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_LIST_PROXIES 0xbfff6e56u
/* Makes this open file a socket. (write) */
#define DEVNET_CREATE_SOCKET 0xffff6e60u
/* Gives the socket a local address; port 0 is an ephemeral port. Returns the address. (write) */
#define DEVNET_BIND 0xffff6e61u
/* Connects the socket; waits for a stream. Returns the local address. (write) */
#define DEVNET_CONNECT 0xffff6e62u
/* Makes the stream socket a listener with this backlog. (write) */
#define DEVNET_LISTEN 0xffff6e63u
/* Takes the next connection of the listener; waits for one. The token is claimed with `Accept`.
   (read) */
#define DEVNET_NEXT_CONNECTION 0xbfff6e64u
/* Makes this open file the stream of an offered connection. (write) */
#define DEVNET_ACCEPT 0xffff6e65u
/* Returns kind, state and addresses of the file's socket. (read) */
#define DEVNET_GET_SOCKET 0xbfff6e66u
/* Shuts down one or both directions of a stream. (write) */
#define DEVNET_SHUTDOWN 0xffff6e67u
/* Sets an option of the socket. (write) */
#define DEVNET_SET_OPTION 0xffff6e68u
/* Lists the sockets of the interface, or of all interfaces. (read) */
#define DEVNET_LIST_SOCKETS 0xbfff6e69u
/* Sends one datagram to a given address; waits for room. (write) */
#define DEVNET_SEND_TO 0xffff6e6au
/* Receives one datagram with its addresses; waits for one. (read) */
#define DEVNET_RECEIVE_FROM 0xbfff6e6bu
/* Returns the value of every option of the socket, and the path MTU of a connected one. (read) */
#define DEVNET_GET_OPTIONS 0xbfff6e6cu
/* Takes the socket's pending error (SO_ERROR). (read) */
#define DEVNET_TAKE_ERROR 0xbfff6e6du
/* Joins a multicast group; closing the socket leaves it. (write) */
#define DEVNET_JOIN_GROUP 0xffff6e6eu
/* Leaves a multicast group that this socket joined. (write) */
#define DEVNET_LEAVE_GROUP 0xffff6e6fu
/* Takes the oldest ICMP error with the packet that it quotes; never waits. Needs the option
   `ReceiveErrors`. (read) */
#define DEVNET_RECEIVE_ERROR 0xbfff6e70u
/* Lists the multicast groups that the interface, or every interface, receives. (read) */
#define DEVNET_LIST_GROUPS 0xbfff6e71u
/* Returns the statistics of the stream and its path (TCP_INFO). (read) */
#define DEVNET_GET_STREAM_STATISTICS 0xbfff6e72u
/* Returns the data of the next read of the socket, at most so many bytes (64 KiB at most), and
   leaves it in the queue; waits for it (MSG_PEEK). (read) */
#define DEVNET_PEEK 0xbfff6e73u
/* Returns the values of the options that `GetOptions` does not have. (read) */
#define DEVNET_GET_FURTHER_OPTIONS 0xbfff6e74u
/* Ends a connection of whatever program (SOCK_DESTROY): the peer is reset, the program gets
   `ConnectionAborted`. (write) */
#define DEVNET_END_CONNECTION 0xffff6e75u
/* Returns the statistics of a connection of whatever program, as `GetStreamStatistics` does for the
   file's own. (read) */
#define DEVNET_GET_CONNECTION 0xbfff6e76u
/* Makes this open file a reader of events of these kinds: a snapshot, then changes. (read) */
#define DEVNET_WATCH 0xbfff6e80u
/* As `Watch`, with a number and a time for each record, or with records as values. (read) */
#define DEVNET_WATCH_EVENTS 0xbfff6e81u
/* Adds a rule to a chain of the firewall; returns its handle. (write) */
#define DEVNET_ADD_FIREWALL_RULE 0xffff6e84u
/* Replaces a rule, which keeps its handle; true if that changed something. (write) */
#define DEVNET_REPLACE_FIREWALL_RULE 0xffff6e85u
/* Removes the rule with this handle. (write) */
#define DEVNET_REMOVE_FIREWALL_RULE 0xffff6e86u
/* Removes the rules of a chain, or of both; returns how many. Policies stay. (write) */
#define DEVNET_FLUSH_FIREWALL_RULES 0xffff6e87u
/* Sets the policy of a chain; true if that changed something. (write) */
#define DEVNET_SET_FIREWALL_POLICY 0xffff6e88u
/* Makes the rules those of a profile; true if that changed something. (write) */
#define DEVNET_SET_FIREWALL_PROFILE 0xffff6e89u
/* Lists rules with their counters, on `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_LIST_FIREWALL 0xbfff6e8au
/* Sets the counters of the rules and policies to zero. (write) */
#define DEVNET_RESET_FIREWALL 0xffff6e8bu
/* Lists the flows that rules know, on `/devices/sockets` those of all interfaces. (read) */
#define DEVNET_LIST_FLOWS 0xbfff6e8cu
/* Forgets these flows; returns how many. (write) */
#define DEVNET_FLUSH_FLOWS 0xffff6e8du
/* Returns why the last lines that were written to this open file failed, in words; none after lines
   that succeeded. (read) */
#define DEVNET_GET_LAST_ERROR 0xbfff6e90u
/* Sets an option of the system; true if that changed something. Only `/devices/sockets` has it.
   (write) */
#define DEVNET_SET_SYSTEM_OPTION 0xffff6ea0u
/* Lists the options of the system, one each. Only `/devices/sockets` has it. (read) */
#define DEVNET_LIST_SYSTEM_OPTIONS 0xbfff6ea1u
/* Makes this open file a capture: a pcapng stream of both directions, on `/devices/sockets` of all
   interfaces. On an interface's device writes send frames. (read) */
#define DEVNET_CAPTURE 0xbfff6eb0u
/* Returns what the capture of this open file has seen. (read) */
#define DEVNET_GET_CAPTURE 0xbfff6eb1u
/* Returns the lines that make a new interface, or on `/devices/sockets` a new system, what commands
   made of this one. What was learned is not among them. After `true` the next read of the file
   returns them, up to its end, and the response is empty. (read) */
#define DEVNET_EXPORT_CONFIGURATION 0xbfff6ec0u
/* Makes the interface, or on `/devices/sockets` what the sections of the text name, what a new one
   is after these lines, or changes nothing; what is so already is not touched. Returns what that
   changed. (write) */
#define DEVNET_APPLY_CONFIGURATION 0xffff6ec1u
/* Returns what `ApplyConfiguration` would change, or fails as it would; changes nothing. (read) */
#define DEVNET_CHECK_CONFIGURATION 0xbfff6ec2u
/* Makes a wireless interface a station that gets its address by DHCP, or an access point with an
   address that may serve others, whatever it was: the radio first, then the IPv4 addresses that
   commands added, the DHCPv4 client and server. All of it or nothing. (write) */
#define DEVNET_SWITCH_RADIO 0xffff6ed0u
/* Changes what the interface advertises as a router; true if that changed something. It begins with
   the first thing that is said. `SetAdvertisement` is short for one prefix. (write) */
#define DEVNET_CHANGE_ROUTER 0xffff6ee0u
/* Returns what the interface advertises as a router; none when it is none. (read) */
#define DEVNET_GET_ROUTER 0xbfff6ee1u
/* Tells the DHCPv6 client what to ask for; true if that changed something. (write) */
#define DEVNET_SET_DHCP6_CLIENT 0xffff6ef0u
/* Renews the leases of the DHCPv6 client, or its other configuration, now. (write) */
#define DEVNET_RENEW_DHCP6 0xffff6ef1u
/* Returns the state of the DHCPv6 client, and networks of an uplink's prefixes. (read) */
#define DEVNET_GET_DHCP6 0xbfff6ef2u
/* Waits until the DHCPv6 client has what it asks for, so many milliseconds at most. (read) */
#define DEVNET_AWAIT_DHCP6 0xbfff6ef3u
/* Starts or stops the stateless DHCPv6 server; true if that changed something. (write) */
#define DEVNET_SET_DHCP6_SERVER 0xffff6ef4u
/* Returns what the DHCPv6 server tells and its statistics. (read) */
#define DEVNET_GET_DHCP6_SERVER 0xbfff6ef5u
/* Sets where the interface gets networks from; true if that changed something. (write) */
#define DEVNET_SET_DOWNSTREAM 0xffff6ef6u
/* Lists what the capture of this open file has seen of each interface. (read) */
#define DEVNET_LIST_CAPTURE_INTERFACES 0xbfff6ef7u
/* Makes this open file a reader of the services of a type that come, change and go on the link of
   the interface, on `/devices/sockets` on those of all interfaces that resolve names so; or
   restarts it. As long as it is open the link is asked for them. (read) */
#define DEVNET_WATCH_SERVICES 0xbfff6ef8u
/* Returns role, network, signal and settings of the radio. (read) */
#define DEVNET_GET_RADIO 0xbfff7701u
/* Looks for networks; waits until every channel was listened to. Returns how many networks are
   known afterwards. The radio keeps its network meanwhile. (write) */
#define DEVNET_SCAN_NETWORKS 0xffff7702u
/* Lists the networks that the last scan found, the strongest first. (read) */
#define DEVNET_LIST_NETWORKS 0xbfff7703u
/* Joins a network as a station; waits until the radio is associated. On failure it keeps the
   network that it had. Afterwards it follows the network: to the better of its access points, and
   back when it was out of range. (write) */
#define DEVNET_JOIN_NETWORK 0xffff7704u
/* Leaves the network, or stops looking for it; true if there was one. (write) */
#define DEVNET_LEAVE_NETWORK 0xffff7705u
/* Starts an access point, or gives the running one these settings; true if that changed something.
   Stations of other settings lose their association. (write) */
#define DEVNET_START_ACCESS_POINT 0xffff7706u
/* Stops the access point; true if it was running. (write) */
#define DEVNET_STOP_ACCESS_POINT 0xffff7707u
/* Lists the stations of the access point, the longest associated first; none while there is no
   access point. (read) */
#define DEVNET_LIST_STATIONS 0xbfff7708u
/* Ends the association of a station, which may join again. (write) */
#define DEVNET_REMOVE_STATION 0xffff7709u
/* Turns the radio on or off; true if that changed something. It keeps in mind what it was asked to
   be. (write) */
#define DEVNET_SET_POWER 0xffff770au
/* Turns power saving on or off; true if that changed something. (write) */
#define DEVNET_SET_POWER_SAVE 0xffff770bu
/* Limits the transmit power in dBm, or sets it to the most that the country allows; true if that
   changed something. (write) */
#define DEVNET_SET_TRANSMIT_POWER 0xffff770cu
/* Sets the country, whose rules give the channels and the transmit power: two capital letters (ISO
   3166-1), or `00` for what is allowed everywhere; true if that changed something. (write) */
#define DEVNET_SET_COUNTRY 0xffff770du
/* Becomes a station or an access point, whatever the radio was, as one step of a switch. Until
   `KeepRole` the former role is remembered, and closing the file brings it back. (write) */
#define DEVNET_SWITCH_ROLE 0xffff770eu
/* Forgets the role before `SwitchRole` on this file; true if there was one. (write) */
#define DEVNET_KEEP_ROLE 0xffff770fu

/* Tags of what commands carry. */
enum {
    DEVNET_SOCKET_TCP = 0,
    DEVNET_SOCKET_UDP = 1,
    DEVNET_SOCKET_ICMP = 2,
    DEVNET_SOCKET_RAW = 3,
    DEVNET_SOCKET_RAW6 = 4,
};
enum {
    DEVNET_STATE_CLOSED = 0,
    DEVNET_STATE_LISTEN = 1,
    DEVNET_STATE_SYN_SENT = 2,
    DEVNET_STATE_SYN_RECEIVED = 3,
    DEVNET_STATE_ESTABLISHED = 4,
    DEVNET_STATE_FIN_WAIT1 = 5,
    DEVNET_STATE_FIN_WAIT2 = 6,
    DEVNET_STATE_CLOSE_WAIT = 7,
    DEVNET_STATE_CLOSING = 8,
    DEVNET_STATE_LAST_ACK = 9,
    DEVNET_STATE_TIME_WAIT = 10,
};
enum {
    DEVNET_SHUTDOWN_READ = 0,
    DEVNET_SHUTDOWN_WRITE = 1,
    DEVNET_SHUTDOWN_BOTH = 2,
};
enum {
    DEVNET_OPTION_NO_DELAY = 0,
    DEVNET_OPTION_RECEIVE_BUFFER = 1,
    DEVNET_OPTION_SEND_BUFFER = 2,
    DEVNET_OPTION_HOP_LIMIT = 3,
    DEVNET_OPTION_BROADCAST = 4,
    DEVNET_OPTION_KEEP_ALIVE = 5,
    DEVNET_OPTION_KEEP_ALIVE_INTERVAL = 6,
    DEVNET_OPTION_KEEP_ALIVE_COUNT = 7,
    DEVNET_OPTION_USER_TIMEOUT = 8,
    DEVNET_OPTION_LINGER = 9,
    DEVNET_OPTION_REUSE_ADDRESS = 10,
    DEVNET_OPTION_REUSE_PORT = 11,
    DEVNET_OPTION_TRAFFIC_CLASS = 12,
    DEVNET_OPTION_DONT_FRAGMENT = 13,
    DEVNET_OPTION_MULTICAST_INTERFACE = 14,
    DEVNET_OPTION_MULTICAST_HOP_LIMIT = 15,
    DEVNET_OPTION_MULTICAST_LOOP = 16,
    DEVNET_OPTION_RECEIVE_ERRORS = 17,
    DEVNET_OPTION_HEADER_INCLUDED = 18,
    DEVNET_OPTION_ONLY_IPV6 = 19,
    DEVNET_OPTION_BIND_TO_DEVICE = 20,
    DEVNET_OPTION_CONGESTION_CONTROL = 21,
    DEVNET_OPTION_EXPLICIT_CONGESTION = 22,
    DEVNET_OPTION_TIMESTAMPS = 23,
    DEVNET_OPTION_MAXIMUM_SEGMENT = 24,
    DEVNET_OPTION_CORK = 25,
    DEVNET_OPTION_NOT_SENT_LOW_WATER = 26,
    DEVNET_OPTION_PATH_MTU_DISCOVERY = 27,
    DEVNET_OPTION_BLACK_HOLE_DETECTION = 28,
};
enum {
    DEVNET_PATH_MTU_DISCOVERY_NEVER = 0,
    DEVNET_PATH_MTU_DISCOVERY_WANT = 1,
    DEVNET_PATH_MTU_DISCOVERY_ALWAYS = 2,
    DEVNET_PATH_MTU_DISCOVERY_PROBE = 3,
};
enum {
    DEVNET_DROP_INTERFACE_DOWN = 0,
    DEVNET_DROP_MALFORMED = 1,
    DEVNET_DROP_CHECKSUM = 2,
    DEVNET_DROP_NOT_FOR_US = 3,
    DEVNET_DROP_MARTIAN = 4,
    DEVNET_DROP_UNKNOWN_PROTOCOL = 5,
    DEVNET_DROP_NO_SOCKET = 6,
    DEVNET_DROP_QUEUE_FULL = 7,
    DEVNET_DROP_FRAGMENT = 8,
    DEVNET_DROP_UNACCEPTABLE_SEGMENT = 9,
    DEVNET_DROP_LINK_DOWN = 10,
    DEVNET_DROP_NO_ROUTE = 11,
    DEVNET_DROP_NEIGHBOR_UNREACHABLE = 12,
    DEVNET_DROP_OUTPUT_FULL = 13,
    DEVNET_DROP_TOO_LARGE = 14,
    DEVNET_DROP_FIREWALL = 15,
    DEVNET_DROP_FIREWALL_OUT = 16,
};
enum {
    DEVNET_SECURITY_OPEN = 0,
    DEVNET_SECURITY_WPA2 = 1,
    DEVNET_SECURITY_WPA3 = 2,
};
enum {
    DEVNET_RADIO_OFF = 0,
    DEVNET_RADIO_IDLE = 1,
    DEVNET_RADIO_SEARCHING = 2,
    DEVNET_RADIO_ASSOCIATED = 3,
    DEVNET_RADIO_ACCESS_POINT = 4,
};
enum {
    DEVNET_LEAVE_REQUESTED = 0,
    DEVNET_LEAVE_OUT_OF_RANGE = 1,
    DEVNET_LEAVE_ACCESS_POINT_STOPPED = 2,
    DEVNET_LEAVE_REMOVED = 3,
    DEVNET_LEAVE_POWERED_OFF = 4,
};
enum {
    DEVNET_CONGESTION_CUBIC = 0,
    DEVNET_CONGESTION_NEW_RENO = 1,
    DEVNET_CONGESTION_BBR = 2,
};
enum {
    DEVNET_QUESTION_ADDRESS = 0,
    DEVNET_QUESTION_A = 1,
    DEVNET_QUESTION_AAAA = 2,
    DEVNET_QUESTION_CNAME = 3,
    DEVNET_QUESTION_PTR = 4,
};
enum {
    DEVNET_RECORD_ADDRESS = 0,
    DEVNET_RECORD_CNAME = 1,
    DEVNET_RECORD_PTR = 2,
};
enum {
    DEVNET_RESOURCE_RAW = 0,
    DEVNET_RESOURCE_ADDRESS = 1,
    DEVNET_RESOURCE_NAME = 2,
    DEVNET_RESOURCE_MAIL_EXCHANGE = 3,
    DEVNET_RESOURCE_TEXT = 4,
    DEVNET_RESOURCE_SERVICE = 5,
    DEVNET_RESOURCE_AUTHORITY = 6,
    DEVNET_RESOURCE_BINDING = 7,
};
enum {
    DEVNET_RESOLVER_DOTS = 0,
    DEVNET_RESOLVER_TIMEOUT = 1,
    DEVNET_RESOLVER_STALE = 2,
    DEVNET_RESOLVER_CACHE_ENTRIES = 3,
    DEVNET_RESOLVER_MIXED_CASE = 4,
};
enum {
    DEVNET_HOSTS_REPLACE = 0,
    DEVNET_HOSTS_ADD = 1,
    DEVNET_HOSTS_REMOVE = 2,
};
enum {
    DEVNET_DNS_SECURITY_ADD = 0,
    DEVNET_DNS_SECURITY_REMOVE = 1,
    DEVNET_DNS_SECURITY_REQUIRE = 2,
};
enum {
    DEVNET_MULTICAST_DNS_OFF = 0,
    DEVNET_MULTICAST_DNS_RESOLVE = 1,
    DEVNET_MULTICAST_DNS_ON = 2,
};
enum {
    DEVNET_MULTICAST_DNS_OPTION_MODE = 0,
    DEVNET_MULTICAST_DNS_OPTION_HOST_NAME = 1,
};
enum {
    DEVNET_SERVICE_PUBLISH = 0,
    DEVNET_SERVICE_WITHDRAW = 1,
};
enum {
    DEVNET_CLAIM_WAITING = 0,
    DEVNET_CLAIM_PROBING = 1,
    DEVNET_CLAIM_ANNOUNCED = 2,
};
enum {
    DEVNET_FIREWALL_CHAIN_IN = 0,
    DEVNET_FIREWALL_CHAIN_OUT = 1,
};
enum {
    DEVNET_FIREWALL_ACCEPT = 0,
    DEVNET_FIREWALL_DROP = 1,
    DEVNET_FIREWALL_REJECT = 2,
    DEVNET_FIREWALL_PROHIBIT = 3,
    DEVNET_FIREWALL_CONTINUE = 4,
};
enum {
    DEVNET_RATE_SECOND = 0,
    DEVNET_RATE_MINUTE = 1,
    DEVNET_RATE_HOUR = 2,
    DEVNET_RATE_DAY = 3,
};
enum {
    DEVNET_RULE_PLACE_LAST = 0,
    DEVNET_RULE_PLACE_FIRST = 1,
    DEVNET_RULE_PLACE_BEFORE = 2,
    DEVNET_RULE_PLACE_AFTER = 3,
};
enum {
    DEVNET_FIREWALL_PROFILE_OFF = 0,
    DEVNET_FIREWALL_PROFILE_DEFAULT_DENY = 1,
};
enum {
    DEVNET_LEASE_OFFERED = 0,
    DEVNET_LEASE_LEASED = 1,
    DEVNET_LEASE_FORMER = 2,
    DEVNET_LEASE_IN_USE = 3,
    DEVNET_LEASE_RESERVED = 4,
};
enum {
    DEVNET_DHCP_STOPPED = 0,
    DEVNET_DHCP_INIT = 1,
    DEVNET_DHCP_SELECTING = 2,
    DEVNET_DHCP_REQUESTING = 3,
    DEVNET_DHCP_REBOOTING = 4,
    DEVNET_DHCP_CHECKING = 5,
    DEVNET_DHCP_BOUND = 6,
    DEVNET_DHCP_RENEWING = 7,
    DEVNET_DHCP_REBINDING = 8,
};
enum {
    DEVNET_DHCP6_STOPPED = 0,
    DEVNET_DHCP6_WAITING = 1,
    DEVNET_DHCP6_SOLICITING = 2,
    DEVNET_DHCP6_REQUESTING = 3,
    DEVNET_DHCP6_CONFIRMING = 4,
    DEVNET_DHCP6_BOUND = 5,
    DEVNET_DHCP6_RENEWING = 6,
    DEVNET_DHCP6_REBINDING = 7,
    DEVNET_DHCP6_INFORMING = 8,
    DEVNET_DHCP6_INFORMED = 9,
};
enum {
    DEVNET_DHCP6_MODE_OFF = 0,
    DEVNET_DHCP6_MODE_AUTO = 1,
    DEVNET_DHCP6_MODE_STATEFUL = 2,
    DEVNET_DHCP6_MODE_STATELESS = 3,
};
enum {
    DEVNET_ORIGIN_STATIC = 0,
    DEVNET_ORIGIN_DHCP = 1,
    DEVNET_ORIGIN_ROUTER_ADVERTISEMENT = 2,
    DEVNET_ORIGIN_KERNEL = 3,
};
enum {
    DEVNET_ROUTE_UNICAST = 0,
    DEVNET_ROUTE_BLACKHOLE = 1,
    DEVNET_ROUTE_UNREACHABLE = 2,
    DEVNET_ROUTE_PROHIBIT = 3,
    DEVNET_ROUTE_THROW = 4,
};
enum {
    DEVNET_CHANGE_INSERT = 0,
    DEVNET_CHANGE_APPEND = 1,
    DEVNET_CHANGE_PREPEND = 2,
    DEVNET_CHANGE_REPLACE = 3,
    DEVNET_CHANGE_CHANGE = 4,
};
enum {
    DEVNET_CAPTURE_DIRECTION_BOTH = 0,
    DEVNET_CAPTURE_DIRECTION_IN = 1,
    DEVNET_CAPTURE_DIRECTION_OUT = 2,
};
enum {
    DEVNET_NOTE_KIND_MATCHES_NOTHING = 0,
    DEVNET_NOTE_KIND_ADDRESS_BESIDE_DHCP = 1,
    DEVNET_NOTE_KIND_GATEWAY_AWAITED = 2,
};
enum {
    DEVNET_HOST_MODEL_STRONG = 0,
    DEVNET_HOST_MODEL_WEAK = 1,
};
enum {
    DEVNET_PREFERENCE_LOW = 0,
    DEVNET_PREFERENCE_MEDIUM = 1,
    DEVNET_PREFERENCE_HIGH = 2,
};
enum {
    DEVNET_ADDRESS_TENTATIVE = 0,
    DEVNET_ADDRESS_PREFERRED = 1,
    DEVNET_ADDRESS_DEPRECATED = 2,
    DEVNET_ADDRESS_DUPLICATED = 3,
};
enum {
    DEVNET_IDENTIFIERS_HARDWARE_ADDRESS = 0,
    DEVNET_IDENTIFIERS_STABLE = 1,
};
enum {
    DEVNET_PRIVACY_OFF = 0,
    DEVNET_PRIVACY_ON = 1,
    DEVNET_PRIVACY_PREFERRED = 2,
};

/* How devnet_open opens. */
enum {
    DEVNET_READ = 1,
    DEVNET_WRITE = 2,
    DEVNET_APPEND = 4,
    DEVNET_CREATE = 8,
    DEVNET_EXCLUSIVE = 16,
    DEVNET_TRUNCATE = 32,
    DEVNET_NON_BLOCKING = 64,
    DEVNET_DIRECTORY = 128,
};

/* Where devnet_seek starts. */
enum { DEVNET_FROM_START = 0, DEVNET_FROM_HERE = 1, DEVNET_FROM_END = 2 };

/* What devnet_poll asks and tells (POSIX' pollfd). A negative descriptor stands for nothing. */
struct devnet_pollfd {
    int32_t descriptor;
    uint16_t asked;
    uint16_t found;
};
enum {
    DEVNET_IN = 1,
    DEVNET_OUT = 4,
    DEVNET_FAULT = 8,
    DEVNET_HANG_UP = 16,
    DEVNET_INVALID = 32,
};

/* What devnet_stat tells. */
struct devnet_stat {
    uint64_t size;
    uint64_t inode;
    uint32_t kind;
    uint32_t mode;
};
enum { DEVNET_KIND_DIRECTORY = 0, DEVNET_KIND_FILE = 1, DEVNET_KIND_DEVICE = 2 };

/* The calls. Each answers a negative error, or what stands beside it. Descriptors are those of the
   C library too. */
#define DEVNET_IMPORT(name) __attribute__((import_module("vfs"), import_name(name))) extern

/* A descriptor. */
DEVNET_IMPORT("open") int32_t devnet_open_path(const char *path, size_t length, uint32_t flags);
/* 0. */
DEVNET_IMPORT("close") int32_t devnet_close(int32_t descriptor);
/* Bytes; 0 at the end. */
DEVNET_IMPORT("read") int32_t devnet_read(int32_t descriptor, void *buffer, size_t length);
/* Bytes. */
DEVNET_IMPORT("write") int32_t devnet_write(int32_t descriptor, const void *data, size_t length);
/* Bytes of the whole response; as many as fit were written. */
DEVNET_IMPORT("control")
int32_t devnet_control(int32_t descriptor, uint32_t command, const void *request, size_t length,
                       void *response, size_t capacity);
/* Descriptors that are ready. It waits so many milliseconds, or for ever with -1. */
DEVNET_IMPORT("poll")
int32_t devnet_poll(struct devnet_pollfd *entries, size_t count, int32_t milliseconds);
/* 0. */
DEVNET_IMPORT("seek")
int32_t devnet_seek(int32_t descriptor, int64_t offset, uint32_t whence, uint64_t *result);
/* 0. */
DEVNET_IMPORT("stat")
int32_t devnet_stat_path(const char *path, size_t length, struct devnet_stat *result);
/* 0. */
DEVNET_IMPORT("stat_open") int32_t devnet_stat_open(int32_t descriptor, struct devnet_stat *result);
/* Bytes of the whole list: kind, length of the name, name for each entry; as many bytes as fit were
   written. */
DEVNET_IMPORT("list")
int32_t devnet_list(const char *path, size_t length, void *buffer, size_t capacity);
/* 0. */
DEVNET_IMPORT("set_non_blocking")
int32_t devnet_set_non_blocking(int32_t descriptor, uint32_t is_on);
/* Another descriptor of the same open file. */
DEVNET_IMPORT("duplicate") int32_t devnet_duplicate(int32_t descriptor);
/* 0. */
DEVNET_IMPORT("create_directory") int32_t devnet_create_directory(const char *path, size_t length);
/* 0. */
DEVNET_IMPORT("remove") int32_t devnet_remove(const char *path, size_t length);
/* 0. */
DEVNET_IMPORT("rename")
int32_t devnet_rename(const char *from, size_t from_length, const char *to, size_t to_length);

/* What a guest uses of its limits, and how much it may. */
struct devnet_amount {
    uint64_t used;
    uint64_t limit;
};
struct devnet_usage {
    struct devnet_amount memory, files, sockets, buffers, storage, nodes;
};
/* Bytes of the whole answer; as many as fit were written. */
DEVNET_IMPORT("usage") int32_t devnet_usage(struct devnet_usage *result, size_t capacity);

#endif
