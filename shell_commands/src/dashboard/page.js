"use strict";
// Shows the states and changes that `events` sends. What comes from the network is set as text,
// never as markup.

const HISTORY = 60, EVENTS = 300;
const SVG = "http://www.w3.org/2000/svg";
const find = (selector, root = document) => root.querySelector(selector);

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function scaled(value, unit) {
  const steps = ["", "k", "M", "G", "T"];
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) { value /= 1000; step += 1; }
  return `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${steps[step]}${unit}`;
}

function span(seconds) {
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds)} s`;
}

// Values as the shell writes them: TimeWait is time-wait, {"Raw":1} is raw 1.
function word(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "object") return Object.entries(value).map(([name, inner]) => `${word(name)} ${word(inner)}`).join(" ");
  return String(value).replace(/([a-z])([A-Z0-9])/g, "$1-$2").toLowerCase();
}

function rows(id, total, list) {
  const section = find(`#${id}`);
  const small = find("small", section);
  small.textContent = total > list.length ? `${list.length} of ${total}` : String(total);
  const body = document.createElement("tbody");
  for (const cells of list) {
    const row = element("tr");
    for (const cell of cells) row.append(element("td", cell));
    body.append(row);
  }
  find("tbody", section).replaceWith(body);
}

const seen = new Map();

// Rates of the last states of an interface, the newest last.
function rates(index, time, statistics) {
  const entry = seen.get(index) || { received: [], sent: [] };
  if (entry.statistics && time > entry.time) {
    const seconds = (time - entry.time) / 1000;
    const rate = (name) => Math.max(0, statistics[name] - entry.statistics[name]) * 8 / seconds;
    entry.received.push(rate("received_bytes"));
    entry.sent.push(rate("sent_bytes"));
    for (const list of [entry.received, entry.sent]) while (list.length > HISTORY) list.shift();
  }
  entry.time = time;
  entry.statistics = statistics;
  seen.set(index, entry);
  return entry;
}

