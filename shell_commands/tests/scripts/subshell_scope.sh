# On BusyBox too.
# What a subshell changes stays in it.
A=1
(A=2; echo "inside $A")
echo "outside $A"
A=3 env | grep '^A='
echo "$A"
set_a() { A=$1; }
set_a 7
echo "$A"
local_a() { local A=9; echo "local $A"; }
local_a
echo "$A"
