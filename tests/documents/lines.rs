//! Lines of the grammar, written out.

use devnet_network::command::placeholder::find;

/// A part of a line's grammar.
enum Part {
    Word(String),
    Optional(Vec<Part>),
    Choice(Vec<Vec<Part>>),
    Repeated(Box<Part>),
}

fn tokens(grammar: &str) -> Vec<String> {
    let mut spaced = String::new();
    for letter in grammar.chars() {
        if "[](|)".contains(letter) {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Reads parts up to one of the ends; tells which.
fn sequence(tokens: &mut impl Iterator<Item = String>) -> (Vec<Part>, String) {
    let mut parts = Vec::new();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "[" => parts.push(Part::Optional(sequence(tokens).0)),
            "(" => {
                let mut choices = Vec::new();
                loop {
                    let (choice, end) = sequence(tokens);
                    choices.push(choice);
                    if end != "|" {
                        break;
                    }
                }
                parts.push(Part::Choice(choices));
            }
            "..." => {
                let last = parts.pop().expect("something to repeat");
                parts.push(Part::Repeated(Box::new(last)));
            }
            "]" | ")" | "|" => return (parts, token),
            _ => parts.push(Part::Word(token)),
        }
    }
    (parts, String::new())
}

fn written(part: &Part) -> Vec<String> {
    match part {
        Part::Word(word) if word.chars().any(char::is_uppercase) => find(word)
            .unwrap_or_else(|| panic!("{word} is no placeholder"))
            .examples
            .iter()
            .map(|&example| example.to_owned())
            .collect(),
        Part::Word(word) => vec![word.clone()],
        Part::Optional(parts) => {
            let mut all = vec![String::new()];
            all.extend(joined(parts));
            all
        }
        Part::Choice(choices) => choices.iter().flat_map(|parts| joined(parts)).collect(),
        Part::Repeated(part) => {
            let once = written(part);
            let mut all = once.clone();
            all.push(once.join(" "));
            all
        }
    }
}

fn joined(parts: &[Part]) -> Vec<String> {
    parts.iter().fold(vec![String::new()], |before, part| {
        let after = written(part);
        before
            .iter()
            .flat_map(|start| after.iter().map(move |end| format!("{start} {end}")))
            .collect()
    })
}

/// Every line of the grammar, with each example in the place of its placeholder.
pub(crate) fn lines(grammar: &str) -> Vec<String> {
    joined(&sequence(&mut tokens(grammar).into_iter()).0)
}

/// The words that stand for themselves.
pub(crate) fn words(grammar: &str) -> Vec<String> {
    let stands_for_itself = |token: &String| {
        token.chars().all(|letter| letter.is_ascii_lowercase() || "-0123456789".contains(letter))
    };
    tokens(grammar).into_iter().filter(stands_for_itself).collect()
}
