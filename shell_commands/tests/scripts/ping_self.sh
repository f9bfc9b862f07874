# On BusyBox too.
# Our own addresses answer.
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.13.0.1 netmask 255.255.255.0 up
for host in 127.0.0.1 10.13.0.1; do
    if ping -c 2 -W 1 $host >/dev/null 2>&1; then echo "$host alive"; else echo "$host dead"; fi
done
ping -c 1 127.0.0.1 | grep -c 'bytes from 127.0.0.1'
ping -q -c 1 127.0.0.1 | grep 'packets transmitted'
