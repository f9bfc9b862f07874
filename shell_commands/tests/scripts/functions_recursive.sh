# On BusyBox too.
# Functions that call themselves, and their status.
fact() { [ "$1" -le 1 ] && echo 1 || echo $(( $1 * $(fact $(($1 - 1))) )); }
fact 10
check() { return "$1"; }
check 0 && echo zero
check 7 || echo "seven: $?"
args() { echo "$# ${1-} ${2-}"; shift; echo "$*"; }
args "a b" c d
