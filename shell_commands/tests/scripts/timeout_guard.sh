# On BusyBox too.
# A bound of time for what may hang.
timeout 5 echo quick
timeout 0.2 sleep 5; [ $? -ne 0 ] && echo "too slow"
