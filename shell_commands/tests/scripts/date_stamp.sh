# On BusyBox too.
# Times of a fixed moment.
date -u -d @86400 +%Y-%m-%d
date -u -d @1000000000 '+%H:%M:%S %j'
[ "$(date +%s)" -gt 1600000000 ] && echo "after 2020"
