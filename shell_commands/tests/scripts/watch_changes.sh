# Events of a link, while it changes.
timeout 1 ip monitor link > /temporary/events &
sleep 0.3
ip link set eth0 up
ip link set eth0 down
wait
grep -c eth0 /temporary/events | sed 's/^[2-9]$/some/'
