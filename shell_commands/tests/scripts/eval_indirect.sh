# On BusyBox too.
# Variables by name.
for i in 0 1 2; do eval "eth${i}_address=10.0.$i.1"; done
for i in 0 1 2; do eval "echo eth$i \$eth${i}_address"; done
name=eth1_address
eval "value=\${$name}"
echo "$value"
