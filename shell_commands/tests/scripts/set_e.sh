# On BusyBox too.
# set -e ends a script, but not in a condition.
(
    set -e
    if false; then echo no; fi
    false || echo "handled"
    ! true
    echo "still here"
    false
    echo "never"
)
echo "status $?"
(set -u; echo "${undefined_name}" ) 2>/dev/null || echo "unset"
