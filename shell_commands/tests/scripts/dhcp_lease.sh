# A lease, and what it brought.
dhcp -q eth0 || exit 1
ip -4 addr show dev eth0 | grep -c 'inet 10.0.2.'
ip route | grep -c '^default via 10.0.2'
ping -c 1 gateway.lan >/dev/null && echo "gateway answers"
dhcp release eth0
ip -4 addr show dev eth0 | grep -c 'inet '
