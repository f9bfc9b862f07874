# An idle program makes no wake-ups: the context switches of all its threads stand still.
. "$(dirname "$0")/lab.sh"
ip link set lo up
start devnet "$DEVNET" -c 'dhcp eth0; httpd -p 80 -h /temporary & echo ready; sleep 100'
eventually grep -q '^ready' "$work/devnet.log"
# Router solicitations end after twelve seconds; the router of the embedded network sends its first
# three advertisements sixteen apart, and the next one after minutes (RFC 4861 §6.2.4).
sleep 45
switches() {
  cat /proc/"${started[0]}"/task/*/status | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}
before=$(switches); sleep 5; after=$(switches)
echo "context switches in five seconds: $((after - before))"
[ "$((after - before))" -eq 0 ] || fail 'woken while idle'
