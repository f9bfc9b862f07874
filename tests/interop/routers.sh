# Router advertisements: radvd's in our stack, and ours in the kernel.
. "$(dirname "$0")/lab.sh"
tap
sysctl -qw net.ipv6.conf.all.forwarding=1
cat > "$work/radvd.conf" <<CONF
interface tap0 {
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultPreference high;
  AdvOtherConfigFlag on; AdvLinkMTU 1400;
  prefix fd77::/64 { };
  prefix fd78::/64 { AdvOnLink on; AdvAutonomous off; };
  route fd79::/48 { AdvRoutePreference low; };
  RDNSS fd77::53 { };
  DNSSL lab.test { };
  nat64prefix 64:ff9b::/96 { };
};
CONF
# A version that does not know the prefix of NAT64 yet.
radvd -c -C "$work/radvd.conf" >/dev/null 2>&1 || sed -i '/nat64/d' "$work/radvd.conf"
start radvd radvd -n -C "$work/radvd.conf" -p "$work/radvd.pid" -m stderr
router="${started[-1]}"
start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  echo "autoconf privacy preferred" > /devices/network/eth0
  ip link set eth0 up
  sleep 8
  ip addr; ip -6 route; cat /devices/network/eth0; dns
  echo ready
  sleep 5
  ip -6 route
  echo over
  sleep 3
  echo "router set preference high lifetime 300 interval 60
router prefix fd88::/64 valid 600 preferred 300
router route fd89::/64 preference low lifetime 120
router dns fd88::53
router domain ours.test
router nat64 64:ff9b::/96" > /devices/network/eth0
  echo advertised
  sleep 100'
eventually grep -q '^ready' "$work/devnet.log"
has() { grep -Eq "$1" "$work/devnet.log" || fail "no '$1'"; }
has 'inet6 fd77::ff:fe00:77/64 scope global dynamic mngtmpaddr'
has 'inet6 fd77::[0-9a-f:]*/64 scope global temporary dynamic'
grep -q 'inet6 fd78:' "$work/devnet.log" && fail 'an address of a prefix that is not for addresses'
has 'fd78::/64 dev eth0 proto kernel'
has 'default via fe80:.* proto ra .*pref high'
has 'fd79::/48 via fe80:.* proto ra .*pref low'
has 'fd77::53'
# A router that ends says so.
kill "$router"
eventually grep -q '^over' "$work/devnet.log"
sed -n '/^ready/,/^over/p' "$work/devnet.log" | grep -q '^default' && fail 'the router is gone'

# Ours: the kernel takes everything that it knows of.
sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.tap0.forwarding=0 \
  net.ipv6.conf.tap0.accept_ra=2 net.ipv6.conf.tap0.autoconf=1 \
  net.ipv6.conf.tap0.accept_ra_rt_info_max_plen=64
eventually grep -q '^advertised' "$work/devnet.log"
routes() { ip -6 route show dev tap0; }
knows() { routes | grep -Eq "$1"; }
eventually knows '^default via fe80::ff:fe00:77 proto ra .*pref high'
eventually knows '^fd89::/64 via fe80::ff:fe00:77 proto ra .*pref low'
eventually knows '^fd88::/64 proto kernel'
address() { ip -6 addr show dev tap0 | grep -q 'inet6 fd88::.* dynamic'; }
eventually address
rdisc6 -1 -w 3000 tap0 > "$work/rdisc.log" 2>&1
for word in 'fd88::/64' 'fd89::/64' 'fd88::53' 'ours.test' '02:00:00:00:00:77'; do
  grep -iqF "$word" "$work/rdisc.log" || fail "rdisc6 shows no $word"
done
