//! The command table: name, usage, one line of help, implementation.
//!
//! The only list of commands in this crate: shells, `help` and completion use it. A new command is
//! one row here and one file beside it.

use super::{
    arp, arping, basename, bytes, cat, chmod, control, cp, curl, cut, date, df, dhcp, dhcpd, diff,
    dns, echo, examples, expr, find, firewall, free, grep, head, hostname, httpd, interface, ip,
    iperf3, launch, ls, machine, mkdir, mktemp, names, nc, netconfig, netstat, nl, od, ping,
    printf, ps, pwd, rm, route, run, sed, seq, sha256sum, sleep, sntp, sort, ss, stat, tail,
    tcpdump, tee, telnet, test, top, touch, tr, trace, wc, wget, wifi,
};
use crate::context::{Files, Platform, Streams};
use crate::shell::Shell;
use crate::shell::command::{Action, Builtin, Command};

impl Shell {
    /// Creates a shell with every command.
    #[must_use]
    pub fn new(files: Files, streams: Streams, platform: Platform) -> Self {
        Self::with_commands(COMMANDS, files, streams, platform)
    }
}

macro_rules! rows {
    ($($name:literal, $usage:literal, $help:literal, $kind:ident $action:tt;)*) => {
        /// Every command, in alphabetical order.
        pub const COMMANDS: &[Command] = &[
            $(Command { name: $name, usage: $usage, help: $help,
                examples: || examples::of($name), action: rows!(@ $kind $action) },)*
        ];
    };
    (@ run ($function:path)) => { Action::Run(|context| Box::pin($function(context))) };
    (@ launch ($function:path)) => {
        Action::Launch(|launcher, context| Box::pin($function(launcher, context)))
    };
    (@ builtin ($builtin:ident)) => { Action::Builtin(Builtin::$builtin) };
}

