# Names to addresses.
dhcp -q eth0 || exit 1
for name in gateway.lan web.lan; do
    nslookup $name >/dev/null && echo "$name has an address"
done
nslookup nothing.lan >/dev/null 2>&1 || echo "nothing.lan has none"
getent hosts web.lan | tr -s ' ' | cut -d' ' -f2
dig +short web.lan | grep -c '^10\.0\.2\.'
