use super::*;

fn literal(word: &Word) -> String {
    word.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Variable { name, .. } => format!("${name}"),
        })
        .collect()
}

fn words(command: &Command) -> Vec<String> {
    command.words.iter().map(literal).collect()
}

#[test]
fn a_script_has_the_shape_it_was_typed_in() {
    let script = parse("a 1 | b && c || d & e; f\n\n g").unwrap();
    assert_eq!(script.lists.len(), 4);
    let first = &script.lists[0];
    assert!(first.background && !script.lists[1].background);
    assert_eq!(first.first.commands.len(), 2);
    assert_eq!(words(&first.first.commands[0]), ["a", "1"]);
    assert_eq!(
        first.rest.iter().map(|(connector, _)| *connector).collect::<Vec<_>>(),
        [Connector::And, Connector::Or]
    );
    assert_eq!(words(&script.lists[3].first.commands[0]), ["g"]);
}

#[test]
fn lines_continue_after_operators() {
    assert_eq!(parse("a &&\n\n b |\n c").unwrap().lists.len(), 1);
    assert_eq!(parse("\n\n# nothing\n").unwrap(), Script::default());
    assert_eq!(parse("").unwrap(), Script::default());
}

#[test]
fn assignments_stand_in_front_only() {
    let command = &parse("A=1 _b=\"x $y\" echo C=3").unwrap().lists[0].first.commands[0];
    let names: Vec<_> =
        command.assignments.iter().map(|(name, value)| (name.as_str(), literal(value))).collect();
    assert_eq!(names, [("A", "1".to_owned()), ("_b", "x $y".to_owned())]);
    assert_eq!(words(command), ["echo", "C=3"]);
    assert_eq!(words(&parse("1a=2").unwrap().lists[0].first.commands[0]), ["1a=2"]);
}

#[test]
fn redirections_keep_their_order() {
    let command = &parse(">a cat 2>&1 <b >>c").unwrap().lists[0].first.commands[0];
    assert_eq!(words(command), ["cat"]);
    let descriptors: Vec<_> =
        command.redirections.iter().map(|redirection| redirection.descriptor).collect();
    assert_eq!(
        descriptors,
        [Descriptor::Output, Descriptor::Error, Descriptor::Input, Descriptor::Output]
    );
    assert_eq!(command.redirections[1].target, Target::Stream(Descriptor::Output));
}

#[test]
fn negation_binds_to_the_pipeline() {
    assert!(parse("! a | b").unwrap().lists[0].first.negated);
    assert!(!parse("! ! a").unwrap().lists[0].first.negated);
    assert!(!parse("'!' a").unwrap().lists[0].first.negated);
}

#[test]
fn wrong_scripts_are_refused_with_a_reason() {
    for (text, message, incomplete) in [
        ("&& a", "unexpected &&", false),
        ("a &&", "nothing after &&", true),
        ("a |\n", "nothing after |", true),
        ("a | | b", "unexpected |", false),
        ("a && || b", "unexpected ||", false),
        (";", "unexpected ;", false),
        ("a ;; b", "unexpected ;", false),
        ("&", "unexpected &", false),
        ("a & ; b", "unexpected ;", false),
        ("a >", "no file after >", false),
        ("a > ; b", "unexpected ; after >", false),
        ("a 2>&3", "after >& only 1 or 2 can stand", false),
        ("!", "a command is missing", true),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.to_string(), message, "{text:?}");
        assert_eq!(error.is_incomplete(), incomplete, "{text:?}");
    }
}

/// What stands between the words would be run whatever the condition says.
#[test]
fn a_script_with_compound_commands_is_refused_as_a_whole() {
    for (text, word) in [
        ("if false; then echo A; else echo C; fi", "if"),
        ("while true; do echo; done", "while"),
        ("until false; do echo; done", "until"),
        ("for i in 1 2; do echo $i; done", "for"),
        ("echo first\n{ echo a; }", "{"),
        ("case x in\n", "case"),
        ("function f { echo a; }", "function"),
        ("[[ a = a ]]", "[["),
        ("true && if true", "if"),
        ("true | while read x", "while"),
        ("! if true", "if"),
        ("fi", "fi"),
    ] {
        let message = parse(text).expect_err(text).to_string();
        let expected = format!("{word}: compound commands are not supported, nothing was run");
        assert_eq!(message, expected, "{text:?}");
    }
    // The lexer has no brackets.
    for text in ["(cd /; pwd)", "((1))", "f() { echo a; }", "case x in *) echo;; esac"] {
        assert!(parse(text).expect_err(text).to_string().starts_with("unexpected "), "{text:?}");
    }
    // As arguments, quoted, or after an assignment they are words like others.
    for text in ["echo if then", "'if' a", "\\if", "ping -c 1 in"] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn long_input_is_linear_and_bounded() {
    let most = "a|".repeat(crate::limits::STAGES - 1) + "a";
    assert_eq!(parse(&most).unwrap().lists[0].first.commands.len(), crate::limits::STAGES);
    let error = parse(&(most + "|a")).unwrap_err();
    assert_eq!(error.to_string(), "too many commands in a pipeline");
    assert_eq!(parse(&"a&&".repeat(32 * 1024)).unwrap_err().to_string(), "nothing after &&");
    let long = " ".repeat(crate::limits::SCRIPT_BYTES + 1);
    assert_eq!(parse(&long).unwrap_err().to_string(), "the script is too long");
}
