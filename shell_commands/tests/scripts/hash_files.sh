# On BusyBox too.
# What is intact.
T=${TMP:-/temporary}
printf 'firmware' > $T/fw
sha256sum $T/fw | cut -d' ' -f1
(cd $T && sha256sum fw > fw.sum && sha256sum -c fw.sum)
printf 'x' >> $T/fw
(cd $T && sha256sum -c fw.sum >/dev/null 2>&1) || echo "not intact"
base64 $T/fw | head -c 8; echo
rm $T/fw $T/fw.sum