function sparkline(entry) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${HISTORY - 1} 100`);
  picture.setAttribute("preserveAspectRatio", "none");
  const most = Math.max(1, ...entry.received, ...entry.sent);
  for (const [kind, list] of [["received", entry.received], ["sent", entry.sent]]) {
    const line = document.createElementNS(SVG, "polyline");
    const first = HISTORY - list.length;
    line.setAttribute("points", list.map((rate, at) => `${first + at},${98 - rate / most * 96}`).join(" "));
    line.setAttribute("class", kind);
    picture.append(line);
  }
  return picture;
}

function sum(object) {
  return Object.values(object).reduce((total, value) => total + value, 0);
}

function card(time, { status, details, addresses, statistics, dhcp }) {
  const made = element("article");
  made.dataset.interface = status.name;
  const title = element("h3", `${status.name} `);
  const up = status.enabled && status.link === "Up";
  title.append(element("small", status.enabled ? `link ${word(status.link)}` : "disabled", up ? "up" : "down"));
  made.append(title);
  if (details && details.description) made.append(element("p", details.description));
  const facts = [word(status.kind), `MTU ${status.mtu}`];
  if (status.hardware_address) facts.push(status.hardware_address);
  if (details && details.speed) facts.push(word(details.speed));
  made.append(element("p", facts.join(" · ")));
  const list = addresses.shown.map(({ entry }) => entry.prefix);
  made.append(element("p", list.length ? list.join(", ") : "no address", "addresses"));
  if (dhcp && dhcp.state !== "Stopped") made.append(element("p", `DHCP ${word(dhcp.state)}`));
  const entry = rates(status.index, time, statistics);
  const last = (list) => scaled(list.length ? list[list.length - 1] : 0, "bit/s");
  made.append(element("p", `↓ ${last(entry.received)}   ↑ ${last(entry.sent)}`, "rates"));
  made.append(sparkline(entry));
  const drops = sum(statistics.received_drops) + sum(statistics.sent_drops);
  made.append(element("p", `received ${scaled(statistics.received_bytes, "B")} in ${statistics.received_packets} packets, `
    + `sent ${scaled(statistics.sent_bytes, "B")} in ${statistics.sent_packets}, dropped ${drops}`));
  return made;
}

function choose(select, names) {
  const old = Array.from(select.options, (option) => option.value);
  if (old.join() === names.join()) return;
  const value = select.value;
  select.replaceChildren(...names.map((name) => element("option", name)));
  if (names.includes(value)) select.value = value;
}

function leases(state) {
  const list = [];
  for (const { status, dhcp } of state.interfaces) {
    if (!dhcp || !dhcp.lease) continue;
    const lease = dhcp.lease;
    list.push([status.name, "client", lease.address, lease.server, word(dhcp.state), span(lease.remaining_seconds)]);
  }
  for (const { interface: name, lease } of state.leases.shown) {
    const left = lease.remaining_seconds === null ? "–" : span(lease.remaining_seconds);
    list.push([name, "server", lease.address, lease.name ?? lease.hardware_address ?? word(lease.client), word(lease.state), left]);
  }
  return list;
}

function show(state) {
  if (state.error) { problem(`the state is not whole: ${state.error}`); return; }
  const time = state.unix_milliseconds;
  find("#interfaces .grid").replaceChildren(...state.interfaces.map((one) => card(time, one)));
  rows("sockets", state.sockets.total, state.sockets.shown.map(({ socket, statistics: tcp }) => [
    word(socket.kind), word(socket.state), socket.local, socket.remote ?? "–",
    `${socket.receive_queue} / ${socket.send_queue}`,
    tcp ? `${(tcp.round_trip / 1000).toFixed(2)} ms` : "–", tcp ? scaled(tcp.congestion_window, "B") : "–",
    tcp ? scaled(tcp.bytes_sent, "B") : "–", tcp ? scaled(tcp.bytes_received, "B") : "–", tcp ? tcp.retransmissions : "–",
  ]));
  rows("neighbors", state.neighbors.total, state.neighbors.shown.map(({ interface: name, neighbor }) =>
    [neighbor.address, neighbor.hardware_address ?? "–", name, word(neighbor.state)]));
  rows("routes", state.routes.total, state.routes.shown.map(({ route, kind }) =>
    [route.destination, route.gateway ?? (kind === "Unicast" ? "on link" : word(kind)), route.interface || "–", route.metric, word(route.origin)]));
  const own = leases(state);
  rows("leases", own.length + state.leases.total - state.leases.shown.length, own);
  rows("servers", state.servers.total, state.servers.shown.map((one) => [one.address, one.interface || "system", word(one.origin)]));
  rows("drops", state.drops.total, state.drops.shown.map((one) => [one.interface || "system", word(one.reason), one.packets]));
  const names = state.interfaces.map(({ status }) => status.name);
  choose(find("#capture select"), names);
  choose(find("#change select"), [...names, "sockets"]);
  find("#change").hidden = !state.is_writable;
  find("#status").textContent = `version ${state.version}, up ${span(state.uptime_seconds)}`;
  document.body.dataset.state = "live";
}

function problem(text) {
  find("#status").textContent = text;
  document.body.dataset.state = "problem";
}

function tell(time, text) {
  const list = find("#events ol");
  list.prepend(element("li", `${new Date(time).toLocaleTimeString()} ${text}`));
  while (list.children.length > EVENTS) list.lastChild.remove();
}

const source = new EventSource("events");
source.addEventListener("state", (event) => show(JSON.parse(event.data)));
source.addEventListener("change", (event) => {
  const change = JSON.parse(event.data);
  tell(change.unix_milliseconds, change.line);
});
source.addEventListener("lost", (event) => tell(Date.now(), `${event.data} changes came too fast and are not shown`));
source.addEventListener("error", () => problem("no connection; trying again"));

find("#change form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, answer = find("output", form);
  const lines = form.elements.lines.value.replace(/\n*$/, "\n");
  const response = await fetch(`devices/${encodeURIComponent(form.elements.device.value)}`,
    { method: "POST", headers: { "content-type": "text/x-devnet" }, body: lines });
  answer.textContent = response.ok ? "done" : await response.text();
});
