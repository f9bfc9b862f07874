# On BusyBox too.
# Files and directories with names that nobody else has.
T=${TMP:-/temporary}
a=$(mktemp $T/work.XXXXXX) && b=$(mktemp $T/work.XXXXXX) || exit 1
[ -f "$a" ] && [ -f "$b" ] && [ "$a" != "$b" ] && echo "two files"
echo content > "$a"
d=$(mktemp -d $T/dir.XXXXXX) && cp "$a" "$d/copy" && cat "$d/copy"
rmdir "$d" 2>/dev/null || echo "not empty"
rm "$d/copy" && rmdir "$d" && echo gone
mktemp $T/none/x.XXXXXX 2>/dev/null || echo "no such directory"
mktemp $T/short.X 2>/dev/null || echo "too few"
rm "$a" "$b"
