# The interactive shell as anybody sees it: editing, completion, Ctrl-C, Ctrl-Z, pastes, resizing,
# history over restarts, in a terminal of tmux.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/screen.sh"
export XDG_STATE_HOME=$work/state TERM=screen
open_screen 60 20 "XDG_STATE_HOME=$XDG_STATE_HOME" "$DEVNET"
ends_with 'devnet:/#'

types 'echo two' Home Right Right Right Right ' one' End ' thrxe' BSpace BSpace 'ee' Enter
ends_with 'devnet:/# echo one two three
one two three
devnet:/#'
types 'clear' Enter 'cat /devi' Tab 'net' Tab 'l' Tab
ends_with 'devnet:/# cat /devices/network/lo'
types C-u 'ping -' Tab C-u C-l
ends_with 'devnet:/#'
types 'tracer' Tab Tab
ends_with 'traceroute   traceroute6
devnet:/# traceroute'
types C-u 'pign' Enter
ends_with 'devnet: pign: command not found; did you mean ping?
devnet:/#'

# Ctrl-C ends the command and the loop around it, and nothing else.
types C-l 'while true; do sleep 50; done; echo nev''er' Enter
shows 'echo never$'
types C-c
ends_with '^C
devnet:/#'
types 'echo $?' Enter
ends_with '130
devnet:/#'

# Ctrl-Z stops it, and fg lets it go on.
types C-l 'cat' Enter 'one' Enter
shows '^one$' 2
types C-z
shows '^\[1\]  Stopped     cat$'
types 'fg' Enter
shows '^cat$'
types 'again' Enter
shows '^again$' 2
types C-d
ends_with 'devnet:/#'

# A pasted block stands there and runs with Enter; what is typed ahead runs in its order.
types C-l
tmux_ set-buffer "$(printf 'echo pas''ted\necho blo''ck\n')"
tmux_ paste-buffer -p
shows '^echo block$'
types Enter
ends_with 'pasted
block
devnet:/#'
types C-l 'sleep 1' Enter 'echo ahe''ad' Enter
shows '^ahead$'

# A line that is longer than the window is drawn anew for another one.
types C-l 'echo 01234567890123456789012345678901234567890123456789abcdef'
ends_with 'devnet:/# echo 012345678901234567890123456789012345678901234
56789abcdef'
resize 40 20
ends_with 'devnet:/# echo 0123456789012345678901234
5678901234567890123456789abcdef'
types C-u

# The history is there after a restart, found by arrows, search and hints.
types ' echo hid''den' Enter 'exit' Enter
shows '^screen closed$'
close_screen
[ "$(stat -c %a "$XDG_STATE_HOME/devnet/history")" = 600 ] || fail 'others read the history'
grep -q hidden "$XDG_STATE_HOME/devnet/history" && fail 'a line with a blank was kept'
open_screen 60 20 "XDG_STATE_HOME=$XDG_STATE_HOME" "$DEVNET"
ends_with 'devnet:/#'
types Up
ends_with 'devnet:/# exit'
types C-u C-r 'thr'
ends_with "(reverse-i-search)\`thr': echo one two three"
types Enter
ends_with 'one two three
devnet:/#'
types C-l 'echo o'
ends_with 'devnet:/# echo one two three'
types Right ' four' Enter
ends_with 'one two three four
devnet:/#'
types C-l 'ls -d /devices' Enter
shows '/devices'

# top has the whole window, gives it back, and draws it anew for another one.
types C-u C-l 'ifconfig lo up; top -d 0.2' Enter
shows '^top - [0-9:]+ up 0:0[0-9], connections 0, sockets 0$'
shows '^INTERFACE         RECEIVED'
shows '^lo                0 bit/s'
shows '^eth0              0 bit/s'
shows '^CONNECTION'
types C-c
ends_with 'devnet:/# ifconfig lo up; top -d 0.2
devnet:/#'
tmux_ capture-pane -p | grep -q INTERFACE && fail 'top left something'
types C-l 'top -d 0.2' Enter
shows '^CONNECTION'
resize 100 12
shows '^INTERFACE         RECEIVED                    SENT                        DROPS$'
types C-c
shows 'devnet:/#$'
echo 'the terminal is pleasant'
