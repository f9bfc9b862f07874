//! What the usage of a command says: its options and its words; and which of them is meant.
//!
//! The usage is the one table of the commands' options: `--help` prints it, completion and "did you
//! mean" read it here.

/// Commands whose options of several letters have one dash: elsewhere those are several options.
const ONE_DASH: [&str; 5] = ["find", "ifconfig", "ip", "nslookup", "route"];

/// The options of a command with this name and usage, sorted.
#[must_use]
pub fn options(name: &str, usage: &str) -> Vec<String> {
    let mut found = vec![String::from("--help")];
    let words = usage.split([' ', '\n', '|']);
    for word in words {
        let word = word.trim_start_matches(['[', '(']);
        let end = word.find(['[', ']', ')', '.']).unwrap_or(word.len());
        let word = word.get(..end).unwrap_or_default();
        // `-type=A`: with the sign.
        let word = word.find('=').and_then(|place| word.get(..=place)).unwrap_or(word);
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            continue;
        };
        if letters.starts_with('-') && letters.len() < 3 {
            continue;
        }
        if letters.starts_with('-') || ONE_DASH.contains(&name) {
            found.push(word.to_owned());
        } else {
            found.extend(letters.chars().map(|letter| format!("-{letter}")));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// True for words that stand for themselves in a usage; others are names of values.
fn is_keyword(word: &str) -> bool {
    word.len() > 1
        && word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || "-_".contains(character)
        })
}

/// The words that may follow those after the command's name; options are left out.
#[must_use]
pub fn keywords(usage: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for line in usage.split(['\n', ';']) {
        let mut tokens = line.split_whitespace();
        // Options come first, and are no words.
        tokens.next();
        let tokens: Vec<&str> = tokens.skip_while(|token| token.starts_with("[-")).collect();
        let mandatory = tokens.iter().take_while(|token| token.split('|').all(is_keyword));
        let means = |token: &&str, word: &str| {
            token.split('|').any(|one| one.starts_with(word) || word.starts_with(one))
        };
        let mandatory = mandatory.count();
        if !tokens.iter().take(mandatory).zip(words).all(|(token, word)| means(token, word)) {
            continue;
        }
        let (from, to) = match words.len() {
            count if count < mandatory => (count, count.saturating_add(1)),
            _ => (mandatory, tokens.len()),
        };
        for token in tokens.get(from..to).unwrap_or_default() {
            let parts = token.split(['|', '[', ']']);
            found.extend(parts.filter(|part| is_keyword(part)).map(str::to_owned));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The names that are meant by a mistyped one, as a question; empty if none is near.
pub fn question<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let length = word.chars().count();
    // Of short words everything is near.
    let most = match length {
        ..=2 => return String::new(),
        3..=4 => 1,
        _ => 2,
    };
    let distance = |name: &str| strsim::damerau_levenshtein(word, name);
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| name.len().abs_diff(word.len()) <= 8)
        .map(|name| (distance(name), name))
        .filter(|(distance, _)| (1..=most).contains(distance))
        .collect();
    near.sort_unstable();
    near.dedup();
    let Some(best) = near.first().map(|(distance, _)| *distance) else { return String::new() };
    let names: Vec<&str> =
        near.iter().filter(|(distance, _)| *distance == best).map(|(_, name)| *name).collect();
    format!("; did you mean {}?", names.get(..3).unwrap_or(&names).join(" or "))
}

/// The question about a message that names a long option which the command does not have.
#[must_use]
pub fn question_about(name: &str, usage: &str, message: &str) -> String {
    let quoted = message.strip_prefix("invalid option '").and_then(|rest| rest.strip_suffix('\''));
    let option = quoted.or_else(|| message.strip_suffix(": unknown option"));
    let Some(option) = option.filter(|option| option.len() > 2 && option.starts_with('-')) else {
        return String::new();
    };
    let options = options(name, usage);
    question(option, options.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table::COMMANDS;
    use crate::shell::command::{self, Command};

    fn options(command: &Command) -> Vec<String> {
        super::options(command.name, command.usage)
    }

    fn keywords(command: &Command, words: &[&str]) -> Vec<String> {
        super::keywords(command.usage, words)
    }

    fn question_about(command: &Command, message: &str) -> String {
        super::question_about(command.name, command.usage, message)
    }

    fn command(name: &str) -> &'static Command {
        command::find(COMMANDS, name).unwrap()
    }

    #[test]
    fn options_are_those_of_the_usage() {
        assert_eq!(options(command("rm")), ["--help", "-f", "-r"]);
        assert_eq!(options(command("date")).join(" "), "--help -I -R -d -r -u");
        assert_eq!(options(command("nslookup")), ["--help", "-type="]);
        let curl = options(command("curl"));
        assert!(curl.iter().any(|option| option == "--connect-timeout"));
        let ip = options(command("ip"));
        assert!(ip.iter().any(|option| option == "-br"), "{ip:?}");
        assert!(options(command("ls")).iter().any(|option| option == "-l"));
        for command in COMMANDS {
            for option in options(command) {
                let letters = option.trim_start_matches('-').trim_end_matches('=');
                let is_name = |character: char| {
                    character.is_ascii_alphanumeric() || "-#_".contains(character)
                };
                assert!(!letters.is_empty() && letters.chars().all(is_name), "{option}");
            }
        }
    }

    #[test]
    fn words_follow_those_before_them() {
        assert_eq!(
            keywords(command("netconfig"), &[]).join(" "),
            "apply check diff export save wait"
        );
        assert_eq!(
            keywords(command("dns"), &[]).join(" "),
            "add browse cache flush hostname multicast publish remove show tls watch withdraw"
        );
        let verbs = keywords(command("ip"), &["route"]);
        assert!(verbs.iter().any(|word| word == "add") && verbs.iter().any(|word| word == "get"));
        let words = keywords(command("ip"), &["addr", "add", "10.0.0.1/8"]);
        assert!(words.iter().any(|word| word == "dev") && !words.iter().any(|word| word == "via"));
    }

    #[test]
    fn what_is_near_is_asked_for() {
        let names = ["ping", "ping6", "pwd", "ifconfig"];
        assert_eq!(question("pign", names), "; did you mean ping?");
        assert_eq!(question("ifconfg", names), "; did you mean ifconfig?");
        assert_eq!(question("xyzzy", names), "");
        assert_eq!(question("ls", ["ps", "rm"]), "");
        let message = "invalid option '--conect-timeout'";
        assert_eq!(question_about(command("curl"), message), "; did you mean --connect-timeout?");
        assert_eq!(question_about(command("curl"), "invalid option '-k'"), "");
    }
}
