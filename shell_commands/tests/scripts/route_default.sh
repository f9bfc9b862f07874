# On BusyBox too.
# A default route, shown, replaced and removed.
ifconfig eth0 10.5.0.2 netmask 255.255.255.0 up
route add default gw 10.5.0.1
route -n | grep '^0.0.0.0' | tr -s ' ' | cut -d' ' -f1-4
route del default
route add default gw 10.5.0.254 eth0
ip route | grep '^default' | sed 's/ *$//'
route del default gw 10.5.0.254
route -n | grep -c '^0.0.0.0'
