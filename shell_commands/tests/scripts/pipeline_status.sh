# On BusyBox too.
# The status of a pipeline is that of its last command.
false | true; echo "$?"
true | false; echo "$?"
! true; echo "$?"
if echo eth0 up | grep -q down; then echo down; else echo "not down"; fi
echo a b c | { read -r x y; echo "$y $x"; }
