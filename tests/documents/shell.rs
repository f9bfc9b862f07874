//! The table of commands in `shell_commands/README.md`, made from the shell's own table and from
//! what stands here: which tool each is like, and in what it is not.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use devnet_shell_commands::commands::table::COMMANDS;

use crate::tree::root;

const BEGIN: &str = "<!-- The table is generated: cargo run -p devnet-tests --bin documents -->";
const END: &str = "<!-- The end of the table. -->";

/// The tools that commands are like, and what they do otherwise.
const LIKE: &[(&str, &[(&str, &str)])] = &[
    (
        "ash",
        &[
            (".", "scripts of the tree only"),
            (":", ""),
            ("[", ""),
            ("alias", "stands for whole commands"),
            ("bg", ""),
            ("break", ""),
            ("cd", ""),
            ("command", ""),
            ("continue", ""),
            ("echo", ""),
            ("eval", ""),
            ("exec", ""),
            ("exit", ""),
            ("export", ""),
            ("false", ""),
            ("fg", "Ctrl-Z gives up the rest of the line"),
            ("getopts", ""),
            ("hash", "there are no paths to remember"),
            ("history", "`-c` and a count; not `-d -w -r`"),
            ("jobs", ""),
            ("kill", "jobs and guest programs only"),
            ("local", ""),
            ("printf", ""),
            ("pwd", ""),
            ("read", ""),
            ("readonly", ""),
            ("return", ""),
            ("set", "`-a -C -e -f -u -x -o pipefail`"),
            ("shift", ""),
            ("source", "as `.`"),
            ("test", ""),
            ("time", "wall time only"),
            ("trap", "`EXIT`, `HUP`, `INT` and `TERM`"),
            ("true", ""),
            ("type", ""),
            ("umask", "shows 022, and sets nothing"),
            ("unalias", ""),
            ("unset", ""),
            ("wait", ""),
        ],
    ),
    (
        "coreutils 9.1",
        &[
            ("base64", ""),
            ("basename", ""),
            ("cat", ""),
            ("chmod", ""),
            ("chown", "users have numbers only"),
            ("cp", "there are no links"),
            ("cut", ""),
            ("date", "UTC; the clock is not set; few forms for `-d`"),
            ("df", "one file system, the tree; no `-a -B -l -t -T`"),
            ("dirname", ""),
            ("env", "commands of the shell"),
            ("expr", "numbers of 64 bits"),
            ("head", ""),
            ("id", "numbers, and no other user"),
            ("ls", "one column; users have numbers; sizes are those of the content"),
            ("mkdir", ""),
            ("mktemp", "a template ends with its X's"),
            ("mv", ""),
            ("nl", ""),
            ("od", "no `-S`, no floating-point numbers, no addresses as operands"),
            ("rm", ""),
            ("rmdir", ""),
            ("seq", ""),
            ("sha256sum", ""),
            ("sleep", ""),
            ("sort", ""),
            ("stat", "of the times only that of the last change"),
            ("tac", ""),
            ("tail", ""),
            ("tee", ""),
            ("timeout", "commands of the shell"),
            ("touch", "the time of the last change only"),
            ("tr", ""),
            ("uniq", ""),
            ("wc", ""),
            ("yes", ""),
        ],
    ),
    (
        "diffutils, bsdmainutils, procps",
        &[
            ("clear", ""),
            ("cmp", ""),
            ("diff", "no formats but the normal and the unified one; no `-b -B -c -y -x`"),
            ("free", "the memory that is counted here; no `-t -s -w -l`"),
            ("hexdump", "no formats but `-C` and the usual one"),
            ("ps", "guest programs only"),
            ("rev", ""),
            ("top", "of the network, not of processes; batches have `-b`"),
            ("uptime", "no users and no load"),
            ("watch", "commands of the shell; `-c` is a count"),
        ],
    ),
    (
        "grep 3.8, sed 4.9, findutils 4.9",
        &[
            ("egrep", "no references to groups"),
            ("fgrep", ""),
            ("find", "no `-atime -ctime`; `-exec` runs commands of the shell"),
            ("grep", "no references to groups in expressions"),
            ("sed", "no `r` and `w`, no references to groups in expressions"),
            ("xargs", "commands of the shell"),
        ],
    ),
    (
        "net-tools 2.10",
        &[
            ("arp", "no `temp`, `pub`, `-H -D -f -V`"),
            ("hostname", "a name of `/configuration/hostname`; no `-a -A -b -y`"),
            ("ifconfig", "every IPv4 address is listed; no `-multicast`"),
            ("netstat", "no `-p -o -c -x -g -M`"),
            ("route", "no `mss`, `window`, `irtt`, `mod`, `-F -C`"),
        ],
    ),
    (
        "iproute2 6.1",
        &[
            (
                "ip",
                "`address`, `route`, `link`, `neighbor`, `maddress` and `monitor` only; one table \
                 of routes",
            ),
            ("ss", "no `-o -e -x -p`"),
        ],
    ),
    (
        "BIND 9.18",
        &[
            ("dig", "one server; no `+trace`, `+multiline`, `+dnssec` and alike"),
            ("host", "no zone transfers, no `-v -a -C -l`"),
            ("nslookup", "laid out as by BusyBox; the hosts table counts; not interactive"),
        ],
    ),
    (
        "iputils 20221126, BusyBox 1.35",
        &[
            ("arping", "no `-U -A`; an interval may be shorter than a second"),
            ("ping", "laid out as by BusyBox; no `-a -b -B -F -l -L -m -N -r -R -S -T -U -v -V`"),
            ("ping6", "as `ping -6`"),
        ],
    ),
    (
        "traceroute 2.1, iputils 20221126, mtr 0.95",
        &[
            ("mtr", "reports only; no `-T -e -y -z -o -x -l -p -B -Q -F`"),
            ("tracepath", "says nothing of the way back"),
            ("traceroute", "no `-T`, `-A`, `-e`, `-N`; names by our resolver"),
            ("traceroute6", "as `traceroute -6`"),
        ],
    ),
    ("tcpdump 4.99", &[("tcpdump", "pcapng; a subset of pcap-filter(7)")]),
    (
        "netkit telnet 0.17",
        &[("telnet", "line by line; options are refused; no commands of its own")],
    ),
    ("ntpdate 4.2.8", &[("sntp", "`ntpdate -q` with one question; the clock is not set")]),
    ("OpenBSD nc", &[("nc", "no `-U -X -x -q -s -c -i -C`, no names of ports")]),
    (
        "curl 7.88",
        &[(
            "curl",
            "HTTP only; the meter on a terminal only; no cookies, forms, uploads, and no proxies",
        )],
    ),
    (
        "GNU wget 1.21, BusyBox",
        &[("wget", "no TLS, FTP, recursion, authentication; status 1 for every failure")],
    ),
    (
        "BusyBox 1.35",
        &[
            ("dhcp", "`udhcpc`; the stack configures, so `-s` is refused; `-q` is quiet"),
            ("dhcpd", "`udhcpd`, with options and no file of them"),
            (
                "httpd",
                "in the foreground; no CGI, no authentication; `--metrics`, `--dashboard` are ours",
            ),
        ],
    ),
    (
        "iw 5.19, nmcli 1.42",
        &[("wifi", "words of our own; joins, serves and switches; no enterprise networks")],
    ),
    ("iperf3 3.12", &[("iperf3", "TCP only; no `-u -b --bidir -i -w -C -Z`")]),
    (
        "conntrack 1.4.7",
        &[("conntrack", "connections of sockets without timeouts; no `-E -D -I -U`")],
    ),
    ("glibc 2.36", &[("getent", "hosts only")]),
    (
        "our own",
        &[
            ("control", ""),
            ("dns", ""),
            ("firewall", ""),
            ("help", ""),
            ("netconfig", ""),
            ("run", ""),
        ],
    ),
];

pub(crate) fn page_path() -> PathBuf {
    root().join("shell_commands/README.md")
}

/// The page as it is, with the table as it should be.
pub(crate) fn page() -> String {
    let page = fs::read_to_string(page_path()).expect("a page");
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    format!("{before}{BEGIN}\n\n{}\n{END}{after}", table())
}

fn table() -> String {
    for (name, _) in LIKE.iter().flat_map(|(_, rows)| rows.iter()) {
        assert!(COMMANDS.iter().any(|command| command.name == *name), "{name}: no command");
    }
    let mut text = String::from("| command | like | otherwise | usage |\n|---|---|---|---|\n");
    for command in COMMANDS {
        let mut like = LIKE.iter().flat_map(|(tool, rows)| rows.iter().map(move |row| (tool, row)));
        let (tool, (_, difference)) = like
            .find(|(_, (name, _))| *name == command.name)
            .unwrap_or_else(|| panic!("{}: which tool is it like?", command.name));
        let forms: Vec<_> =
            command.usage.lines().map(|form| format!("`{}`", form.replace('|', "\\|"))).collect();
        let (name, usage) = (command.name, forms.join("<br>"));
        let _ = writeln!(text, "| `{name}` | {tool} | {difference} | {usage} |");
    }
    text
}
