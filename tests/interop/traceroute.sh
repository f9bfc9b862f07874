# Our traceroute through two routers of the kernel, by datagrams and by echo requests, IPv4 and
# IPv6, to a host, to what is not there, and where nobody answers; tracepath, which finds the path
# MTU, and the report of mtr.
. "$(dirname "$0")/lab.sh"
tap
namespace router
router=${started[-1]}
namespace far
far=${started[-1]}
ip link add veth0 type veth peer name eth0 netns "$router"
ip link add veth1 netns "$router" type veth peer name eth0 netns "$far"
on() { nsenter -t "$1" -n "${@:2}"; }
link() {
  on "$1" ip addr add "$3" dev "$2"
  on "$1" ip -6 addr add "$4" dev "$2" nodad
  on "$1" ip link set "$2" up
}
link $$ veth0 10.78.0.1/24 fd78::1/64
link "$router" eth0 10.78.0.2/24 fd78::2/64
link "$router" veth1 10.79.0.1/24 fd79::1/64
link "$far" eth0 10.79.0.2/24 fd79::2/64
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
on "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# As many errors as are asked for.
for place in $$ "$router" "$far"; do
  on "$place" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
# The way behind the router takes less.
on "$router" ip link set veth1 mtu 1400; on "$far" ip link set eth0 mtu 1400
ip route add 10.79.0.0/24 via 10.78.0.2; ip -6 route add fd79::/64 via fd78::2
ip route add unreachable 10.80.0.0/24
on "$router" ip route add default via 10.78.0.1; on "$router" ip -6 route add default via fd78::1
on "$far" ip route add default via 10.79.0.1; on "$far" ip -6 route add default via fd79::1
# A name for one router, in our own table.
"$DEVNET" --interface eth0=tap:tap0 -c '
  ifconfig eth0 10.77.0.2/24; ip addr add fd77::2/64 dev eth0 nodad
  route add default gw 10.77.0.1; ip -6 route add default via fd77::1
  echo "dns host add 10.77.0.1 first.lab" > /devices/sockets
  sleep 1
  traceroute -q 2 10.79.0.2
  traceroute -n -I -q 1 10.79.0.2 1200
  traceroute -n -6 -q 1 fd79::2
  traceroute6 -n -I -q 1 fd79::2
  traceroute -n -q 1 -w 1 -m 3 10.80.0.7
  traceroute -n -q 2 -w 1 -f 3 -m 4 10.79.0.9
  echo "dns host add fd79::2 dual.lab" > /devices/sockets
  echo "dns host add 10.79.0.2 dual.lab" > /devices/sockets
  traceroute -n -q 1 dual.lab
  traceroute -n -q 1 -s fd77::2 dual.lab
  tracepath -n 10.79.0.2
  tracepath -n -6 fd79::2
  tracepath -n -m 2 10.80.0.7
  mtr -r -n -c 3 -i 0.3 10.79.0.2 | tail -n +2
  mtr -r -n -u -6 -c 2 -i 0.3 fd79::2 | tail -n +2
' > "$work/output.log" 2>&1
sed -E -e 's/[0-9]+\.[0-9]{3} ms/T ms/g' -e 's/ +[0-9]+\.[0-9]{3}ms/ Tms/' \
  -e 's/(%  +[0-9]+) .*/\1/' -e 's/ +$//' "$work/output.log" > "$work/shown"
diff "$work/shown" - <<'WANTED' || fail 'what traceroute shows'
traceroute to 10.79.0.2 (10.79.0.2), 30 hops max, 60 byte packets
 1  first.lab (10.77.0.1)  T ms  T ms
 2  10.78.0.2 (10.78.0.2)  T ms  T ms
 3  10.79.0.2 (10.79.0.2)  T ms  T ms
traceroute to 10.79.0.2 (10.79.0.2), 30 hops max, 1200 byte packets
 1  10.77.0.1  T ms
 2  10.78.0.2  T ms
 3  10.79.0.2  T ms
traceroute to fd79::2 (fd79::2), 30 hops max, 60 byte packets
 1  fd77::1  T ms
 2  fd78::2  T ms
 3  fd79::2  T ms
traceroute to fd79::2 (fd79::2), 30 hops max, 60 byte packets
 1  fd77::1  T ms
 2  fd78::2  T ms
 3  fd79::2  T ms
traceroute to 10.80.0.7 (10.80.0.7), 3 hops max, 60 byte packets
 1  10.77.0.1  T ms !H
traceroute to 10.79.0.9 (10.79.0.9), 4 hops max, 60 byte packets
 3  * *
 4  * *
traceroute to dual.lab (10.79.0.2), 30 hops max, 60 byte packets
 1  10.77.0.1  T ms
 2  10.78.0.2  T ms
 3  10.79.0.2  T ms
traceroute to dual.lab (fd79::2), 30 hops max, 60 byte packets
 1  fd77::1  T ms
 2  fd78::2  T ms
 3  fd79::2  T ms
 1?: [LOCALHOST]                      pmtu 1500
 1:  10.77.0.1 Tms
 2:  10.78.0.2 Tms
 3:  10.78.0.2 Tms pmtu 1400
 3:  10.79.0.2 Tms reached
     Resume: pmtu 1400 hops 3
 1?: [LOCALHOST]                      pmtu 1500
 1:  fd77::1 Tms
 2:  fd78::2 Tms
 3:  fd78::2 Tms pmtu 1400
 3:  fd79::2 Tms reached
     Resume: pmtu 1400 hops 3
 1?: [LOCALHOST]                      pmtu 1500
 1:  10.77.0.1 Tms !H
     Resume: pmtu 1500
HOST: localhost                   Loss%   Snt   Last   Avg  Best  Wrst StDev
  1.|-- 10.77.0.1                  0.0%     3
  2.|-- 10.78.0.2                  0.0%     3
  3.|-- 10.79.0.2                  0.0%     3
HOST: localhost                   Loss%   Snt   Last   Avg  Best  Wrst StDev
  1.|-- fd77::1                    0.0%     2
  2.|-- fd78::2                    0.0%     2
  3.|-- fd79::2                    0.0%     2
WANTED
echo 'every hop is there'
