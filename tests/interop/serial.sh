# The shell on a serial line: a pair of pseudo-terminals, in raw mode.
. "$(dirname "$0")/lab.sh"
cat > "$work/peer.py" <<'PY'
import os, pty, select, subprocess, sys, termios, time, tty

near, far = pty.openpty()
path = os.ttyname(far)
tty.setraw(near)
former = termios.tcgetattr(far)
process = subprocess.Popen([sys.argv[1], "--serial", path], stdin=subprocess.PIPE)
heard = b""

def sees(text):
    global heard
    deadline = time.monotonic() + 20
    while text not in heard:
        ready, _, _ = select.select([near], [], [], max(0, deadline - time.monotonic()))
        assert ready, (text, heard)
        heard += os.read(near, 4096)
    heard = heard[heard.index(text) + len(text):]

def types(text):
    os.write(near, text)

types(b"\r")
sees(b"devnet:/# ")
types(b"echo o''ne\recho ts\x1b[Dw''o\x1b[3~\r")
sees(b"\r\none\r\n")
sees(b"\r\ntwo\r\n")
types(b"sleep 100\r")
sees(b"sleep 100")
sees(b"\n")
types(b"\x03echo $?\r")
sees(b"\r\n130\r\n")
# A session that ends is followed by the next one.
types(b"exit\r")
sees(b"devnet:/# ")
sees(b"devnet:/# ")
types(b"echo ag''ain\r")
sees(b"\r\nagain\r\n")
process.terminate()
process.wait()
assert termios.tcgetattr(far)[:4] == former[:4], "the modes were not restored"
print("a serial line has a shell")
PY
python3 "$work/peer.py" "$DEVNET"
