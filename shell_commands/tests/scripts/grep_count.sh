# On BusyBox too.
# Questions to a log.
log() { printf '%s\n' 'eth0 up' 'eth1 down' 'eth0 down' 'ETH2 up' 'lo up'; }
log | grep -c up
log | grep -v eth
log | grep -i '^eth2'
log | grep -n down
log | grep -E 'eth(0|1) (up|down)' | wc -l | tr -d ' '
log | grep -o 'eth[0-9]' | sort | uniq -c | tr -s ' '
log | grep -q nothing || echo none
