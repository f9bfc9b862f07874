# The dashboard in a browser: every card has what the stack says of itself.
. "$(dirname "$0")/lab.sh"
tap
dhcp_server
start devnet "$DEVNET" --interface eth0=tap:tap0,mac=02:00:00:00:00:77 --dashboard -c '
  ifconfig lo up; dhcp eth0 || exit 9
  dhcpd lo 10.5.0.1/24 2>/dev/null
  httpd -p 81 --dashboard --writable &
  nc -l -p 9 >/dev/null &
  ip addr; echo ready; sleep 100'
eventually grep -q '^ready' "$work/devnet.log"
address=$(grep -o 'inet 10\.77[0-9.]*' "$work/devnet.log" | cut -d' ' -f2)
page=http://$address:81/dashboard
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
is() { [ "$1" = "$2" ] || fail "$3: $1 instead of $2"; }

# `/` leads to the page; names of others, changes where none are allowed, and other types are
# refused.
is "$(status -L "http://$address/")" 200 'the page'
is "$(status -H 'Host: example.com' "$page/state")" 421 'a name of others'
lines=(-H 'Content-Type: text/x-devnet' --data-binary)
is "$(status "${lines[@]}" 'mtu 1400' "http://$address/dashboard/devices/eth0")" 405 'read-only'
is "$(status --data-binary 'mtu 1400' "$page/devices/eth0")" 403 'a form'
other=(-H 'Origin: http://10.77.0.1')
is "$(status "${other[@]}" "${lines[@]}" 'mtu 1400' "$page/devices/eth0")" 403 'an origin'
is "$(status "${lines[@]}" 'mtu 1400' "$page/devices/eth0")" 204 'a change'
curl -s "${lines[@]}" 'mtu 1' "$page/devices/eth0" | grep -q '^eth0: line 1: ' || fail 'the reason'
is "$(status "http://$address/metrics")" 200 'the metrics'

# What nobody takes is dropped and counted.
echo x > "/dev/udp/$address/4321"

# A capture has frames, and not those of its own download.
ping -i 0.2 -c 15 "$address" >/dev/null &
curl -s -o "$work/x.pcapng" "$page/capture?interface=eth0&seconds=2&filter=icmp+or+tcp+port+81"
tshark -r "$work/x.pcapng" > "$work/frames.log" 2>&1 || fail 'tshark'
grep -q 'ICMP' "$work/frames.log" || fail 'no frames'
grep -q 'TCP' "$work/frames.log" && fail 'its own frames'
is "$(status "$page/capture?interface=eth0&seconds=2&filter=frob")" 400 'a filter'
is "$(status "$page/capture?interface=eth9")" 404 'an interface'

# What a browser shows, with a transfer and changes meanwhile.
{ head -c 300000 /dev/zero; exec sleep 60; } > "/dev/tcp/$address/9" &
started+=($!)
start driver chromedriver --port=9515
python3 "$(dirname "$0")/dashboard.py" "http://$address:81"

# Only so many look at once; who leaves makes room. Each watcher asks until it has a place, as the
# browser's is free only when its end was seen.
watchers=()
for watcher in $(seq 16); do
  curl -sfN --retry 60 --retry-delay 1 -o "$work/watcher.$watcher" "$page/events" &
  watchers+=($!)
done
started+=("${watchers[@]}")
watched() { for watcher in $(seq 16); do [ -s "$work/watcher.$watcher" ] || return 1; done; }
eventually watched
is "$(status --max-time 5 "$page/events")" 503 'one more'
kill "${watchers[@]}"
free() { [ "$(status --max-time 1 "$page/events")" = 200 ]; }
eventually free
