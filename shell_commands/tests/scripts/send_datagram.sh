# A datagram from one program to another.
ifconfig lo up
nc -u -l -w 1 9005 > /temporary/got &
sleep 0.3
echo "message" | nc -u -w 1 127.0.0.1 9005
wait
cat /temporary/got
