# On BusyBox too.
# Quotes and escapes.
a='single $x "quoted"'
b="double $((1 + 1)) \$x \"quoted\""
echo "$a"; echo "$b"
printf '%s|' a "b c" 'd  e' f\ g; echo
x="two  words"
echo $x; echo "$x"
set -- "$x" z; echo "$#"
echo "a\\b" 'it'\''s'
printf '%s\n' "$(printf 'line1\nline2\n\n')"
