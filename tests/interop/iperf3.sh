# Debian's iperf3 with ours: each as client and as server, both directions.
. "$(dirname "$0")/lab.sh"
tap
start devnet "$DEVNET" --interface eth0=tap:tap0 -c '
  ifconfig eth0 10.77.0.2/24
  iperf3 -s &
  echo ready
  sleep 100'
eventually grep -q '^ready' "$work/devnet.log"
timeout 20 iperf3 -c 10.77.0.2 -t 2 --connect-timeout 3000
timeout 20 iperf3 -c 10.77.0.2 -t 2 -R --connect-timeout 3000

# A client whose last word is late: over a bad path it is sent again. Who comes next meanwhile
# waits, and is not turned away.
cookie=abcdefghijklmnopqrstuvwxyz234567abcd
message() { printf '\0\0\0'; printf "\\x$(printf %x ${#1})"; printf %s "$1"; }
exec 3<>/dev/tcp/10.77.0.2/5201
printf '%s\0' "$cookie" >&3
message '{"tcp":true,"parallel":1,"time":1,"len":1000}' >&3
exec 4<>/dev/tcp/10.77.0.2/5201
printf '%s\0' "$cookie" >&4
printf '\4' >&3
message '{"streams":[{"id":1,"bytes":0}]}' >&3
# The states up to "display the results", 14; before it come our results.
read -r -t 10 -d $'\016' <&3 || fail 'no results'
{ sleep 1; printf '\20' >&3; } &
timeout 20 iperf3 -c 10.77.0.2 -t 1 --connect-timeout 3000
exec 3<&- 4<&-
kill "${started[0]}"; sleep 0.5

start server iperf3 -s
sleep 0.5
"$DEVNET" --interface eth0=tap:tap0 -c 'ifconfig eth0 10.77.0.3/24; iperf3 -c 10.77.0.1 -t 2' |
  tee "$work/client"
grep -q 'receiver' "$work/client" || fail 'our client'
"$DEVNET" --interface eth0=tap:tap0 -c 'ifconfig eth0 10.77.0.3/24; iperf3 -c 10.77.0.1 -t 2 -R' |
  tee "$work/client"
grep -q 'receiver' "$work/client" || fail 'our client, reversed'
