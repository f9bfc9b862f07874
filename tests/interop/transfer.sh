# 100 MB from a real web server to us, and from our web server to curl.
. "$(dirname "$0")/lab.sh"
tap
dhcp_server
web_file 100000000
start nginx nginx -c "$work/nginx.conf"
eventually curl -sf -o /dev/null -r 0-0 http://10.77.0.1/file

start devnet "$DEVNET" --interface eth0=tap:tap0 -c '
  dhcp eth0 || exit 9
  time wget -q -O /temporary/file http://10.77.0.1/file || exit 8
  sha256sum /temporary/file
  httpd -p 80 -h /temporary &
  sleep 100'
eventually grep -q 'bound ' "$work/devnet.log"
for _ in $(seq 600); do grep -q "/temporary/file" "$work/devnet.log" && break; sleep 0.1; done
grep -q "$wanted" "$work/devnet.log" || fail "the file that we fetched differs"
cat "$work/devnet.log"
address=$(grep -o 'bound 10\.77\.0\.[0-9]*' "$work/devnet.log" | cut -d' ' -f2)
eventually curl -sf -o /dev/null -r 0-0 "http://$address/file"
curl -sf --max-time 60 -o "$work/back" -w 'curl: %{speed_download} bytes per second\n' \
  "http://$address/file"
found=$(sha256sum < "$work/back" | cut -d' ' -f1)
[ "$found" = "$wanted" ] || fail 'the file that curl fetched differs'
echo "both have sha256 $wanted"
