//! The page `network/CONTROL.md`, made from the table of commands, and the golden file of numbers
//! and bytes.
//!
//! | part | from |
//! |---|---|
//! | number, name, access, what it does | the table, `devnet_network::command::TABLE` |
//! | lines | `devnet_network::command::grammar`, beside the parser |
//! | errors | `devnet_network::command::errors` |
//! | types, fields, units | [`schema`]: the sources that declare them |
//! | examples | [`mod@samples`]: encoded by the system itself |

mod dhcp6;
pub(crate) mod radios;
pub(crate) mod samples;
pub(crate) mod schema;

use std::fmt::Write;
use std::path::PathBuf;

use devnet_network::command::errors::COMMON;
use devnet_network::command::{TABLE, noun, nouns, wireless};
use devnet_virtual_file_system::{Authority, CommandEntry, Error};
use syn::Type;

use self::samples::{Payload, Sample, samples};
use self::schema::{Declaration, Field, Shape, Types, Variant, arguments, name, shown};
use crate::tree::root;

/// What a change of the golden file breaks.
pub(crate) const FOREVER: &str = "numbers and bytes of commands are forever, since programs that \
    were built yesterday send them: give the new meaning a new number";

/// Columns of the page.
const WIDTH: usize = 100;

pub(crate) fn page_path() -> PathBuf {
    root().join("network/CONTROL.md")
}

pub(crate) fn golden_path() -> PathBuf {
    root().join("tests/documents/commands.golden")
}

/// The type of a payload, from its name in Rust.
fn type_of(payload: &Payload) -> Type {
    syn::parse_str(payload.type_name).expect("a type")
}

/// Bytes in hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Words in lines of [`WIDTH`] columns, the first of which begins with `first`.
pub(crate) fn wrapped(text: &mut String, first: &str, words: &str) {
    // The lines of an item stand under its first word, those of a block under its second column.
    let indent = if first.starts_with("- ") { 2 } else { first.len() };
    let indent = " ".repeat(indent);
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = indent.clone();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(text, "{line}");
}

