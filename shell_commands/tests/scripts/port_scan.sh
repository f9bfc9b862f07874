# Which ports are open.
ifconfig lo up
nc -l -k 9001 > /dev/null &
nc -l -k 9003 > /dev/null &
sleep 0.3
for port in 9000 9001 9002 9003; do
    if nc -z -w 1 127.0.0.1 $port; then echo "$port open"; else echo "$port closed"; fi
done
kill %1 %2
