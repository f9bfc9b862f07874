# Guests on the kernel's network: $GUESTS holds programs in C and in Rust. A lease, 100 MB from
# nginx, a thousand requests of curl, datagrams.
. "$(dirname "$0")/lab.sh"
tap
dhcp_server
web_file 100000000
head -c 30000 /dev/urandom > "$work/www/small"
small=$(sha256sum < "$work/www/small" | cut -d' ' -f1)
start nginx nginx -c "$work/nginx.conf"
eventually curl -sf -o /dev/null -r 0-0 http://10.77.0.1/file

imports=()
for guest in ifconfig fetch httpd echo wasmedge-fetch; do
  imports+=(--import "$GUESTS/$guest.wasm")
done
start devnet "$DEVNET" --interface eth0=tap:tap0 "${imports[@]}" -c '
  run --allow-interface eth0:write /binaries/ifconfig.wasm eth0 dhcp || exit 9
  time run --allow-connect lab.test:80 --allow-connect 10.77.0.1 \
    --allow-file /temporary/file:write \
    /binaries/fetch.wasm http://lab.test/file /temporary/file || exit 8
  sha256sum /temporary/file
  run --allow-connect lab.test:80 --allow-connect 10.77.0.1 \
    /binaries/wasmedge-fetch.wasm lab.test 80 /small > /temporary/small || exit 7
  sha256sum /temporary/small
  run --allow-listen udp:7 /binaries/echo.wasm 7 &
  run --allow-listen 80 --allow-file /temporary --limit-sockets 40 \
    /binaries/httpd.wasm 80 /temporary'
for _ in $(seq 1200); do
  grep -q '^serving' "$work/devnet.log" && break
  kill -0 "${started[-1]}" 2>/dev/null || break
  sleep 0.1
done
cat "$work/devnet.log"
grep -q "$wanted  /temporary/file" "$work/devnet.log" ||
  fail 'the 100 MB that the guest fetched differ'
grep -q "$small  /temporary/small" "$work/devnet.log" ||
  fail 'what the third-party guest fetched differs'
address=$(grep -o 'bound 10\.77\.0\.[0-9]*' "$work/devnet.log" | cut -d' ' -f2)

# Half of the requests on connections that stay, half on new ones, thirty at once.
mkdir "$work/answers"
requests() {
  for index in $(seq "$1" "$2"); do
    printf 'url = "http://%s/small"\noutput = "%s/answers/%s"\n' "$address" "$work" "$index"
  done
}
begin=$(date +%s%N)
requests 1 500 | curl -sf --no-progress-meter -Z --parallel-max 30 --max-time 100 -K -
requests 501 1000 |
  curl -sf --no-progress-meter -Z --parallel-max 30 --max-time 100 -H 'Connection: close' -K -
took=$((($(date +%s%N) - begin) / 1000000))
right=$(sha256sum "$work"/answers/* | grep -c "^$small ")
echo "$right of 1000 answers are right, in $took ms"
[ "$right" -eq 1000 ] || fail 'curl got something else'

exec 3<>"/dev/udp/$address/7"
for word in good evening; do
  printf '%s\n' "$word" >&3
  # One read is one datagram.
  back=$(timeout 5 dd bs=2000 count=1 <&3 2>/dev/null) || true
  [ "$back" = "$word" ] || fail "the echo of $word is $back"
done
echo 'datagrams come back'
