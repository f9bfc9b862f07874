# Parsers that others wrote for the tools' output (jc) read ours.
. "$(dirname "$0")/lab.sh"
"$DEVNET" -c '
  mkdir /temporary/o; cd /temporary/o
  ifconfig lo up; dhcp -q eth0 || exit 9
  ping -c 2 gateway.lan > ping
  httpd -p 8080 & sleep 0.2
  ifconfig -a > ifconfig; route -n > route; arp -a > arp; arp -n > arp-n
  netstat -tuanl > netstat; netstat -rn > netstat-r; netstat -i > netstat-i; ss -tuan > ss
  dig web.lan > dig; traceroute -n web.lan > traceroute; ls -l /devices/network > ls
  stat /devices/network/eth0 > stat; free > free; df > df; date > date
  wc /temporary/o/ping > wc; env > env; sha256sum ping > hashsum; id > id; ps > ps
  for name in *; do echo "@@@ $name"; cat $name; done' > "$work/all"
mkdir "$work/o"
csplit -s -z -f "$work/part" "$work/all" '/^@@@ /' '{*}'
for part in "$work"/part*; do tail -n +2 "$part" > "$work/o/$(head -n 1 "$part" | cut -c5-)"; done
python3 - "$work/o" <<'PYTHON'
import sys

import jc

folder = sys.argv[1]
if tuple(int(part) for part in jc.__version__.split(".")[:2]) < (1, 25):
    sys.exit(f"jc 1.25 or later is needed, not {jc.__version__}")

def read(name, parser=None):
    text = open(f"{folder}/{name}").read()
    return jc.parse(parser or name, text, quiet=True)

def has(entry, **wanted):
    for key, value in wanted.items():
        if entry.get(key) != value:
            sys.exit(f"{key}: {entry.get(key)!r} instead of {value!r} in {entry}")

lo, eth0 = read("ifconfig")
has(lo, name="lo", ipv4_addr="127.0.0.1", ipv4_mask="255.0.0.0", mtu=65535, ipv6_addr="::1")
has(eth0, name="eth0", ipv4_mask="255.255.255.0", mtu=1500, mac_addr="02:00:0A:00:02:0F")
assert eth0["rx_packets"] > 0 and eth0["tx_bytes"] > 0 and eth0["rx_errors"] == 0, eth0
route = read("route")
has(route[0], destination="0.0.0.0", gateway="10.0.2.2", flags="UG", iface="eth0", metric=0)
has(route[1], destination="10.0.2.0", genmask="255.255.255.0", flags="U")
for name in "arp", "arp-n":
    neighbor = next(one for one in read(name, "arp") if one["address"] == "10.0.2.2")
    has(neighbor, hwtype="ether", hwaddress="02:00:0a:00:02:02", iface="eth0")
has(read("netstat")[0], proto="tcp6", state="LISTEN", local_port="8080", recv_q=0)
has(read("netstat-r", "netstat")[0], destination="0.0.0.0", gateway="10.0.2.2", route_flags="UG")
has(read("netstat-i", "netstat")[1], iface="eth0", mtu=1500, rx_err=0, flg="BMRU")
has(read("ss")[0], netid="tcp", state="LISTEN", local_port="8080", send_q=4096)
ping = read("ping")
has(ping, destination="gateway.lan", destination_ip="10.0.2.2", packets_received=2)
has(ping, packet_loss_percent=0.0)
has(ping["responses"][1], bytes=64, response_ip="10.0.2.2", icmp_seq=1, ttl=64)
dig = read("dig")[0]
has(dig, status="NOERROR", opcode="QUERY", answer_num=1)
has(dig["answer"][0], name="web.lan.", type="A", data="10.0.2.4")
hop = read("traceroute")["hops"][0]
has(hop, hop=1)
assert [probe["ip"] for probe in hop["probes"]] == ["10.0.2.4"] * 3, hop
names = read("ls")
assert [one["filename"] for one in names] == ["eth0", "lo"], names
has(names[0], flags="crw-rw-r--")
has(read("stat")[0], file="/devices/network/eth0", type="character special file", uid=0)
assert read("free")[0]["total"] > 0
assert read("df")[0]["filesystem"] and read("date")["epoch_utc"] > 1600000000
assert read("wc")[0]["lines"] > 4 and len(read("hashsum")[0]["hash"]) == 64
has(read("id")["uid"], id=0)
read("env")
PYTHON
