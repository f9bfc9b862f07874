# Routes, search lists, large answers and router preference as dnsmasq gives them.
. "$(dirname "$0")/lab.sh"
tap
# A router says so in its neighbor advertisements too; otherwise it is none by RFC 4861 §7.2.5, and
# its route goes as soon as it is probed.
sysctl -qw net.ipv6.conf.all.forwarding=1
big=$(seq -f --host-record=big.lab.test,10.77.1.%g 1 60)
# shellcheck disable=SC2086
start dnsmasq dnsmasq -k --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --interface=tap0 --bind-interfaces --dhcp-range=10.77.0.50,10.77.0.80,1h \
  --dhcp-option=option:classless-static-route,192.168.2.0/24,10.77.0.9,0.0.0.0/0,10.77.0.7 \
  --dhcp-option=option:domain-search,eng.lab.test,lab.test --dhcp-option=option:router,10.77.0.1 \
  --domain=lab.test --host-record=web.lab.test,10.77.0.1 $big \
  --dhcp-range=fd77::,slaac,64 --enable-ra --ra-param=tap0,high,10,600 \
  --pid-file="$work/dnsmasq.pid" --dhcp-leasefile="$work/leases"

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  dhcp eth0 || exit 9
  echo leased
  ip route
  ping -c 1 web || exit 8
  nslookup web || exit 7
  nslookup -type=a big
  nslookup web. && exit 6
  echo named
  until ip -6 route | grep -q "proto ra"; do sleep 0.2; done
  ip -6 route
  echo ready'
# Each step has the time of its own.
for step in leased named ready; do eventually grep -q "^$step" "$work/devnet.log"; done
has() { grep -qF "$1" "$work/devnet.log" || fail "no '$1'"; }
has '192.168.2.0/24 via 10.77.0.9 dev eth0 proto dhcp'
has 'default via 10.77.0.7 dev eth0 proto dhcp'
grep -q 'default via 10.77.0.1 ' "$work/devnet.log" && fail 'option 3 beside option 121'
has 'Name:	web.lab.test'
[ "$(grep -c '^Address: 10\.77\.1\.' "$work/devnet.log")" -eq 60 ] || fail 'sixty addresses'
has "can't resolve 'web.'"
grep -q 'default via fe80:.* proto ra .*pref high' "$work/devnet.log" || fail 'the preference'
grep -q 'fd77::/64 dev eth0 proto kernel' "$work/devnet.log" || fail 'the on-link prefix'
