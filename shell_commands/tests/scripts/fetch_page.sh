# Fetches a page, retries, and checks it.
dhcp -q eth0 || exit 1
fetch() {
    for try in 1 2 3; do
        wget -q -O "$2" "$1" && return 0
        sleep 0.1
    done
    return 1
}
fetch http://web.lan/ /temporary/page && [ -s /temporary/page ] && echo fetched
fetch http://web.lan/none /temporary/other 2>/dev/null || echo "not there"
curl -s -o /dev/null -w '%{http_code}\n' http://web.lan/
