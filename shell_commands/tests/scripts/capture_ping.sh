# A capture of a ping.
ifconfig lo up
tcpdump -i lo -c 2 -w /temporary/x.pcapng icmp 2>/dev/null &
sleep 0.3
ping -c 1 127.0.0.1 > /dev/null
wait
tcpdump -r /temporary/x.pcapng 2>/dev/null | grep -c 'ICMP echo'
