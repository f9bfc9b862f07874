# What tcpdump writes, and what a device file captures while the kernel talks to us: tshark reads
# both without complaint, with directions and the reasons of drops.
. "$(dirname "$0")/lab.sh"
tap
start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 -c '
  ifconfig eth0 10.77.0.2/24
  tcpdump -i eth0 -w /temporary/a -c 12 icmp or udp port 9 &
  tcpdump -i any -w /temporary/any -c 14 icmp or udp port 9 &
  ifconfig lo up
  echo ready
  sleep 4
  ping -c 1 127.0.0.1
  wait
  httpd -p 80 -h /temporary &
  echo captured
  sleep 60'
eventually grep -q '^ready' "$work/devnet.log"
sleep 0.5
ping -q -c 4 -i 0.2 10.77.0.2
# Ports that nobody has: a datagram, and the error for it.
for _ in 1 2; do echo x > /dev/udp/10.77.0.2/9; sleep 0.1; done
eventually grep -q '^captured' "$work/devnet.log"
fetched() { curl -s -o "$work/capture.pcapng" http://10.77.0.2/a; }
eventually fetched
count() { tshark -n -r "$work/capture.pcapng" -Y "$1" 2> "$work/complaints" | wc -l; }
[ "$(count frame)" = 12 ] || fail "$(count frame) frames, not 12"
[ "$(count 'icmp.type==8')" = 4 ] || fail 'echo requests'
[ "$(count 'icmp.type==0')" = 4 ] || fail 'echo replies'
[ "$(count 'frame.packet_flags_direction==2')" = 6 ] || fail 'sent frames'
[ "$(count 'frame.comment=="dropped: no-socket"')" = 2 ] || fail 'comments'
grep -v 'Running as user' "$work/complaints" && fail 'tshark complains'
fetched() { curl -s -o "$work/capture.pcapng" http://10.77.0.2/any; }
eventually fetched
[ "$(count frame)" = 14 ] || fail "$(count frame) frames of all interfaces, not 14"
[ "$(count 'frame.interface_name=="lo" && icmp')" = 2 ] || fail 'frames of lo'
[ "$(count 'frame.interface_name=="eth0" && eth')" = 12 ] || fail 'frames of eth0'
grep -v 'Running as user' "$work/complaints" && fail 'tshark complains'
echo 'tshark agrees'
