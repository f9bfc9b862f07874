//! The page `network/TEXT.md`, made from the grammar of lines.

use std::fmt::Write;
use std::path::PathBuf;

use devnet_network::command::grammar::ROWS;
use devnet_network::command::placeholder::PLACEHOLDERS;
use devnet_network::command::{TABLE, noun, nouns, wireless};

use crate::control::{radios, wrapped};
use crate::tree::root;

pub(crate) fn page_path() -> PathBuf {
    root().join("network/TEXT.md")
}

/// The whole page.
pub(crate) fn page() -> String {
    let mut text = String::from(BEGINNING);
    for placeholder in PLACEHOLDERS {
        let examples: Vec<_> =
            placeholder.examples.iter().map(|example| format!("`{example}`")).collect();
        let (name, meaning) = (placeholder.name, placeholder.meaning);
        wrapped(&mut text, "- ", &format!("`{name}`: {meaning}. {}.", examples.join(", ")));
    }
    for noun_name in nouns() {
        let of_noun = TABLE.iter().filter(|entry| noun(entry.identifier) == Some(noun_name));
        let mut is_first = true;
        for entry in of_noun {
            let Some(row) = ROWS.iter().find(|row| row.identifier == entry.identifier) else {
                continue;
            };
            if std::mem::take(&mut is_first) {
                let _ = writeln!(text, "\n## Lines: {noun_name}");
            }
            let (name, anchor) = (entry.name, entry.name.to_lowercase());
            let link = format!("[{name}](CONTROL.md#{anchor})");
            for form in row.forms {
                let _ = writeln!(text, "\n### `{}`\n", form.line);
                let note = form.note;
                wrapped(&mut text, "", &format!("{link}: {} {note}", entry.documentation));
                let _ = writeln!(text, "\n    {}", form.example);
            }
        }
    }
    text.push_str(RADIOS);
    for (entry, sample) in wireless::TABLE.iter().zip(radios::samples()) {
        for line in sample.command.lines() {
            let (name, anchor) = (entry.name, entry.name.to_lowercase());
            let _ = writeln!(text, "\n### `{line}`\n");
            let link = format!("[{name}](CONTROL.md#{anchor})");
            wrapped(&mut text, "", &format!("{link}: {}", entry.documentation));
            let _ = writeln!(text, "\n    {}", sample.line);
        }
    }
    text
}

const RADIOS: &str = "
## Lines of radios

They are lines of the controller of a wireless interface: on one without a radio they fail with
`UnknownCommand`. Pairs in brackets may change places.
";

const BEGINNING: &str = "\
# Lines of text for a network device

This page is generated from the grammar in `src/command/grammar.rs`; do not edit it. After a change
run `cargo run -p devnet-tests --bin documents`. In the shell `help text` prints the same, and
`help text address` a part of it.

A line is a [command](CONTROL.md) in words: it is parsed into the typed command and means exactly
that. Lines are written to a device that was opened for writing, `/devices/network/NAME` of one
interface or `/devices/sockets` of the whole system:

    echo 'address add 10.0.0.2/24' > /devices/network/eth0

In Rust `manager.configure(\"eth0\", \"link up\\naddress add 10.0.0.2/24\")` does the same. A file
that has become a stream or a datagram socket takes data instead, and no lines.

## A text of several lines

One write may bring many lines, 64 KiB together; a line has at most 4096 bytes. Lines end with a
line feed, and a carriage return before it does not matter. Blanks separate words. An empty line and
one that begins with `#` mean nothing.

- **A text that cannot be parsed is not executed at all**: one wrong word in any line, and nothing
  happened.
- **A line that is refused ends the write**: what stood before it took effect and stays, what stands
  after it is not executed.
- The lines of one write stay together: those of another write come before or after them.
- A line that waits (`connect`, `dhcp wait`) makes the write wait; one that must not wait fails with
  `WouldBlock` at that line.
- A line whose first word stands on no line below goes as it is to the controller of the interface,
  when its turn comes. Without a controller the text cannot be parsed.

## Errors

A line has no answer; an error fails the write, with a number as Linux has it. The same error in
words names the line, and the word with what should stand in its place, or the command with what the
stack answered:

    line 2: \"1.2.3\" is no prefix; address add PREFIX [broadcast IPV4]
    line 1: one of add, remove, flush, replace is missing
    line 3: address add 10.0.0.1/24: File exists

- The shell prints it when a write of its own fails.
- `GetLastError` on the open file returns it: why the last text that was written to this file
  failed, until a text succeeds. It changes nothing, and a file that is open for writing only may
  ask. What other open files of the device did is not there.
- In Rust it is a `LineError`, which `Manager::configure` returns; in Rust guests
  `File::last_error`, in C `devnet_last_error`.

Characters that are not printable are escaped, and long words are cut. The number is `InvalidInput`
for text that cannot be parsed, `ProtocolOptionNotAvailable` for an unknown option,
`MessageTooLong` for a line or text that is too long, else that of the [command](CONTROL.md).

## A configuration

`export` gives the lines that make a new interface, or on `/devices/sockets` a new system, what
commands made of this one; the next read of the file returns them. What was learned, from a lease,
from routers, from neighbors, is not among them. `ApplyConfiguration` takes such a text and
`CheckConfiguration` says what it would change, in the shell `netconfig`. Unlike lines that are
written, a configuration is whole:

- **Every line or none.** If a line cannot be, nothing changes, and the error names it.
- **A section says everything.** What it does not say is as on a new interface. What is so already
  is not touched: connections go on.
- Lines say what shall be; those that change what is there, as `address remove`, have no place.
  Their order matters only among addresses, servers, domains and the routes to one destination. A
  second `dns search`, or `advertise` of the same prefix, adds to the first: one line may be too
  short.
- A route waits for its gateway while the DHCP client or a router may still bring the network of it.

On the device of an interface all lines are about that. On `/devices/sockets` sections begin with
one of these lines, and what no section is about stays as it is:

- `system`: the host model, options, servers, domains and hosts of the resolver, routes of the whole
  system.
- `interface INTERFACE`: the interface of this name.
- `match [name PATTERN] [order NUMBER] [mac MAC] [kind KIND]`: every interface that has all of what
  is given. In the pattern `*` stands for any letters; the order counts the interfaces, of the kind
  if one is given, from 1 as they were registered; the address is that of the driver; the kind is
  `ethernet`, `wireless`, `tunnel` or `loopback`.

The first section that matches an interface is its, also when it is registered later.

    system
    dns search lan

    interface eth0
    link up
    dhcp start hostname printer

    match kind ethernet
    mtu 1400
    link up
    address add 10.9.0.1/24

## Words

Below, a word in lower case stands for itself. `[ ]` may be left out, `( | )` is a choice, and `...`
repeats the word before it. Pairs in brackets may change places. A word in upper case stands for a
value:

";
