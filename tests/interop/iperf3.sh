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
kill "${started[0]}"; sleep 0.5

start server iperf3 -s
sleep 0.5
"$DEVNET" --interface eth0=tap:tap0 -c 'ifconfig eth0 10.77.0.3/24; iperf3 -c 10.77.0.1 -t 2' | tee "$work/client"
grep -q 'receiver' "$work/client" || fail 'our client'
"$DEVNET" --interface eth0=tap:tap0 -c 'ifconfig eth0 10.77.0.3/24; iperf3 -c 10.77.0.1 -t 2 -R' | tee "$work/client"
grep -q 'receiver' "$work/client" || fail 'our client, reversed'
