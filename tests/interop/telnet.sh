# The kernel's telnet has a shell of ours over TAP, as anybody sees it: in a terminal of tmux.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/screen.sh"
tap
printf 'admin:%s\n' "$(openssl passwd -6 secret)" > "$work/users"
start devnet "$DEVNET" --interface eth0=tap:tap0 --listen 0.0.0.0:23 --credentials "$work/users" \
  -c 'ifconfig eth0 10.77.0.2/24; sleep 200'
eventually ping -c 1 -W 1 10.77.0.2

open_screen 80 24 telnet 10.77.0.2
shows 'devnet login:'
types admin Enter
shows 'Password:'
types guess Enter
shows 'Login incorrect'
types admin Enter
shows 'Password:'
types secret Enter
shows '^devnet:/#'
types 'echo on' Left 'ct' Enter
shows '^octn$'
types 'ping 10.77.0.1' Enter
shows '64 bytes from 10.77.0.1'
types C-c
shows 'packets transmitted|\^C'
types 'echo status $?' Enter
shows '^status 130$'
types Up Up Up Enter
shows '^octn$' 2
# What is typed ahead, while a command runs, runs in its order.
types 'sleep 1' Enter 'echo fir''st' Enter 'echo sec''ond' Enter
shows '^first$'
shows '^second$'
types 'tracer' Tab Tab
shows '^traceroute  *traceroute6$'
types C-u 'sleep 100' Enter C-z
shows 'Stopped  *sleep 100$'
types 'kill %1' Enter
# The window's size is told, at the start and when it changes.
resize 60 20
types 'clear' Enter
types "echo $(printf 'x%.0s' $(seq 55))" Enter
shows '^xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx$'
types 'cat > /temporary/left & sleep 100 &' Enter
types 'exit' Enter
shows 'Connection closed by foreign host'
close_screen

# Too many of one source are refused, and the first ones go on.
for number in 1 2 3 4; do
  mkfifo "$work/hold$number"
  start "held$number" bash -c "telnet 10.77.0.2 < $work/hold$number"
  exec {hold}> "$work/hold$number"
  eventually grep -q login "$work/held$number.log"
done
mkfifo "$work/hold5"
start refused bash -c "telnet 10.77.0.2 < $work/hold5"
exec {hold}> "$work/hold5"
eventually grep -q 'Too many sessions' "$work/refused.log"
echo 'telnet has a shell'
