# On BusyBox too.
# A directory as a lock.
T=${TMP:-/temporary}
acquire() { mkdir "$T/lock.d" 2>/dev/null; }
release() { rmdir "$T/lock.d"; }
acquire && echo "first has it"
acquire || echo "second waits"
release
acquire && echo "second has it"
release
