# On BusyBox too.
# A table of interfaces, read and carried out line by line.
ip link set eth0 up
while IFS='|' read -r iface address label; do
    case $iface in ''|\#*) continue ;; esac
    ip addr add "$address" dev "$iface" && echo "$label: $address on $iface"
done <<'END'
# interface|address|label
eth0|10.18.0.1/24|inner

eth0|10.19.0.1/16|outer side
END
ip -4 addr show dev eth0 | grep -c 'inet 10.1[89]'
