//! Examples of every command, which `help COMMAND` prints and a test runs.
//!
//! Each runs in `/temporary` of the embedded network with an address of `dhcp`, where the files
//! `notes` and `list` have some lines, and succeeds there. (`tests/examples.rs`)

use crate::shell::command::Example;

/// The examples of a command; every command has one.
#[must_use]
pub fn of(name: &str) -> &'static [Example] {
    let place = EXAMPLES.binary_search_by_key(&name, |(name, _)| name);
    place.ok().and_then(|place| EXAMPLES.get(place)).map_or(&[], |(_, examples)| examples)
}

const EXAMPLES: &[(&str, &[Example])] = &[
    (".", &[("echo 'greeting=hello' > set.sh; . ./set.sh; echo $greeting", "")]),
    (":", &[(": > empty", "an empty file")]),
    ("[", &[("[ -f notes ] && echo there", ""), ("[ 2 -gt 1 ]", "")]),
    ("alias", &[("alias ll='ls -l'; ll", "")]),
    (
        "arp",
        &[
            ("arp -n", "the neighbors, without names"),
            ("arp -i eth0 -s 10.0.2.99 02:00:00:00:00:99", "one that is always there"),
        ],
    ),
    ("arping", &[("arping -c 1 -I eth0 10.0.2.2", "")]),
    ("base64", &[("echo hello | base64", ""), ("echo aGVsbG8K | base64 -d", "")]),
    ("basename", &[("basename /configuration/network", ""), ("basename a.txt .txt", "")]),
    ("bg", &[("sleep 1 & kill -STOP %1; bg %1; wait", "")]),
    ("break", &[("for n in 1 2 3; do [ $n = 2 ] && break; echo $n; done", "")]),
    (
        "cat",
        &[("cat notes list", ""), ("cat /devices/network/eth0", "what an interface is and has")],
    ),
    ("cd", &[("cd /devices/network && ls; cd -", "there and back")]),
    ("chmod", &[("chmod 600 notes", "for the owner only"), ("chmod -R u+w .", "")]),
    ("chown", &[("chown 1000:1000 notes", "")]),
    ("clear", &[("clear", "")]),
    ("cmp", &[("cp notes copy; cmp notes copy", "")]),
    ("command", &[("command -v ping", "is there such a command?")]),
    ("conntrack", &[("conntrack -L", "connections, and flows that rules know")]),
    ("continue", &[("for n in 1 2 3; do [ $n = 2 ] && continue; echo $n; done", "")]),
    (
        "control",
        &[
            ("control eth0", "the typed commands of a device"),
            ("control --pretty eth0 GetInterface", ""),
        ],
    ),
    ("cp", &[("cp notes copy", ""), ("mkdir kept; cp -p notes list kept", "")]),
    (
        "curl",
        &[
            ("curl http://web.lan/", ""),
            ("curl -s -o page -w '%{http_code}\\n' http://web.lan/", "the status only"),
            ("curl -I http://web.lan/", "the head only"),
        ],
    ),
    ("cut", &[("echo a:b:c | cut -d : -f 2", "")]),
    ("date", &[("date -u", ""), ("date +%s", "seconds since 1970")]),
    ("df", &[("df -h", "")]),
    (
        "dhcp",
        &[
            ("dhcp eth0", "get an address, a router and name servers"),
            ("dhcp status eth0", ""),
            ("dhcp renew eth0", ""),
            ("dhcp -6 -S eth0", "name servers and domains by DHCPv6"),
            ("dhcp -6 -P start eth0", "an address and a prefix for other networks"),
            ("dhcp -6 status eth0", ""),
        ],
    ),
    (
        "dhcpd",
        &[
            (
                "dhcpd --pool 10.0.2.100-10.0.2.120 --no-check start eth0; dhcpd stop eth0",
                "give addresses to others, and end that",
            ),
            ("dhcpd status eth0", ""),
        ],
    ),
    ("diff", &[("sed s/one/1/ notes > new; diff -u notes new || true", "")]),
    (
        "dig",
        &[
            ("dig web.lan", ""),
            ("dig +short AAAA web.lan", "the answer only"),
            ("dig -x 10.0.2.4 +short", "the name of an address"),
        ],
    ),
    ("dirname", &[("dirname /configuration/network", "")]),
    (
        "dns",
        &[
            ("dns", "the servers, by interface"),
            ("dns add 10.0.2.4 eth0", ""),
            ("dns cache", "the answers that are kept"),
            ("dns tls", "the servers that are asked over TLS"),
        ],
    ),
    (
        "echo",
        &[
            ("echo -n no end of line", ""),
            ("echo 'link up' > /devices/network/eth0", "a command for a device"),
        ],
    ),
    ("egrep", &[("egrep 'one|two' notes", "")]),
    ("env", &[("env", "the exported variables"), ("env LEVEL=2 printenv LEVEL || true", "")]),
    ("eval", &[("name=greeting; eval \"$name=hello\"; echo $greeting", "")]),
    ("exec", &[("exec > log 2>&1; echo into the file", "all output goes there from now on")]),
    ("exit", &[("exit 0", "")]),
    ("export", &[("export PATH_TO=/temporary; env", "")]),
    ("expr", &[("expr 6 '*' 7", ""), ("expr length network", "")]),
    ("false", &[("false || echo failed", "")]),
    ("fg", &[("sleep 1 & fg", "wait for it as if there were no &")]),
    ("fgrep", &[("fgrep one notes", "")]),
    (
        "find",
        &[("find /devices -type c", "all devices"), ("find . -name 'n*' -exec wc -l '{}' ';'", "")],
    ),
    (
        "firewall",
        &[
            ("firewall profile eth0 default-deny", "nothing comes in that nobody asked for"),
            ("firewall add eth0 in accept state new filter tcp dst port 80", "but to this port"),
            ("firewall list eth0", "with the handles of rules"),
        ],
    ),
    ("free", &[("free -h", "")]),
    ("getent", &[("getent hosts web.lan", "")]),
    ("getopts", &[("set -- -n 3; while getopts n: letter; do echo $letter $OPTARG; done", "")]),
    ("grep", &[("grep -n two notes", "with numbers of lines"), ("grep -c . notes", "")]),
    ("hash", &[("hash ping && echo there", "")]),
    ("head", &[("head -n 1 notes", ""), ("head -c 16 /devices/sockets | od -c", "")]),
    (
        "help",
        &[
            ("help ping", "how a command is used"),
            ("help text route", "the lines about routes that a device takes"),
        ],
    ),
    ("hexdump", &[("hexdump -C notes", "")]),
    ("history", &[("history 10", "the last ten lines"), ("history -c", "forget all")]),
    ("host", &[("host web.lan", ""), ("host 10.0.2.4", "the name of an address")]),
    ("hostname", &[("hostname", ""), ("hostname -I", "the addresses")]),
    (
        "httpd",
        &[
            (
                "httpd -p 8080 -h /temporary & wget -q -O - http://127.0.0.1:8080/notes",
                "serve a directory, and fetch from it",
            ),
            (
                "httpd -p 8081 --dashboard & wget -q -O - http://127.0.0.1:8081/dashboard/state \
                 | head -c 64",
                "a page of the running stack, at http://ADDRESS:8081/ in a browser",
            ),
            ("httpd -p 9100 --metrics & curl -s 127.0.0.1:9100/metrics | head -n 1", ""),
        ],
    ),
    ("id", &[("id", "")]),
    (
        "ifconfig",
        &[
            ("ifconfig", "the interfaces that are up"),
            ("ifconfig eth0 10.0.2.50/24 up", ""),
            ("ifconfig eth0 add fd00:2::50/64", "an IPv6 address"),
            ("ifconfig eth0 mtu 1400", ""),
        ],
    ),
    (
        "ip",
        &[
            ("ip -br addr", "one line for each interface"),
            ("ip addr add 10.0.2.51/24 dev eth0", ""),
            ("ip route get 10.0.2.4", "which way a packet takes"),
            ("ip -s link show eth0", "with counters"),
            ("ip -j neigh", "for programs"),
        ],
    ),
    (
        "iperf3",
        &[("iperf3 -s -1 & iperf3 -c 127.0.0.1 -n 1M", "measure, with a server of our own")],
    ),
    ("jobs", &[("sleep 1 & jobs", "")]),
    ("kill", &[("sleep 9 & kill %1; wait %1 || echo ended", ""), ("kill -l", "")]),
    ("local", &[("f() { local n=1; echo $n; }; f", "")]),
    ("ls", &[("ls -l /devices/network", "the interfaces"), ("ls -lh", "")]),
    ("mkdir", &[("mkdir -p a/b/c", "with those above it")]),
    ("mktemp", &[("mktemp", ""), ("mktemp -d work.XXXXXX", "a directory")]),
    ("mtr", &[("mtr -r -n -c 2 -i 0.1 web.lan", "")]),
    ("mv", &[("cp notes old; mv old older", "")]),
    (
        "nc",
        &[
            ("nc -l -p 7000 > heard & echo hello | nc -N 127.0.0.1 7000; wait; cat heard", ""),
            ("nc -z -v web.lan 80", "does somebody listen?"),
        ],
    ),
    (
        "netconfig",
        &[
            ("netconfig export", "the lines that recreate what was asked for"),
            ("netconfig save; netconfig diff /configuration/network", ""),
            ("netconfig wait eth0 --address --timeout 10", "for scripts"),
        ],
    ),
    (
        "netstat",
        &[
            ("netstat -tan", "connections and listeners"),
            ("netstat -rn", "routes"),
            ("netstat -s", "what the protocols counted"),
        ],
    ),
    ("nl", &[("nl notes", "")]),
    ("nslookup", &[("nslookup web.lan", ""), ("nslookup -type=AAAA web.lan 10.0.2.3", "")]),
    ("od", &[("od -A x -t x1z notes", "")]),
    (
        "ping",
        &[("ping -c 3 -i 0.2 gateway.lan", ""), ("ping -c 1 -s 1400 10.0.2.4", "large packets")],
    ),
    ("ping6", &[("ping6 -c 1 gateway.lan", "")]),
    ("printf", &[("printf '%5d %s\\n' 7 apples", "")]),
    ("ps", &[("ps", "")]),
    ("pwd", &[("pwd", "")]),
    ("read", &[("echo 'one two' | while read first rest; do echo $rest; done", "")]),
    ("readonly", &[("readonly LIMIT=5; echo $LIMIT", "")]),
    ("return", &[("f() { [ $1 -gt 0 ] && return 0; echo small; }; f 1", "")]),
    ("rev", &[("echo stressed | rev", "")]),
    ("rm", &[("cp notes old; rm old", ""), ("mkdir -p a/b; rm -r a", "")]),
    ("rmdir", &[("mkdir -p a/b; rmdir -p a/b", "with those above it")]),
    (
        "route",
        &[
            ("route -n", ""),
            ("route add -net 10.9.0.0/16 gw 10.0.2.2", ""),
            ("route add -host 10.9.9.9 reject", "packets to it are refused"),
        ],
    ),
    ("run", &[("run --help", "which grants there are")]),
    ("sed", &[("sed 's/one/1/' notes", ""), ("sed -n '2,3p' notes", "some lines")]),
    ("seq", &[("seq 3", ""), ("seq -w 8 2 12", "")]),
    ("set", &[("set -eu; echo strict", "stop at failures and unset variables"), ("set", "")]),
    ("sha256sum", &[("sha256sum notes > sums; sha256sum -c sums", "")]),
    ("shift", &[("set -- a b c; shift; echo $1", "")]),
    ("sleep", &[("sleep 200ms", "")]),
    ("sntp", &[("sntp -t 1 10.0.2.2 || echo 'no time there'", "")]),
    ("sort", &[("sort -n list", ""), ("sort -u notes", "")]),
    ("source", &[("echo 'echo $1' > say.sh; source say.sh hello", "")]),
    (
        "ss",
        &[
            ("ss -tan", ""),
            ("ss -ti state established", "with round-trip times and windows"),
            ("ss -s", "how many there are"),
        ],
    ),
    ("stat", &[("stat notes", ""), ("stat -c '%s %n' notes", "")]),
    ("tac", &[("tac notes", "")]),
    ("tail", &[("tail -n 1 notes", ""), ("tail -n +2 notes", "all but the first line")]),
    (
        "tcpdump",
        &[(
            "tcpdump -i eth0 -c 1 -n icmp & sleep 200ms; ping -c 1 10.0.2.2; wait",
            "the first packet of a ping",
        )],
    ),
    ("tee", &[("ip addr | tee addresses | wc -l", "")]),
    ("telnet", &[("echo 'GET / HTTP/1.0' | telnet web.lan 80 || true", "")]),
    ("test", &[("test -d /devices && echo there", "")]),
    ("time", &[("time ping -c 1 10.0.2.2", "")]),
    ("timeout", &[("timeout 200ms sleep 9 || echo too slow", "")]),
    ("top", &[("top -b -n 1", "once, as text")]),
    ("touch", &[("touch new", ""), ("touch -d '2026-01-01 12:00' notes", "")]),
    ("tr", &[("echo hello | tr a-z A-Z", "")]),
    ("tracepath", &[("tracepath -n web.lan", "")]),
    ("traceroute", &[("traceroute -n -q 1 10.0.2.4", "")]),
    ("traceroute6", &[("traceroute6 -n -q 1 gateway.lan", "")]),
    ("trap", &[("(trap 'echo bye' EXIT; echo working)", "")]),
    ("true", &[("while true; do break; done", "")]),
    ("type", &[("type ping cd", "")]),
    ("umask", &[("umask -S", "")]),
    ("unalias", &[("alias ll='ls -l'; unalias ll", "")]),
    ("uniq", &[("sort list | uniq -c", "how often each line is there")]),
    ("unset", &[("name=x; unset name; echo ${name:-unset}", "")]),
    ("uptime", &[("uptime", "")]),
    ("wait", &[("sleep 200ms & wait", ""), ("false & wait %1 || echo failed", "")]),
    ("watch", &[("watch -t -n 1 -c 2 ip -br addr", "twice, a second apart")]),
    ("wc", &[("wc -l notes", "")]),
    (
        "wget",
        &[
            ("wget -q -O - http://web.lan/", "to the screen"),
            ("wget -O page http://web.lan/", ""),
            ("wget -c -O page http://web.lan/", "the rest of a file that is there in part"),
        ],
    ),
    ("wifi", &[("wifi --help", "with --interface wlan0=wifi there is a radio")]),
    ("xargs", &[("echo notes list | xargs wc -l", ""), ("seq 3 | xargs -n 1 echo", "")]),
    ("yes", &[("yes | head -n 2", "")]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table::COMMANDS;

    #[test]
    fn every_command_has_an_example_that_has_it() {
        let names: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        let all: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        assert_eq!(names, all);
        for (name, examples) in EXAMPLES {
            assert!(!examples.is_empty(), "{name}");
            assert!(examples.iter().all(|(typed, _)| typed.contains(name)), "{name}");
        }
    }
}
