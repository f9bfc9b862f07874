# On BusyBox too.
# A configuration as NAME=VALUE, sourced and checked.
T=${TMP:-/temporary}
cat > $T/net.conf <<'END'
# comment
IF="eth0"
ADDRESS=10.15.0.2
PREFIX=24
GATEWAY=10.15.0.1
DNS="10.15.0.1 10.15.0.3"
END
. $T/net.conf
: "${IF:?no interface}" "${ADDRESS:?no address}"
ip link set "$IF" up
ip addr add "$ADDRESS/${PREFIX:-32}" dev "$IF"
[ -n "${GATEWAY-}" ] && ip route add default via "$GATEWAY" dev "$IF"
for server in $DNS; do echo "nameserver $server"; done > $T/resolv.conf
cat $T/resolv.conf
ip route | grep -c default
rm $T/net.conf $T/resolv.conf
