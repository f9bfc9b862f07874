# On BusyBox too.
# Routes to networks and hosts.
ifconfig eth0 10.6.0.2 netmask 255.255.255.0 up
route add -net 192.168.30.0 netmask 255.255.255.0 gw 10.6.0.1
route add -net 192.168.40.0/24 gw 10.6.0.1 metric 5
route add -host 192.168.50.7 gw 10.6.0.3
route -n | tr -s ' ' | cut -d' ' -f1-5,8 | sed 1,2d | sort
route del -net 192.168.30.0 netmask 255.255.255.0
route del -host 192.168.50.7
route -n | sed 1,2d | wc -l
