# A lease from kea: routes by option 121, options by number, a renewal, and its end once the server
# is gone.
. "$(dirname "$0")/lab.sh"
tap
cat > "$work/kea.json" <<CONF
{ "Dhcp4": {
  "interfaces-config": { "interfaces": [ "tap0" ], "dhcp-socket-type": "raw" },
  "lease-database": { "type": "memfile", "persist": false },
  "valid-lifetime": 5, "renew-timer": 1, "rebind-timer": 3,
  "subnet4": [ { "id": 1, "subnet": "10.77.0.0/24",
    "pools": [ { "pool": "10.77.0.100 - 10.77.0.110" } ],
    "option-data": [
      { "name": "routers", "data": "10.77.0.1" },
      { "name": "ntp-servers", "data": "10.77.0.3" },
      { "code": 121, "csv-format": false, "data": "10C0A80A4D0009000A4D0001" } ] } ],
  "loggers": [ { "name": "kea-dhcp4", "severity": "INFO",
    "output_options": [ { "output": "stdout" } ] } ] } }
CONF
start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  sleep 1
  dhcp -r 10.77.0.105 -O 42 -x hostname:box eth0 || exit 9
  ip route; dhcp options eth0
  echo leased
  until dhcp status eth0 | grep -q stopped; do
    ip -4 -o addr show dev eth0 | grep -q 10.77.0.105 || echo gone
    dhcp status eth0
    sleep 0.5
  done'
# It listens on what has a carrier.
has_carrier() { ip link show tap0 | grep -q LOWER_UP; }
eventually has_carrier
KEA_PIDFILE_DIR=$work KEA_LOCKFILE_DIR=$work start kea kea-dhcp4 -c "$work/kea.json"
kea=${started[-1]}
eventually grep -q DHCP4_STARTED "$work/kea.log"
eventually grep -q '^leased' "$work/devnet.log"
has() { grep -qF "$1" "$work/devnet.log" || fail "no '$1'"; }
has 'bound 10.77.0.105/24 from 10.77.0.1'
has '192.168.0.0/16 via 10.77.0.9 dev eth0 proto dhcp'
has 'default via 10.77.0.1 dev eth0 proto dhcp'
has '42:0a4d0003'
# Renewed by unicast, and still bound after more than its time; then nobody renews it.
extended() { [ "$(grep -c 'DHCP4_LEASE_A' "$work/kea.log")" -ge 3 ]; }
eventually extended
grep -q '^gone' "$work/devnet.log" && fail 'the address was gone while the server was there'
kill "$kea"
eventually grep -q '^gone' "$work/devnet.log"
has 'eth0: rebinding 10.77.0.105/24'
