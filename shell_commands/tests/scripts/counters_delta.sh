# On BusyBox too.
# Counters before and after.
ifconfig lo 127.0.0.1 up
count() { ifconfig lo | sed -n 's/.*TX packets[: ]\([0-9]*\).*/\1/p'; }
before=$(count)
ping -c 3 -i 0.2 127.0.0.1 >/dev/null
after=$(count)
[ $((after - before)) -ge 6 ] && echo "six packets or more"
