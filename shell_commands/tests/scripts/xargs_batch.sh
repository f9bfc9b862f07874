# On BusyBox too.
# Commands for each word of a list.
printf '%s\n' a b c | xargs echo
printf '%s\n' a b c | xargs -n 1 echo item
printf '%s\n' 1 2 | xargs -I % echo 'n=%'
printf '' | xargs -r echo nothing
echo "10.0.0.1 10.0.0.2" | xargs -n1 printf '<%s>\n'
