"""Looks at the dashboard with a browser, by the protocol of WebDriver (W3C)."""

import json
import sys
import time
import urllib.request

DRIVER = "http://127.0.0.1:9515"
BASE = sys.argv[1]


def ask(path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(DRIVER + path, data, kind, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


def eventually(what, condition):
    for _ in range(150):
        if condition():
            return
        time.sleep(0.1)
    sys.exit(f"never: {what}")


def ready():
    try:
        return ask("/status")["ready"]
    except OSError:
        return False


eventually("a driver", ready)
arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
options = {"goog:chromeOptions": {"args": arguments}}
session = ask("/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]


def run(script):
    return ask(f"/session/{session}/execute/sync", {"script": f"return {script}", "args": []})


def rows(name):
    cells = "Array.from(row.cells, (cell) => cell.textContent)"
    return run(f"Array.from(document.querySelectorAll('#{name} tbody tr'), (row) => {cells})")


def text(selector):
    return run(f"document.querySelector('{selector}').textContent")


def streams():
    return [row for row in rows("sockets") if row[2].endswith(":9") and row[3] != "–"]


try:
    ask(f"/session/{session}/url", {"url": BASE + "/"})
    eventually("a state", lambda: run("document.body.dataset.state") == "live")
    with urllib.request.urlopen(BASE + "/dashboard/state", timeout=10) as answer:
        state = json.load(answer)
    found = "document.querySelectorAll('article')"
    cards = run(f"Array.from({found}, (card) => card.dataset.interface)")
    assert cards == [one["status"]["name"] for one in state["interfaces"]], cards
    shown = text("#interfaces")
    for one in state["interfaces"]:
        for address in one["addresses"]["shown"]:
            assert address["entry"]["prefix"] in shown, (address, shown)
    assert "DHCP bound" in shown and "MTU 1400" in shown, shown
    eventually("all bytes of a stream", lambda: streams() and streams()[0][8] == "300 kB")
    stream = streams()[0]
    # Its input has ended, as that of every job in the background.
    assert stream[:2] == ["tcp", "fin-wait-2"], stream
    assert stream[5].endswith(" ms") and stream[6].endswith("B") and stream[9] == "0", stream
    routes = sorted(one["route"]["destination"] for one in state["routes"]["shown"])
    assert sorted(row[0] for row in rows("routes")) == routes, rows("routes")
    neighbors = [row[:3] for row in rows("neighbors")]
    assert [one[0] for one in neighbors] == ["10.77.0.1"], neighbors
    lease = rows("leases")[0]
    assert lease[:2] == ["eth0", "client"] and lease[4] == "bound" and "min" in lease[5], lease
    assert rows("servers") == [["10.77.0.1", "eth0", "dhcp"]], rows("servers")
    assert ["eth0", "no-socket"] in [row[:2] for row in rows("drops")], rows("drops")
    # The line of rates grows.
    line = "document.querySelector('article[data-interface=eth0] polyline')"
    eventually("rates", lambda: len(run(f"{line}.getAttribute('points')").split()) >= 3)
    # A change by the form of the page comes back as an event, and in the card.
    form = "document.querySelector('#change form')"
    run(f"{form}.elements.device.value = 'eth0'")
    run(f"{form}.elements.lines.value = 'address add 10.77.1.2/24'")
    run(f"{form}.querySelector('button').click()")
    eventually("an event", lambda: "address added 10.77.1.2/24" in text("#events"))
    eventually("the address", lambda: "10.77.1.2/24" in text("#interfaces"))
    assert text("#change output") == "done", text("#change output")
    run(f"{form}.elements.lines.value = 'frob'")
    run(f"{form}.querySelector('button').click()")
    eventually("the reason", lambda: text("#change output").startswith("eth0: line 1: "))
    # Of what the network named nothing became markup, and nothing came from elsewhere.
    loaded = run("performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert loaded and set(loaded) == {BASE}, loaded
finally:
    ask(f"/session/{session}", method="DELETE")
