# Five thousand clients of the kernel at once, each with a connection of its own.
. "$(dirname "$0")/lab.sh"
tap
ulimit -n "$(ulimit -Hn)"
document=$(printf 'x%.0s' $(seq 1024))
start devnet "$DEVNET" --interface eth0=tap:tap0 -c "
  ifconfig eth0 10.77.0.2/24; mkdir /temporary/www; echo -n $document > /temporary/www/1K
  httpd -p 80 -h /temporary/www & sleep 200"
eventually curl -sf --max-time 1 -o "$work/one" http://10.77.0.2/1K
[ "$(wc -c < "$work/one")" -eq 1024 ] || fail 'not 1 KiB'
resident() { awk '/^VmRSS/ { print $2 }' "/proc/${started[0]}/status"; }
before=$(resident)
began=${EPOCHREALTIME/./}
"$CROWD" 10.77.0.2:80 /1K 1024 5000 || fail 'somebody got no answer'
milliseconds=$(((${EPOCHREALTIME/./} - began) / 1000))
echo "$milliseconds ms"
[ "$milliseconds" -le 20000 ] || fail 'too slow'
echo "resident memory: $before KiB before, $(resident) KiB after"
