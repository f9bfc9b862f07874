//! Lines of the [grammar](crate::command::grammar) that have many forms or many words: options of
//! sockets, and what a radio becomes.

use crate::command::form::{Form, forms};

/// The forms of `option`.
pub(super) const OPTIONS: &[Form] = forms! {
    "option (no-delay | broadcast | reuse-address | reuse-port | dont-fragment) (on | off)",
        "Off unless set.", "option no-delay on";
    "option (multicast-loop | receive-errors | header-included) (on | off)",
        "`multicast-loop` is on unless set, the others are off.",
        "option receive-errors on";
    "option (only-ipv6 | explicit-congestion | timestamps) (on | off)",
        "`timestamps` is on unless set, the others are off.", "option only-ipv6 on";
    "option (cork | black-hole-detection) (on | off)",
        "`black-hole-detection` is on unless set, `cork` is off.", "option cork on";
    "option (receive-buffer | send-buffer) BYTES",
        "Buffers grow by themselves unless set.", "option receive-buffer 65536";
    "option maximum-segment SIZE",
        "0, the default: what the path allows.", "option maximum-segment 1200";
    "option not-sent-low-water BYTES",
        "0, the default: as much as the send buffer takes.",
        "option not-sent-low-water 16384";
    "option (hop-limit | multicast-hop-limit) HOPS",
        "64, and 1 for multicast, unless set.", "option hop-limit 32";
    "option (keep-alive | keep-alive-interval | user-timeout) MILLISECONDS",
        "`keep-alive` is off (0) unless set, the interval is 75,000. A time-out of 0, the \
         default, is that of TCP.",
        "option keep-alive 60000";
    "option keep-alive-count COUNT", "9 unless set.", "option keep-alive-count 5";
    "option linger (off | MILLISECONDS)", "Off unless set.", "option linger 2000";
    "option traffic-class OCTET", "0 unless set.", "option traffic-class 0xb8";
    "option (multicast-interface | bind-to-device) (any | INTERFACE)",
        "Any unless set.", "option bind-to-device eth0";
    "option congestion (cubic | reno | bbr)", "`cubic` unless set.",
    "option congestion bbr";
    "option path-mtu-discovery (never | want | always | probe)",
        "`want` for streams and `never` for the others, unless set.",
        "option path-mtu-discovery probe";
};

/// The forms of `switch`.
pub(super) const SWITCH: &[Form] = forms! {
    "switch station SSID [key KEY] [security (open | wpa2 | wpa3)] [bssid MAC] \
     [timeout MILLISECONDS] [hostname HOSTNAME] [wait MILLISECONDS]",
        "With a key the protection is the best that the network has, unless given. \
         `timeout`, 10,000 unless given, is for the association, `wait`, 30,000 unless \
         given, for the lease; 0 does not wait for it.",
        "switch station home key devnet-home wait 5000";
    "switch access-point SSID PREFIX [key KEY] [security (open | wpa2 | wpa3)] \
     [channel COUNT] [hidden (on | off)] [stations COUNT] [clients RANGES \
     [lease SECONDS] [router HOSTS] [dns HOSTS] [single-client (on | off)]]",
        "With a key the protection is `wpa2`, unless given. Channel 0, unless given, is \
         the one that the fewest others use. With `clients` a DHCP server hands these \
         addresses out, for 3,600 seconds unless given. The router is this system unless \
         given.",
        "switch access-point mine 10.0.9.1/24 key devnet-mine clients 10.0.9.10-10.0.9.99";
};
