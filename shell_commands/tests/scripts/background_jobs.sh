# On BusyBox too.
# Work in the background, and its status.
T=${TMP:-/temporary}
(sleep 0.1; echo late > $T/j) &
echo early
wait
cat $T/j
(exit 5) & wait $!; echo "status $?"
sleep 5 & kill $!; wait $! 2>/dev/null; [ $? -gt 128 ] && echo ended
rm $T/j
