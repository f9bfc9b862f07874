# On BusyBox too.
# A static neighbor, listed and removed.
ifconfig eth0 10.12.0.1 netmask 255.255.255.0 up
arp -s 10.12.0.9 02:00:00:00:00:09 -i eth0
ip neigh show dev eth0 | sed -e 's/ used .* probes [0-9]*//' -e 's/ *$//'
arp -n | grep -c '10.12.0.9'
arp -d 10.12.0.9 -i eth0
ip neigh show dev eth0 | grep -c PERMANENT
