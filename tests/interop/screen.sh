# Sourced by scenarios that look at a terminal: tmux has it, and what stands on it is compared. It
# has a server of its own, which ends with the scenario.

tmux_() { tmux -L "devnet-$$" -f /dev/null "$@"; }

# Columns, rows, command.
open_screen() {
  local columns=$1 rows=$2; shift 2
  tmux_ new-session -d -x "$columns" -y "$rows" "$* ; echo; echo 'screen'' closed'; sleep 200"
}

close_screen() { tmux_ kill-server 2>/dev/null || true; }

# Words that are keys of tmux are keys, others text.
types() {
  local key
  for key in "$@"; do
    case $key in
      Enter | Tab | Up | Down | Left | Right | Home | End | BSpace | C-? | M-?)
        tmux_ send-keys "$key" ;;
      *) tmux_ send-keys -l -- "$key" ;;
    esac
  done
}

resize() { tmux_ resize-window -x "$1" -y "$2"; }

# What stands on the screen, and above it.
screen() { tmux_ capture-pane -p -S -200 | sed 's, *$,,'; }

# Waits until a line of the screen matches, so many times.
shows() {
  local count=${2:-1}
  for _ in $(seq 150); do
    [ "$(screen | grep -cE -- "$1")" -ge "$count" ] && return 0
    sleep 0.1
  done
  screen | sed 's/^/| /'
  fail "not shown: $1"
}

# The last lines that are not empty are these.
ends_with() {
  local wanted=$1 found
  for _ in $(seq 100); do
    found=$(screen | { grep -v '^$' || true; } | tail -n "$(printf '%s\n' "$wanted" | wc -l)")
    [ "$found" = "$wanted" ] && return 0
    sleep 0.1
  done
  diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$found") || true
  fail 'the screen is another'
}