/// Each command's number, identifier, name, and the bytes of its sample.
pub(crate) fn golden() -> String {
    let mut text = String::new();
    let tables = TABLE.iter().chain(wireless::TABLE);
    for (entry, sample) in tables.zip(samples::all()) {
        let identifier = entry.identifier;
        let _ = writeln!(
            text,
            "{} 0x{:08x} {}\n  request {}\n  response {}",
            identifier.number(),
            identifier.raw(),
            entry.name,
            hexadecimal(&sample.request.bytes),
            hexadecimal(&sample.response.bytes),
        );
    }
    // Without blanks at the end of lines.
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The whole page.
pub(crate) fn page() -> String {
    let types = Types::read();
    let samples = samples();
    samples.iter().for_each(|sample| check(&types, sample));
    let mut text = String::from(BEGINNING);
    common_errors(&mut text);
    text.push_str(LINES);
    contents(&mut text);
    let mut used = Vec::new();
    for noun_name in nouns() {
        let _ = writeln!(text, "\n## Commands: {noun_name}");
        for (entry, sample) in TABLE.iter().zip(&samples) {
            if noun(entry.identifier) == Some(noun_name) {
                command(&mut text, entry, sample);
                collect(&types, &type_of(&sample.request), &mut used);
                collect(&types, &type_of(&sample.response), &mut used);
            }
        }
    }
    text.push_str(RADIOS);
    for (entry, sample) in wireless::TABLE.iter().zip(radios::samples()) {
        check(&types, &sample);
        command(&mut text, entry, &sample);
        collect(&types, &type_of(&sample.request), &mut used);
        collect(&types, &type_of(&sample.response), &mut used);
    }
    used.sort();
    text.push_str(ENCODING);
    for name in used {
        let declaration = types.get(&name).expect("a declared type");
        declared(&mut text, &name, declaration);
    }
    errors(&mut text);
    text
}

/// The types of the page read the bytes of the sample.
fn check(types: &Types, sample: &Sample) {
    for payload in [&sample.request, &sample.response] {
        if let Err(why) = types.check(&type_of(payload), &payload.bytes) {
            panic!("{}: {} is not {:02x?}: {why}", sample.name, payload.shown, payload.bytes);
        }
    }
}

/// Every declared type that a type needs.
fn collect(types: &Types, kind: &Type, used: &mut Vec<String>) {
    arguments(kind).iter().for_each(|inner| collect(types, inner, used));
    let name = name(kind);
    let Some(declaration) = types.get(&name).filter(|_| !used.contains(&name)) else { return };
    used.push(name);
    match &declaration.shape {
        Shape::Structure(fields) => {
            fields.iter().for_each(|field| collect(types, &parsed(&field.what), used));
        }
        Shape::Enumeration(variants) => variants
            .iter()
            .flat_map(|variant| &variant.carries)
            .for_each(|kind| collect(types, kind, used)),
        Shape::Flags(..) => {}
    }
}

fn parsed(text: &str) -> Type {
    syn::parse_str(text).expect("a type")
}

fn contents(text: &mut String) {
    let _ = writeln!(text, "\n## All commands\n");
    for noun_name in nouns() {
        let names: Vec<_> = TABLE
            .iter()
            .filter(|entry| noun(entry.identifier) == Some(noun_name))
            .map(|entry| {
                let (name, anchor) = (entry.name, entry.name.to_lowercase());
                format!("[{name}](#{anchor})")
            })
            .collect();
        wrapped(text, &format!("- {noun_name}: "), &format!("{}.", names.join(", ")));
    }
}

fn common_errors(text: &mut String) {
    let _ = writeln!(text, "\n## Errors of every command\n");
    for (error, when) in COMMON {
        wrapped(text, "- ", &format!("`{error:?}` (`{}`): {when}.", error.name()));
    }
}

fn command(text: &mut String, entry: &CommandEntry, sample: &Sample) {
    let _ = writeln!(text, "\n### {}\n", entry.name);
    wrapped(text, "", entry.documentation);
    text.push('\n');
    let identifier = entry.identifier;
    let _ = writeln!(
        text,
        "- number: {}, identifier `0x{:08x}`",
        identifier.number(),
        identifier.raw()
    );
    let access = match entry.authority {
        Authority::Read => "read",
        Authority::Write => "change; the file must be open for writing",
    };
    let _ = writeln!(text, "- access: {access}");
    let _ = writeln!(text, "- waits: {}", if entry.waits { "yes" } else { "no" });
    match sample.command.lines().as_slice() {
        [] => text.push_str("- text: none\n"),
        [line] => {
            let _ = writeln!(text, "- text: `{line}`");
        }
        lines => {
            text.push_str("- text:\n");
            for line in lines {
                let _ = writeln!(text, "  - `{line}`");
            }
        }
    }
    let _ = writeln!(text, "- request: {}", linked(&type_of(&sample.request)));
    let _ = writeln!(text, "- response: {}", linked(&type_of(&sample.response)));
    let errors: Vec<_> =
        sample.command.errors().iter().map(|error| format!("`{error:?}`")).collect();
    if errors.is_empty() {
        text.push_str("- errors: only those of every command\n");
    } else {
        wrapped(text, "- errors: ", &errors.join(", "));
    }
    text.push_str("\nExample:\n\n");
    if !sample.line.is_empty() {
        let _ = writeln!(text, "    line      {}", sample.line);
    }
    for (what, payload) in [("request ", &sample.request), ("response", &sample.response)] {
        wrapped(text, &format!("    {what}  "), &payload.shown);
        if !payload.bytes.is_empty() {
            wrapped(text, "    bytes     ", &hexadecimal(&payload.bytes));
            wrapped(text, "    JSON      ", &payload.json);
        }
    }
}

/// A type with a link to each declaration.
fn linked(kind: &Type) -> String {
    let all = shown(kind);
    let mut links: Vec<String> = Vec::new();
    let mut inner = vec![kind.clone()];
    while let Some(kind) = inner.pop() {
        let name = name(&kind);
        let is_library = ["()", "bool", "u8", "i8", "u16", "u32", "u64", "String", "Vec", "Option"]
            .contains(&&*name);
        if !is_library && !name.contains("Addr") || name == "HardwareAddress" {
            links.push(name);
        }
        inner.extend(arguments(&kind));
    }
    match links.as_slice() {
        [] => format!("`{all}`"),
        [name] if *name == all => format!("[`{all}`](#{})", name.to_lowercase()),
        names => {
            let links: Vec<_> =
                names.iter().map(|name| format!("[`{name}`](#{})", name.to_lowercase())).collect();
            format!("`{all}`, see {}", links.join(", "))
        }
    }
}

fn sentence(documentation: &str) -> String {
    if documentation.ends_with(['.', '!']) {
        documentation.to_owned()
    } else {
        format!("{documentation}.")
    }
}

fn declared(text: &mut String, name: &str, declaration: &Declaration) {
    let _ = writeln!(text, "\n### {name}\n");
    wrapped(text, "", &sentence(&declaration.documentation));
    text.push('\n');
    match &declaration.shape {
        Shape::Structure(fields) => fields.iter().for_each(|each| field(text, each)),
        Shape::Enumeration(variants) => {
            variants.iter().enumerate().for_each(|(tag, each)| variant(text, tag, each));
        }
        Shape::Flags(bits, flags) => {
            let _ = writeln!(text, "A `{}` of these bits:\n", shown(bits));
            for flag in flags {
                let (name, what) = (&flag.name, &flag.what);
                wrapped(text, "- ", &format!("`{name} = {what}`: {}", flag.documentation));
            }
        }
    }
}

fn field(text: &mut String, field: &Field) {
    let what = linked(&parsed(&field.what));
    wrapped(text, "- ", &format!("`{}`: {what}. {}", field.name, field.documentation));
}

fn variant(text: &mut String, tag: usize, variant: &Variant) {
    let name = &variant.name;
    let carries: Vec<_> = variant.carries.iter().map(shown).collect();
    let all =
        if carries.is_empty() { name.clone() } else { format!("{name}({})", carries.join(", ")) };
    wrapped(text, "- ", &format!("{tag} `{all}`: {}", variant.documentation));
}

fn errors(text: &mut String) {
    let _ = writeln!(text, "\n### Error\n");
    wrapped(
        text,
        "",
        "Why a call failed. A failed call answers the number that Linux gives the error; inside of \
         a payload the error is its tag, the first number below.",
    );
    text.push('\n');
    for (tag, error) in Error::ALL.iter().enumerate() {
        let (name, number) = (error.name(), error.errno());
        let _ = writeln!(text, "- {tag} `{error:?}`: `{name}`, {number}, \"{error}\"");
    }
}

const BEGINNING: &str = "\
# Commands of a network device

This page is generated from the table of commands; do not edit it. After a change of the table run
`cargo run -p devnet-tests --bin documents`.

`/devices/network/NAME` is the device of one interface, `/devices/sockets` the one of the whole
system. A command reaches either of them in two ways that mean the same:

- `control(identifier, request) -> response`. The identifier has 32 bits, as those of `ioctl`:
  direction (bits 30 and 31: 2 for a command that reads, 3 for one that changes), size (bits 16 to
  29: 16,383, requests have no fixed one), kind (bits 8 to 15: `n`), number (bits 0 to 7).
- A line of text, written to the device. A line has no answer; an error fails the write.

Numbers and bytes are forever: a number is never used again, and a payload never changes. What a
device does not know goes unchanged to the controller of its interface. On `/devices/sockets`
commands about one interface answer `Unsupported`. A command that has no meaning in the mode of the
open file answers `InvalidInput`, `NotConnected` or `Unsupported`.
";

const LINES: &str = "
## Lines

[TEXT.md](TEXT.md) has the grammar of lines: what the words in upper case stand for, what a text of
several lines does, and how an error names the line and the word. Below, `[ ]` may be left out,
`( | )` is a choice, and `...` repeats the word before it.
";

const RADIOS: &str = "
## Commands of radios

The controller of a wireless interface answers these; the stack forwards them as they are. Their
kind is `w`, and their numbers are their own. An interface without a radio refuses them with
`UnknownCommand`. No response and no error shows a key.
";

const ENCODING: &str = "
## Types

In the shell, `control DEVICE COMMAND JSON` takes a request and shows the response as JSON, as the
examples above have it: a structure is an object of its fields, an optional field that is absent may
be left out, a variant is its name, or an object of its name and what it carries, and addresses,
prefixes and hardware addresses are text.

Payloads are encoded with postcard (<https://postcard.jamesmunns.com/wire-format>), the same on
32-bit and 64-bit systems. A request must be used up: further bytes are `BadMessage`.

- `()`: no bytes. `bool`: one byte, 0 or 1. `u8`: one byte. `i8`: one byte, the two's complement.
- `u16`, `u32`, `u64`: groups of seven bits, the least first; the high bit of a byte says that
  another follows.
- `[u8; 6]`: six bytes. `String`, `Vec<T>`: the number of bytes (UTF-8) or elements, then these.
- `Option<T>`: 0, or 1 and the value.
- `Ipv4Addr`: 4 bytes; `Ipv6Addr`: 16 bytes. `IpAddr`: 0 and 4 bytes, or 1 and 16 bytes.
- `SocketAddr`: as `IpAddr`, then the port as `u16`.
- A structure: its fields in order. An enumeration: the tag as `u32`, then what the variant carries.
";
