# On BusyBox too.
# Files from here-documents, with and without expansion.
T=${TMP:-/temporary}
name=eth0
cat > $T/a <<END
interface $name
  address $(echo 10.0.0.1)
  mtu $((1500 - 28))
END
cat >> $T/a <<'END'
  literal $name $(date)
END
cat >> $T/a <<-END
	tabs go
	END
cat $T/a
wc -l < $T/a | tr -d ' '
rm $T/a
