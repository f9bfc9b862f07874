# udhcpc and dhclient get leases from our server: checked before an offer, renewed, released,
# reserved; an address that the kernel uses is left out.
. "$(dirname "$0")/lab.sh"
tap
ip addr flush dev tap0
# Another station of the link: it has an address of the pool and another hardware address.
ip link add link tap0 name other address 02:00:00:00:00:99 type macvlan mode bridge
ip addr add 10.77.0.50/24 dev other
ip link set other up

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ip link set eth0 up; ip addr add 10.77.0.2/24 dev eth0
  dhcpd -v --pool 10.77.0.50-10.77.0.60 --lease 20s --router 10.77.0.2 --dns 10.77.0.3 \
    --domain lab.test --option 121:10c0a80a4d0009 --static 02:00:00:00:00:55=10.77.0.200 \
    --lease-file /temporary/leases eth0 &
  until dhcpd status eth0 | grep -q "release 1 "; do sleep 0.2; done
  dhcpd status eth0
  cat /temporary/leases
  dhcpd stop eth0
  echo ready'

# What each client was told, and the address for as long as it has it.
cat > "$work/script" <<'SCRIPT'
#!/bin/sh
env >> "$TOLD"
case "${1-}${reason-}" in
  bound|renew) ip addr replace "$ip/$mask" dev "$interface" ;;
  deconfig) ip addr flush dev "$interface" ;;
  BOUND) ip addr replace "$new_ip_address/24" dev "$interface" ;;
esac
SCRIPT
chmod +x "$work/script"
told() { grep -q "$1" "$work/$2" || { cat "$work/$2"; fail "$2: no $1"; }; }

# In the foreground until it has a lease.
ip link add link tap0 name busy address 02:00:00:00:00:66 type macvlan mode bridge
ip link set busy up
TOLD=$work/udhcpc start udhcpc udhcpc -f -i busy -s "$work/script" -x hostname:busybox -O 121 -R
eventually grep -q '^ip=10.77.0.51$' "$work/udhcpc"
told '^router=10.77.0.2$' udhcpc
told '^dns=10.77.0.3$' udhcpc
told '^lease=20$' udhcpc
told '^staticroutes=192.168.0.0/16 10.77.0.9$' udhcpc
udhcpc=${started[-1]}

ip link add link tap0 name isc address 02:00:00:00:00:55 type macvlan mode bridge
ip link set isc up
echo 'send host-name "dhclient"; request subnet-mask, routers, domain-name;' > "$work/conf"
start dhclient dhclient -d -1 -cf "$work/conf" -lf "$work/isc.leases" -pf "$work/isc.pid" \
  -sf "$work/script" -e "TOLD=$work/isc" isc
eventually grep -q '^new_ip_address=10.77.0.200$' "$work/isc"
told '^new_domain_name=lab.test$' isc
told '^new_dhcp_server_identifier=10.77.0.2$' isc
# Renewed halfway; then udhcpc releases what it has.
kill -USR1 "$udhcpc"
eventually grep -q '^lease changed 10.77.0.51 ' "$work/devnet.log"
kill -TERM "$udhcpc"
eventually grep -q '^lease removed 10.77.0.51 ' "$work/devnet.log"
eventually grep -q '^ready' "$work/devnet.log"
has() { grep -q "$1" "$work/devnet.log" || fail "no '$1'"; }
has '^lease added 10.77.0.51 .* mac 02:00:00:00:00:66 name busybox '
has '^lease added 10.77.0.200 .* mac 02:00:00:00:00:55 name dhclient '
has ' conflicts 1 '
has ' release 1 '
has '^10.77.0.200 02:00:00:00:00:55 '
