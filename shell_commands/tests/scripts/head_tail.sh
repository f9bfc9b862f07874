# On BusyBox too.
# Parts of files.
seq 10 | head -n 3 | tail -n 1
seq 10 | tail -n +9
seq 5 | tac
seq 3 | nl | tr -s ' \t' ' '
seq 4 | sed -n '2,3p' | wc -c | tr -d ' '
printf 'abc' | head -c 2; echo
