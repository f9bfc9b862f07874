# On BusyBox too.
# Without a route there is an error and a status.
ping -c 1 -W 1 203.0.113.9 >/dev/null 2>&1
echo "status $(( $? != 0 ))"
ping -c 1 no..name >/dev/null 2>&1 || echo "bad name"