rows! {
    ".", ". FILE [ARG...]", "Runs a script of the tree in this shell.", builtin (Source);
    ":", ":", "Does nothing and succeeds.", run (echo::succeed);
    "[", "[ CONDITION ]", "Tests texts, numbers and files.", run (test::run);
    "alias", "alias [NAME[=COMMAND]...]", "Shows aliases, or sets them.", builtin (Alias);
    "arp", "arp [-a] [-n] [-i IF]\narp [-i IF] -s ADDRESS MAC\narp [-i IF] -d ADDRESS",
        "Shows, adds or deletes IPv4 neighbors.", run (arp::run);
    "arping", "arping [-c COUNT] [-w SECONDS] [-i SECONDS] [-I IF] [-s ADDRESS] [-b] [-f] [-q] \
        [-D] HOST",
        "Asks by ARP who has an address.", run (arping::run);
    "base64", "base64 [-d] [-i] [-w COLUMNS] [FILE]", "Encodes or decodes base64.",
        run (bytes::base64);
    "basename", "basename PATH [SUFFIX]", "Prints the last part of a path.", run (basename::run);
    "bg", "bg [%JOB]", "Lets a stopped job go on in the background.", builtin (Background);
    "break", "break [LOOPS]", "Ends loops.", builtin (Break);
    "cat", "cat [FILE...]", "Prints files, devices too, until their end.", run (cat::run);
    "cd", "cd [DIRECTORY]", "Changes the current directory.", builtin (ChangeDirectory);
    "chmod", "chmod [-R] MODE PATH...", "Changes modes of files.", run (chmod::run);
    "chown", "chown [-R] USER[:GROUP] PATH...", "Changes owners of files.", run (chmod::owner);
    "clear", "clear", "Clears the screen.", run (machine::clear);
    "cmp", "cmp [-l] [-s] FILE [FILE]", "Compares two files.", run (bytes::compare);
    "command", "command [-p] COMMAND [ARG...]\ncommand -v|-V NAME...",
        "Runs a command and no function, or tells what a name means.", builtin (Command);
    "conntrack", "conntrack -L [-p PROTOCOL]\nconntrack -C|-F",
        "Shows connections and the flows that rules of a firewall know, or forgets these.",
        run (firewall::conntrack);
    "continue", "continue [LOOPS]", "Goes on with the next turn of a loop.", builtin (Continue);
    "control", "control [--read-only] DEVICE|IF\n\
        control [--read-only] [--pretty] DEVICE|IF COMMAND [JSON]\n\
        control [--read-only] --hex DEVICE|IF COMMAND [HEXBYTES]",
        "Lists a network device's control commands, or sends one.",
        run (control::run);
    "cp", "cp [-R|-r|-a] [-n] [-p] [-v] SOURCE... TARGET", "Copies files and directories.",
        run (cp::copy);
    "curl", "curl [-4|-6] [-f] [-G] [-I] [-i] [-L] [-s] [-S] [-v] [-o FILE|-O] [-A AGENT] \
        [-d DATA|@FILE] [-e REFERER] [-H FIELD] [-m SECONDS] [-r RANGE] [-u USER:PASSWORD] \
        [-w FORMAT] [-X METHOD] [--connect-timeout SECONDS] [--max-redirs N] URL...",
        "Fetches documents by HTTP.", run (curl::run);
    "cut", "cut -b|-c|-f LIST [-d CHARACTER] [-s] [FILE...]",
        "Prints parts of lines.", run (cut::run);
    "date", "date [-u] [-R] [-I] [-d TIME] [-r FILE] [+FORMAT]", "Prints the time.",
        run (date::run);
    "df", "df [-h|-k|-m] [-i] [-P] [FILE...]",
        "Shows what the file tree stores, and how much it may.", run (df::run);
    "dhcp", "dhcp [-q] [-n] [-t SECONDS] [-H HOSTNAME] [-r ADDRESS] [-V CLASS] [-O N] \
        [-x N:HEX|hostname:NAME] [--client-id CLIENT] [--ipv6-only] [start] [-i] IF\ndhcp \
        stop|renew|release|status|options IF\ndhcp -6 [-q] [-n] [-t SECONDS] [-S|-A] [-P] [--hint \
        PREFIX] [--duid HEX] [--iaid N] [--rapid-commit] [start] [-i] IF\ndhcp -6 \
        stop|renew|release|status IF\ndhcp -6 downstream IF off|UPLINK [N]",
        "Gets an address by DHCP, or controls the client.", run (dhcp::run);
    "dhcpd", "dhcpd [-v] [--pool FIRST-LAST] [--lease TIME] [--router ADDRESS] [--dns ADDRESS] \
        [--domain NAME] [--option N:HEX] [--static CLIENT=ADDRESS] [--authoritative] [--no-check] \
        [--single-client] [--lease-file FILE|none] [start] IF\ndhcpd stop|status|leases \
        IF\ndhcpd reserve IF CLIENT=ADDRESS...\ndhcpd unreserve|end IF ADDRESS",
        "Serves addresses by DHCP until it is ended, or controls the server.", run (dhcpd::run);
    "diff", "diff [-u | -U LINES] [-q] [-s] [-r] [-N] [-i] [-w] [-a] [-L NAME]... FILE FILE",
        "Compares files line by line, and directories.", run (diff::run);
    "dig", "dig [@SERVER] [-p PORT] [-4|-6] [[-q] NAME] [[-t] TYPE] [+short|+tcp|+search|\
        +norecurse|+time=SECONDS|+tries=N]...\n\
        dig -x ADDRESS [+[no]all|cmd|comments|question|answer|authority|additional|stats|ttlid|\
        class]...",
        "Asks a name server and shows its whole answer.", run (names::dig::run);
    "dirname", "dirname PATH...", "Prints paths without their last parts.",
        run (basename::directory);
    "dns", "dns [show [IF]]\ndns add|remove ADDRESS [IF]\ndns cache|flush [IF]\n\
        dns tls [add ADDRESS NAME [PORT]|remove ADDRESS|required on|off]\ndns multicast \
        [IF [off|resolve|on]]\ndns hostname IF [NAME]\ndns publish IF NAME TYPE PORT \
        [TEXT...]\ndns withdraw IF NAME TYPE\ndns browse TYPE [IF] [SECONDS]\ndns watch TYPE [IF]",
        "Shows or changes the DNS servers, the answers that are kept, and the names and services \
        of the link.", run (dns::run);
    "echo", "echo [-n] [-e] [WORD...]", "Prints its words.", run (echo::run);
    "egrep", "egrep PATTERN [FILE...]", "Prints lines that match an extended expression.",
        run (grep::run);
    "env", "env [-i] [-u NAME] [NAME=VALUE...] [COMMAND [ARG...]]",
        "Shows the exported variables, or changes them for a command.",
        launch (launch::environment);
    "eval", "eval [WORD...]", "Runs its words as a script.", builtin (Evaluate);
    "exec", "exec [COMMAND [ARG...]]",
        "Runs a command as the last, or keeps its redirections.", builtin (Exec);
    "exit", "exit [STATUS]", "Ends the shell.", builtin (Exit);
    "export", "export [-p]\nexport NAME[=VALUE]...",
        "Sets variables and marks them as exported.", builtin (Mark);
    "expr", "expr EXPRESSION", "Computes, compares and cuts words.", run (expr::run);
    "false", "false", "Fails.", run (echo::fail);
    "fg", "fg [%JOB]", "Lets a job go on, and waits for it.", builtin (Foreground);
    "fgrep", "fgrep TEXT [FILE...]", "Prints lines that have a text.", run (grep::run);
    "find", "find [PATH...] [-name|-iname|-path PATTERN] [-type f|d|c] [-size [+|-]N[c|k|M]] \
        [-empty] [-perm [-]MODE] [-user USER] [-maxdepth|-mindepth N] [-depth] [-prune] [-print] \
        [-print0] [-delete] [-exec COMMAND ;|+] [!|(|)|-a|-o]",
        "Finds files.", launch (find::run);
    "firewall", "firewall [list [IF]]\nfirewall add|insert IF in|out ACTION [before|after HANDLE] \
        [state STATES] [rate RATE [burst N]] [log on] [filter EXPRESSION]\nfirewall replace IF \
        HANDLE ACTION [...]\nfirewall remove IF HANDLE\nfirewall flush IF [in|out]\nfirewall \
        policy IF in|out ACTION\nfirewall profile IF off|default-deny\nfirewall reset IF",
        "Shows or changes which packets of an interface pass.", run (firewall::run);
    "free", "free [-b|-k|-m|-h]", "Shows the memory of files, connections and guest programs.",
        run (free::run);
    "getent", "getent hosts|ahosts|ahostsv4|ahostsv6 NAME|ADDRESS...\ngetent hosts",
        "Looks hosts up as programs do, the hosts table first.", run (names::getent::run);
    "getopts", "getopts LETTERS NAME [ARG...]", "Takes the next option.", builtin (Options);
    "grep", "grep [-EFivcnlLqoswxrHh] [-m N] [-A|-B|-C N] PATTERN|-e PATTERN|-f FILE [FILE...]",
        "Prints lines that match.", run (grep::run);
    "hash", "hash [-r] [NAME...]", "Looks whether there are commands.", builtin (Hash);
    "head", "head [-n LINES | -c BYTES] [-q] [-v] [FILE...]",
        "Prints the beginning of files.", run (head::run);
    "help", "help [COMMAND...]\nhelp text [WORD...]",
        "Lists the commands, or explains some; `text` the lines that devices take.", builtin (Help);
    "hexdump", "hexdump [-C] [-v] [-n BYTES] [-s BYTES] [FILE...]",
        "Shows bytes in hexadecimal digits.", run (bytes::hexdump);
    "history", "history [N]\nhistory -c", "Shows the lines that were typed, or forgets them.",
        builtin (History);
    "host", "host [-t TYPE] [-T] [-r] [-W SECONDS] [-4|-6] [-p PORT] NAME|ADDRESS [SERVER]",
        "Says what a name or an address stands for.", run (names::host::run);
    "hostname", "hostname [-s|-f|-d|-i|-I]\nhostname NAME|-F FILE",
        "Shows the name and the addresses of this system, or sets the name.", run (hostname::run);
    "httpd", "httpd [-p [ADDRESS:]PORT] [-h DIRECTORY] [--metrics] [--dashboard [--writable]] \
        [-f] [-v]",
        "Serves a directory by HTTP, or a page that shows the running stack.", run (httpd::run);
    "id", "id [-u|-g|-G]", "Shows user and group.", run (machine::identity);
    "ifconfig", "ifconfig [-a] [-s] [IF]\nifconfig IF [inet|inet6] [add|del] [ADDRESS[/LEN]] \
        [netmask MASK] [broadcast ADDRESS] [hw ether MAC] [mtu N] [metric N] [dhcp] [dns \
        ADDRESS...] [gw ADDRESS] [[-]promisc] [[-]allmulti] [[-]arp] [txqueuelen N] [up|down]",
        "Shows or configures interfaces.", run (interface::run);
    "ip", "ip [-4|-6] [-o] [-br] [-j] [-d] [-c[=auto|always|never]] [-s [-s]] \
        addr|link|route|neigh [show] [dev IF] [FILTER...]\nip addr add|replace \
        ADDRESS[/LEN] dev IF [brd ADDRESS|+] [peer ADDRESS[/LEN]] \
        [label LABEL] [valid_lft SECONDS] [preferred_lft SECONDS] [noprefixroute] [nodad]\nip addr \
        del ADDRESS[/LEN] dev IF; ip addr flush dev IF [FILTER...]\nip link set IF [up|down] [mtu \
        N] [address MAC] [name NEW] [alias TEXT] [promisc|allmulticast|arp on|off] [qlen N] \
        [addrgenmode eui64|random]\nip \
        route add|append|prepend|replace|change [TYPE] PREFIX|default [via \
        ADDRESS [onlink]] [dev IF] [src ADDRESS] [metric N] [proto P] [mtu N] [expires \
        SECONDS] [nexthop via ADDRESS [dev IF] [weight N] [onlink]...]\nip route del [TYPE] \
        PREFIX|default [via ADDRESS] [dev IF]; ip route flush dev IF|proto P|...; ip route get \
        ADDRESS [from ADDRESS] [oif IF] [ipproto PROTOCOL [sport PORT] [dport PORT]]\nip neigh \
        add|replace|change|del ADDRESS [lladdr MAC] dev IF; ip neigh \
        add|del proxy ADDRESS dev IF; ip neigh show proxy; ip neigh get ADDRESS dev IF; ip neigh \
        flush [dev IF] [ADDRESS] [nud STATE]\nip maddr [show] [dev IF]; ip maddr add|del ADDRESS \
        dev IF\nip [-4|-6] [-o] monitor [all|label] [link] [address] \
        [route] [neigh] [dns] [dhcp] [streams] [lease] [dev IF]",
        "Shows, configures or watches addresses, links, routes, neighbors, groups.", run (ip::run);
    "iperf3", "iperf3 -s [-p PORT] [-1] [-J]\niperf3 -c HOST [-p PORT] [-t SECONDS | -n BYTES] \
        [-P STREAMS] [-l BYTES] [-R] [-J] [-4|-6]",
        "Measures throughput by TCP, with itself or the original.", run (iperf3::run);
    "jobs", "jobs", "Lists what runs in the background.", builtin (Jobs);
    "kill", "kill [-SIGNAL|-s SIGNAL] %JOB|PID...\nkill -l",
        "Sends signals to jobs and guest programs, or lists them.", builtin (Kill);
    "local", "local NAME[=VALUE]...", "Makes variables local to the function.", builtin (Local);
    "ls", "ls [-1AadFhilnpRrSt] [--color[=auto|always|never]] [PATH...]",
        "Lists directories.", run (ls::run);
    "mkdir", "mkdir [-p] DIRECTORY...", "Creates directories.", run (mkdir::run);
    "mktemp", "mktemp [-d] [-u] [-q] [-p DIRECTORY] [TEMPLATE]",
        "Creates a file with a name that nobody has.", run (mktemp::run);
    "mtr", "mtr -r|-w|-j|-C [-4|-6] [-n] [-b] [-u] [-c CYCLES] [-i SECONDS] [-G SECONDS] \
        [-f FIRST] [-m HOPS] [-U HOPS] [-s BYTES] [-P PORT] [-a ADDRESS] [-I IF] HOST",
        "Reports what each router on the way to a host loses.", run (trace::mtr);
    "mv", "mv [-n] [-v] SOURCE... TARGET", "Renames files and directories.", run (cp::rename);
    "nc", "nc [-u] [-v] [-N] [-4|-6] [-w SECONDS] [-p PORT] HOST PORT\nnc -z [-u] [-v] [-w \
        SECONDS] HOST PORT[-PORT]\nnc -l [-k] [-u] [-v] [-w SECONDS] [ADDRESS] PORT",
        "Connects, or listens: input to the network, network to output.", run (nc::run);
    "netconfig", "netconfig export [IF]\nnetconfig apply|check|diff FILE|-\nnetconfig save [FILE]\n\
        netconfig wait IF [--link] [--address] [--dns] [--online] [--timeout SECONDS]",
        "Shows, checks, applies or saves the configuration of the network, or waits for it.",
        run (netconfig::run);
    "netstat", "netstat [-t] [-u] [-w] [-a] [-l] [-n]\nnetstat -r|-i|-s|--metrics [-n] [-e]",
        "Lists sockets, routes or interfaces, or what they use and count.", run (netstat::run);
    "nl", "nl [-h|-b|-f a|t|n|pEXPRESSION] [-n ln|rn|rz] [-w COLUMNS] [-s TEXT] [-v FIRST] \
        [-i STEP] [-l LINES] [-d CHARACTERS] [-p] [FILE...]",
        "Numbers lines.", run (nl::run);
    "nslookup", "nslookup [-type=A|AAAA|PTR|CNAME|MX|TXT|SRV|NS|SOA|HTTPS|N] NAME [SERVER]",
        "Looks names and addresses up.", run (names::nslookup::run);
    "od", "od [-A o|d|x|n] [-t TYPE[SIZE][z]...] [-abcdilosx] [-j BYTES] [-N BYTES] [-w[BYTES]] \
        [-v] [FILE...]",
        "Shows bytes as numbers and characters.", run (od::run);
    "ping", "ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] [-I \
        IF|ADDRESS] [-p HEX] [-M do|want|dont|probe] [-Q CLASS] [-q] [-f] [-A] [-D] [-O] [-4|-6] \
        HOST",
        "Asks a host for echoes.", run (ping::run);
    "ping6", "ping6 [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] [-I \
        IF|ADDRESS] [-p HEX] [-M do|want|dont|probe] [-Q CLASS] [-q] [-f] [-A] [-D] [-O] HOST",
        "Asks a host for echoes by IPv6.", run (ping::run);
    "printf", "printf FORMAT [ARG...]", "Prints its arguments in a format.", run (printf::run);
    "ps", "ps", "Lists the guest programs that run.", run (ps::run);
    "pwd", "pwd", "Prints the current directory.", run (pwd::run);
    "read", "read [-r] [-p TEXT] NAME...", "Reads a line into variables.", builtin (Read);
    "readonly", "readonly [-p]\nreadonly NAME[=VALUE]...",
        "Sets variables and makes them read-only.", builtin (Mark);
    "return", "return [STATUS]", "Ends a function or a sourced script.", builtin (Return);
    "rev", "rev [FILE...]", "Reverses lines.", run (bytes::reverse);
    "rm", "rm [-r] [-f] PATH...", "Removes files and directories.", run (rm::run);
    "rmdir", "rmdir [-p] DIRECTORY...", "Removes empty directories.", run (mkdir::remove);
    "route", "route [-n] [-e] [-4|-6|-A inet|inet6]\nroute [-4|-6] add|del [-net|-host] \
        TARGET[/LEN] [netmask MASK] [gw ADDRESS] [metric N] [reject] [[dev] IF]",
        "Shows or changes the routes.", run (route::run);
    "run", "run [--allow-interface IF[:read|:write]] [--allow-connect HOST[:PORT]] \
        [--allow-listen PORT] [--allow-file PATH[:read|:write]] [--allow-from PREFIX] \
        [--allow-command COMMAND] [--allow-raw] [--limit-LIMIT N] [--env NAME=VALUE] \
        [--manifest] GUEST.wasm [ARG...]",
        "Runs a guest program with what is granted and nothing else; limits: files sockets \
         buffers bandwidth memory storage nodes fuel; --manifest grants what GUEST.grants says, \
         too.", run (run::run);
    "sed", "sed [-n] [-E] [-i] SCRIPT|-e SCRIPT|-f FILE [FILE...]", "Edits lines.", run (sed::run);
    "seq", "seq [-w] [-s TEXT] [FIRST [STEP]] LAST", "Prints numbers.", run (seq::run);
    "set", "set [-e|+e] [-u|+u] [-x|+x] [-a|+a] [-f|+f] [-C|+C] [-o|+o pipefail]\nset -- [ARG...]",
        "Shows variables, or sets options and arguments.", builtin (Set);
    "sha256sum", "sha256sum [FILE...]\nsha256sum -c [--quiet] [-s|--status] [FILE...]",
        "Prints SHA-256 sums of files, or checks them.", run (sha256sum::run);
    "shift", "shift [N]", "Drops the first arguments.", builtin (Shift);
    "sleep", "sleep N[ms|s|m|h]", "Waits.", run (sleep::run);
    "sntp", "sntp [-4|-6] [-p PORT] [-t SECONDS] HOST...",
        "Asks servers for the time, and shows how far the clock is from it.", run (sntp::run);
    "sort", "sort [-nrufhVbcsz] [-t CHARACTER] [-k FIELD[.BYTE][,FIELD]] [-o FILE] [FILE...]",
        "Sorts lines.", run (sort::run);
    "source", "source FILE [ARG...]", "Runs a script of the tree in this shell.", builtin (Source);
    "ss", "ss [-t] [-u] [-w] [-a|-l] [-4|-6] [-i] [-m] [-n] [-H] [-O] [-K|-E] [FILTER]\nss -s",
        "Lists sockets with their statistics, or ends connections.", run (ss::run);
    "stat", "stat [-c FORMAT] FILE...", "Shows the attributes of files.", run (stat::run);
    "tac", "tac [FILE...]", "Prints the last line first.", run (bytes::last_first);
    "tail", "tail [-n [+]LINES | -c [+]BYTES] [-f] [-q] [-v] [FILE...]",
        "Prints the end of files.", run (tail::run);
    "tcpdump", "tcpdump [-i IF | -r FILE] [-w FILE] [-c COUNT] [-s BYTES] [-Q in|out|inout] \
        [-nqvexXAStU#] [FILTER]\ntcpdump -D",
        "Shows or stores the packets of an interface, or with -i any of all.", run (tcpdump::run);
    "tee", "tee [-a] [FILE...]", "Copies its input to its output and to files.", run (tee::run);
    "telnet", "telnet [-4|-6] HOST [PORT]", "Sends lines to a host, and shows what it says.",
        run (telnet::run);
    "test", "test CONDITION", "Tests texts, numbers and files.", run (test::run);
    "time", "time COMMAND [ARG...]", "Runs a command and tells how long it took.", builtin (Time);
    "timeout", "timeout [-s SIGNAL] [--preserve-status] N[ms|s|m|h] COMMAND [ARG...]",
        "Ends a command that takes too long.", launch (launch::timeout);
    "top", "top [-b] [-d SECONDS] [-n COUNT]",
        "Shows interfaces, connections and drops as they change.", run (top::run);
    "touch", "touch [-c] [-m] [-d TIME] [-t [[CC]YY]MMDDhhmm[.ss]] [-r FILE] FILE...",
        "Creates files, or sets the time of their last change.", run (touch::run);
    "tr", "tr [-c] [-d] [-s] SET [SET]", "Replaces, deletes or squeezes bytes.", run (tr::run);
    "tracepath", "tracepath [-4|-6] [-n] [-b] [-m HOPS] [-l BYTES] [-p PORT] HOST",
        "Shows the routers on the way to a host, and the path MTU.", run (trace::path);
    "traceroute", "traceroute [-4|-6] [-I] [-n] [-f FIRST] [-m HOPS] [-q PROBES] [-w SECONDS] \
        [-p PORT] [-s ADDRESS] [-i IF] HOST [BYTES]",
        "Shows the routers on the way to a host.", run (trace::route);
    "traceroute6", "traceroute6 [-I] [-n] [-f FIRST] [-m HOPS] [-q PROBES] [-w SECONDS] \
        [-p PORT] [-s ADDRESS] [-i IF] HOST [BYTES]",
        "Shows the routers on the way to a host by IPv6.", run (trace::route);
    "trap", "trap\ntrap ACTION|- EXIT|SIGNAL...", "Runs an action at the end, or after a signal.",
        builtin (Trap);
    "true", "true", "Succeeds.", run (echo::succeed);
    "type", "type NAME...", "Tells what names mean.", builtin (Describe);
    "umask", "umask [-S] [022]", "Shows the mode that new files do not get.", builtin (Mask);
    "unalias", "unalias -a|NAME...", "Forgets aliases.", builtin (Unalias);
    "uniq", "uniq [-c] [-d] [-u] [-i] [-f N] [-s N] [-w N] [FILE [TARGET]]",
        "Prints lines that repeat once.", run (sort::unique);
    "unset", "unset [-f|-v] NAME...", "Forgets variables or functions.", builtin (Unset);
    "uptime", "uptime [-s]", "Shows how long the system runs.", run (machine::uptime);
    "wait", "wait [%JOB...]", "Waits for background jobs.", builtin (Wait);
    "watch", "watch [-e] [-t] [-n SECONDS] [-c COUNT] COMMAND [ARG...]",
        "Runs a command again and again.", launch (launch::again);
    "wc", "wc [-c] [-l] [-w] [FILE...]", "Counts lines, words and bytes.", run (wc::run);
    "wget", "wget [-q] [-S] [-c] [-4|-6] [-O FILE|-] [-T SECONDS] [--header FIELD] [--post-data \
        DATA] URL",
        "Fetches a document by HTTP.", run (wget::run);
    "wifi", "wifi [-i IF] [status|scan [-s SSID] [-c CHANNEL]...|list|disconnect]\n\
        wifi [-i IF] connect [-p KEY|-f FILE] [-S open|wpa2|wpa3] [-b BSSID] [-t SECONDS] SSID\n\
        wifi [-i IF] ap start [-p KEY|-f FILE] [-S open|wpa2|wpa3] [-c CHANNEL] [-n STATIONS] \
        [--hidden] SSID\nwifi [-i IF] ap stop|stations|remove MAC\n\
        wifi [-i IF] switch station [CONNECT OPTIONS] [-w SECONDS] [-H HOSTNAME] SSID\n\
        wifi [-i IF] switch access-point [AP OPTIONS] [--pool FIRST-LAST] [--single-client] SSID \
        ADDRESS/LEN\nwifi [-i IF] on|off|ps on|off|power DBM|auto|country [CC]",
        "Joins wireless networks, or makes the radio an access point.", run (wifi::run);
    "xargs", "xargs [-0] [-r] [-t] [-n N] [-I TEXT] [COMMAND [ARG...]]",
        "Runs a command with arguments from its input.", launch (launch::from_input);
    "yes", "yes [WORD...]", "Prints a line again and again.", run (seq::again);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(COMMANDS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn usage_begins_with_the_name_and_help_is_a_sentence() {
        for command in COMMANDS {
            for line in command.usage.lines() {
                assert_eq!(line.split(' ').next(), Some(command.name));
            }
            assert!(
                command.help.ends_with('.') && !command.help.contains('\n'),
                "{}",
                command.name
            );
        }
    }
}
