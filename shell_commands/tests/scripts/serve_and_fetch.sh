# A server of our own, and a client.
ifconfig lo up
echo "content" > /temporary/index.html
httpd -p 8080 -h /temporary &
server=$!
for try in 1 2 3 4 5; do
    nc -z 127.0.0.1 8080 && break
    sleep 0.1
done
wget -q -O - http://127.0.0.1:8080/
kill $server
wait $server 2>/dev/null
nc -z 127.0.0.1 8080 || echo "over"
