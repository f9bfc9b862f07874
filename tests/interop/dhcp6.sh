# DHCPv6: an address and a prefix from kea, renewed, with a network of the prefix on another
# interface, and their end once the server is gone; name servers from dnsmasq, where its router says
# so; and dhclient, which learns name servers from us.
. "$(dirname "$0")/lab.sh"
tap
sysctl -qw net.ipv6.conf.all.forwarding=1
cat > "$work/kea.json" <<CONF
{ "Dhcp6": {
  "interfaces-config": { "interfaces": [ "tap0" ] },
  "server-id": { "type": "LL", "persist": false },
  "lease-database": { "type": "memfile", "persist": false },
  "preferred-lifetime": 6, "valid-lifetime": 8, "renew-timer": 2, "rebind-timer": 4,
  "subnet6": [ { "id": 1, "subnet": "fd77::/64", "interface": "tap0",
    "pools": [ { "pool": "fd77::100 - fd77::110" } ],
    "pd-pools": [ { "prefix": "fd78::", "prefix-len": 48, "delegated-len": 60 } ],
    "option-data": [
      { "name": "dns-servers", "data": "fd77::53" },
      { "name": "domain-search", "data": "lab.test" } ] } ],
  "loggers": [ { "name": "kea-dhcp6", "severity": "INFO",
    "output_options": [ { "output": "stdout" } ] } ] } }
CONF
start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 --interface eth1=lan -c '
  sleep 1
  ip link set eth1 up
  dhcp -6 downstream eth1 eth0 2
  dhcp -6 -P --hint ::/60 eth0 || exit 9
  sleep 1
  ip -6 addr; ip -6 route; dns; dhcp -6 status eth1
  echo leased
  until dhcp -6 status eth0 | grep -q stopped; do
    ip -6 -o addr show dev eth0 | grep -q fd77::1 || echo gone
    dhcp -6 status eth0
    sleep 0.5
  done'
ours="${started[-1]}"
# It listens on what has a carrier and a link-local address.
is_ready() { ip -6 addr show dev tap0 scope link | grep -q 'inet6 fe80'; }
eventually is_ready
KEA_PIDFILE_DIR=$work KEA_LOCKFILE_DIR=$work start kea kea-dhcp6 -c "$work/kea.json"
kea=${started[-1]}
eventually grep -q DHCP6_STARTED "$work/kea.log"
eventually grep -q '^leased' "$work/devnet.log"
has() { grep -Eq "$1" "$work/devnet.log" || fail "no '$1'"; }
has 'eth0: bound fd77::1[0-9a-f]* prefix fd78:[0-9a-f:]*/60, dns fd77::53, search lab.test'
has 'inet6 fd77::1[0-9a-f]*/128 scope global dynamic'
has 'inet6 fd78:[0-9a-f:]*2::1/64 scope global (tentative )?dynamic'
has 'unreachable fd78:[0-9a-f:]*/60 dev lo proto dhcp'
has 'fd77::53 dev eth0 dhcp'
has '  network fd78:[0-9a-f:]*2::/64'
# Renewed, and still there after more than its time.
extended() { [ "$(grep -c 'DHCP6_LEASE_RENEW\|DHCP6_PD_LEASE_RENEW' "$work/kea.log")" -ge 6 ]; }
eventually extended
grep -q '^gone' "$work/devnet.log" && fail 'the address was gone while the server was there'
# Nobody renews it.
kill "$kea"
eventually grep -q '^gone' "$work/devnet.log"
has 'eth0: rebinding, stateful with prefixes'
lost() { tail -n 6 "$work/devnet.log" | grep -q 'eth0: soliciting'; }
eventually lost
kill "$ours"
wait "$ours" 2>/dev/null || true

# Information where a router says so.
start dnsmasq dnsmasq -k --conf-file=/dev/null --no-resolv --no-hosts --user=root --port=0 \
  --interface=tap0 --bind-interfaces --enable-ra --dhcp-range=fd77::,ra-stateless,64 \
  --dhcp-option=option6:dns-server,[fd77::54] --dhcp-option=option6:domain-search,other.test \
  --pid-file="$work/dnsmasq.pid" --dhcp-leasefile="$work/leases" --log-dhcp
other="${started[-1]}"
start informed "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  dhcp -6 -A -t 20 eth0 || exit 9
  dhcp -6 status eth0
  echo informed
  sleep 100'
ours="${started[-1]}"
eventually grep -q '^informed' "$work/informed.log"
grep -q 'eth0: informed, dns fd77::54, search other.test' "$work/informed.log" ||
  fail 'no name server of dnsmasq'
grep -Eq 'eth0: informed, auto, .*refresh in [0-9]+s' "$work/informed.log" || fail 'no refresh'
kill "$other" "$ours"
wait "$other" "$ours" 2>/dev/null || true

# Ours tells dhclient.
start server "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ip link set eth0 up
  echo "dhcp6 server on dns fd77::55,fd77::56 domains ours.test,more.test" > /devices/network/eth0
  echo serving
  sleep 100'
eventually grep -q '^serving' "$work/server.log"
eventually is_ready
printf '#!/bin/sh\nenv >> "%s/learned"\n' "$work" > "$work/script"
chmod +x "$work/script"
start dhclient dhclient -6 -S -1 -d -sf "$work/script" -lf "$work/dhclient.leases" \
  -pf "$work/dhclient.pid" tap0
learned() { grep -q '^new_dhcp6_name_servers=fd77::55 fd77::56$' "$work/learned"; }
eventually learned
grep -q '^new_dhcp6_domain_search=ours.test. more.test.' "$work/learned" || fail 'no domains'
# It has no addresses, and says so.
asks() {
  timeout 8 dhclient -6 -N -1 -d -sf "$work/script" -lf "$work/addresses.leases" \
    -pf "$work/addresses.pid" tap0 >"$work/addresses.log" 2>&1 || true
}
asks
grep -qi 'no.*addr' "$work/addresses.log" || fail 'no refusal'
