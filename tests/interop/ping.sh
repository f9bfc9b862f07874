# A lease from dnsmasq, then the kernel pings us in every way, while tshark judges what we send.
. "$(dirname "$0")/lab.sh"
tap
dhcp_server
start tshark tshark -q -n -i tap0 -w "$work/capture.pcap"
eventually grep -q Capturing "$work/tshark.log"

start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  dhcp eth0 || exit 9
  ifconfig eth0 add fd77::2/64
  nslookup lab.test || exit 8
  ping -c 2 10.77.0.1 || exit 7
  ping -c 2 fd77::1 || exit 6
  httpd -p 80 -h /temporary &
  nc -l -p 99 > /temporary/blob &
  echo ready
  sleep 60'
eventually grep -q '^ready' "$work/devnet.log"
address=$(grep -o 'bound 10\.77\.0\.[0-9]*' "$work/devnet.log" | cut -d' ' -f2)
[ -n "$address" ] || fail 'no lease'
grep -q "$address" "$work/leases" || fail 'dnsmasq does not know the lease'
grep -q 'Address: 10.77.0.1' "$work/devnet.log" || fail 'nslookup'
echo "lease $address"

ping -q -c 5 -i 0.2 "$address"
ping -q -6 -c 5 -i 0.2 fd77::2
all_answered() {
  ping -q "$@" | tee "$work/answers"
  grep -q ' 0% packet loss' "$work/answers"
}
all_answered -c 20 -i 0.01 -s 3000 "$address" || fail '3000 bytes over IPv4'
all_answered -6 -c 20 -i 0.01 -s 3000 fd77::2 || fail '3000 bytes over IPv6'
all_answered -f -c 5000 "$address" || fail 'flood'

# Three megabytes to us and back, so that the judge sees data segments of ours too.
head -c 3000000 /dev/urandom > "$work/blob"
cat "$work/blob" > "/dev/tcp/$address/99"
fetched() { curl -s -g -o "$work/back" "http://$1/blob" && cmp -s "$work/blob" "$work/back"; }
eventually fetched "$address"
eventually fetched '[fd77::2]'

sleep 0.5
kill "${started[1]}"; sleep 0.5
is_bad='ip.checksum.status=="Bad" || tcp.checksum.status=="Bad" || udp.checksum.status=="Bad"'
is_bad+=' || icmp.checksum.status=="Bad" || icmpv6.checksum.status=="Bad"'
bad=$(tshark -n -r "$work/capture.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
  -o udp.check_checksum:TRUE -Y "eth.src==02:00:00:00:00:77 && ($is_bad)" 2>/dev/null | wc -l)
ours=$(tshark -n -r "$work/capture.pcap" -Y 'eth.src==02:00:00:00:00:77' 2>/dev/null | wc -l)
echo "packets of ours: $ours, with a bad checksum: $bad"
[ "$ours" -gt 5000 ] || fail 'the capture is empty'
[ "$bad" -eq 0 ] || fail 'bad checksums'
