//! The grammar of lines of text, as `help text` prints it.

use devnet_network::command::grammar::{Form, ROWS, Row};
use devnet_network::command::placeholder::PLACEHOLDERS;
use devnet_network::command::{TABLE, noun, nouns, wireless, wireless_text};

const BEGINNING: &str = "\
Lines of text configure a network device: echo 'link up' > /devices/network/eth0
Words in lower case stand for themselves, [ ] may be left out, ( | ) is a choice, and ... repeats
the word before it. `help text WORD` tells more of the lines with that first word or of that group.
";

/// Every form of line, by group, and the values that words in upper case stand for.
#[must_use]
pub fn all() -> String {
    let mut text = String::from(BEGINNING);
    for group in nouns() {
        let forms: Vec<_> = rows(group).flat_map(|row| row.forms).collect();
        if !forms.is_empty() {
            text.push_str(&format!("\n{group}:\n"));
            forms.iter().for_each(|form| text.push_str(&format!("  {}\n", form.line)));
        }
    }
    text.push_str("\nradio (of controllers):\n");
    radio_lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    text.push('\n');
    let forms = ROWS.iter().flat_map(|row| row.forms).map(|form| form.line);
    text + &values(forms.chain(radio_lines()))
}

/// The lines that controllers of radios take.
fn radio_lines() -> impl Iterator<Item = &'static str> {
    wireless_text::ROWS.iter().map(|(_, line)| *line)
}

/// The lines of a group or with a first word: what they do, their defaults and an example; `None`
/// if there are none.
#[must_use]
pub fn of(word: &str) -> Option<String> {
    let is_meant =
        |group: Option<&str>, form: &Form| group == Some(word) || first_word(form) == word;
    let mut text = String::new();
    let mut meant = Vec::new();
    for row in ROWS {
        let entry = TABLE.iter().find(|entry| entry.identifier == row.identifier);
        let documentation = entry.map_or("", |entry| entry.documentation);
        for form in row.forms.iter().filter(|form| is_meant(noun(row.identifier), form)) {
            let Form { line, note, example } = form;
            text.push_str(&format!("{line}\n    {}\n", documentation.trim()));
            if !note.is_empty() {
                text.push_str(&format!("    {}\n", note.replace('`', "")));
            }
            text.push_str(&format!("    example: {example}\n"));
            meant.push(form.line);
        }
    }
    if word == "wifi" || word == "radio" {
        for (identifier, line) in wireless_text::ROWS {
            let entry = wireless::TABLE.iter().find(|entry| entry.identifier == *identifier);
            let documentation = entry.map_or("", |entry| entry.documentation);
            text.push_str(&format!("{line}\n    {}\n", documentation.trim()));
            meant.push(line);
        }
    }
    let values = values(meant.iter().copied());
    (!meant.is_empty()).then(|| if values.is_empty() { text } else { format!("{text}\n{values}") })
}

fn first_word(form: &Form) -> &'static str {
    form.line.split(' ').next().unwrap_or_default()
}

fn rows(group: &str) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| noun(row.identifier) == Some(group))
}

/// The placeholders of some lines, one a line.
fn values<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines.collect();
    let is_used = |name: &str| {
        let is_end = |letter: char| !letter.is_ascii_alphanumeric();
        lines.iter().any(|line| line.split(is_end).any(|word| word == name))
    };
    let used = PLACEHOLDERS.iter().filter(|placeholder| is_used(placeholder.name));
    used.map(|placeholder| {
        let meaning = placeholder.meaning.replace('`', "");
        format!("{:<12} {meaning}: {}\n", placeholder.name, placeholder.examples.join(" "))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_has_every_form_and_every_value() {
        let all = all();
        for form in ROWS.iter().flat_map(|row| row.forms) {
            assert!(all.contains(&format!("  {}\n", form.line)), "{}", form.line);
        }
        for placeholder in PLACEHOLDERS {
            assert!(all.contains(&format!("\n{:<12} ", placeholder.name)), "{}", placeholder.name);
        }
    }

    #[test]
    fn a_group_or_a_first_word_is_explained() {
        assert_eq!(
            of("mtu").unwrap(),
            "mtu BYTES\n    Sets the MTU in bytes; true if that changed something.\n    example: \
             mtu 1400\n\nBYTES        a number of bytes, 0 to 4,294,967,295: 1400\n"
        );
        let group = of("interface").unwrap();
        assert!(group.contains("link (up | down)\n") && group.contains("mtu BYTES\n"));
        let address = of("address").unwrap();
        assert!(
            address.contains("Without a broadcast address it is the last") && !group.is_empty()
        );
        let radio = of("wifi").unwrap();
        assert!(radio.contains("wifi ap stop\n    Stops the access point;"), "{radio}");
        assert!(radio.contains("\nCOUNTRY      two capital letters"), "{radio}");
        assert_eq!(of("frob"), None);
        assert_eq!(of(""), None);
    }
}
