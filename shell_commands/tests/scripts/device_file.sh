# An interface as a file.
echo 'link up
address add 10.30.0.1/24' > /devices/network/eth0
grep -c '10.30.0.1/24' /devices/network/eth0
echo 'frob' > /devices/network/eth0 2>/dev/null || echo refused
echo 'address remove 10.30.0.1/24' > /devices/network/eth0
grep -c '10.30.0.1/24' /devices/network/eth0
