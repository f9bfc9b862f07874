//! The texts about the `devnet` program: `--help`, the manual page, completions of other shells.
//!
//! All three come from the same tables, so that they cannot differ.

use std::fmt::Write;
use std::str::FromStr;

use crate::shell::command::Command;

/// What an argument may be, for completion.
enum Values {
    /// Anything.
    Any,
    /// A file of the host.
    File,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// One option of the command line.
struct Opt {
    /// Its forms, such as `-v` and `--version`.
    forms: &'static [&'static str],
    /// The name of its argument.
    argument: Option<&'static str>,
    /// What completes the argument.
    values: Values,
    about: &'static [&'static str],
}

/// The options, in the order of `--help`.
const OPTIONS: [Opt; 13] = [
    Opt {
        forms: &["-c"],
        argument: Some("COMMANDS"),
        values: Values::Any,
        about: &["commands with ';' or a new line between them"],
    },
    Opt {
        forms: &["-e"],
        argument: None,
        values: Values::Any,
        about: &["stop at the first command that fails"],
    },
    Opt {
        forms: &["--interface"],
        argument: Some("NAME=KIND[:ARG][,KEY=VALUE...]"),
        values: Values::Any,
        about: &[
            "use this interface instead of the embedded network; repeatable",
            "KIND: loopback, lan, wifi, tap:IFNAME, tun:IFNAME",
            "KEY:  mac=ADDRESS, mtu=BYTES, capture=FILE",
        ],
    },
    Opt {
        forms: &["--import"],
        argument: Some("FILE[=PATH]"),
        values: Values::File,
        about: &[
            "copy a file of the host into the tree first, to /binaries",
            "unless PATH is given; repeatable",
        ],
    },
    Opt {
        forms: &["--listen"],
        argument: Some("ADDRESS:PORT"),
        values: Values::Any,
        about: &[
            "serve the shell by telnet on the network of the interfaces",
            "while the program runs; telnet is not encrypted",
        ],
    },
    Opt {
        forms: &["--credentials"],
        argument: Some("FILE"),
        values: Values::File,
        about: &[
            "who may log in: lines NAME:HASH, with hashes as",
            "'openssl passwd -6' prints them; needed by --listen",
        ],
    },
    Opt {
        forms: &["--dashboard"],
        argument: None,
        values: Values::Any,
        about: &[
            "serve a page that shows the running stack, at port 80 of every",
            "address of it; --dashboard=ADDRESS:PORT serves it elsewhere",
        ],
    },
    Opt {
        forms: &["--serial"],
        argument: Some("PATH"),
        values: Values::File,
        about: &[
            "serve the shell on this terminal of the host; with a login",
            "if there are --credentials; repeatable",
        ],
    },
    Opt {
        forms: &["--log"],
        argument: Some("LEVEL"),
        values: Values::Words(&["off", "error", "warn", "info", "debug", "trace"]),
        about: &[
            "say on standard error what happens to packets, else what DEVNET_LOG says",
            "LEVEL: off, error, warn, info, debug, trace",
        ],
    },
    Opt {
        forms: &["--man"],
        argument: None,
        values: Values::Any,
        about: &["print the manual page, for man(1)"],
    },
    Opt {
        forms: &["--completions"],
        argument: Some("SHELL"),
        values: Values::Words(&["bash", "zsh", "fish"]),
        about: &["print the completion of this program for bash, zsh or fish"],
    },
    Opt {
        forms: &["-v", "-V", "--version"],
        argument: None,
        values: Values::Any,
        about: &["print the version"],
    },
    Opt { forms: &["-h", "--help"], argument: None, values: Values::Any, about: &["print this"] },
];

/// The forms of the command line and what each does.
const USAGE: [(&str, &str); 4] = [
    ("devnet [OPTION...]", "an interactive shell"),
    ("devnet [OPTION...] -c COMMANDS [ARG...]", "run commands and exit with the last one's status"),
    ("devnet [OPTION...] SCRIPT [ARG...]", "run a script; standard input if it is no terminal"),
    (
        "devnet [OPTION...] run [GRANT...] GUEST.wasm [ARG...]",
        "run a guest program; 'help run' lists the grants",
    ),
];

/// Command lines that work.
const EXAMPLES: [&str; 5] = [
    "devnet -c 'dhcp eth0; ifconfig; ping -c 3 gateway.lan'",
    "devnet -e setup.sh eth0 10.0.2.15/24",
    "devnet --interface eth0=tap:tap0,mac=02:00:00:00:00:01 -c 'dhcp eth0'",
    "echo 'ip -j addr' | devnet",
    "devnet --interface eth0=tap:tap0 --listen 0.0.0.0:23 --credentials users",
];

const TITLE: &str = "a network you can open";
const STATUS: &str =
    "Exit status: that of the last command; 2 if the command line or a script is wrong.";
const COMMANDS: &str = "Type 'help' in the shell for its commands.";

/// Variables of the host's environment.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("DEVNET_LOG", "the level of --log, if that is not given"),
    ("NO_COLOR", "if it is set, no colours"),
    ("TERM", "if it is missing or \"dumb\", lines are read without an editor"),
    ("XDG_STATE_HOME", "the folder of state, else ~/.local/state"),
];

/// Files of the host and of the tree.
const FILES: [(&str, &str); 3] = [
    ("$XDG_STATE_HOME/devnet/history", "the lines that were typed"),
    ("/configuration/network", "of the tree: the configuration that is applied at the start"),
    ("/configuration/hosts", "of the tree: names and addresses, as in hosts(5)"),
];

/// A shell of the host that completes our command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostShell {
    /// GNU bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

impl FromStr for HostShell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err(format!("{text}: unknown shell, not bash, zsh or fish")),
        }
    }
}

/// The output of `--help`.
#[must_use]
pub fn help() -> String {
    let mut text = format!("devnet: {TITLE}\n\n");
    for (number, (form, about)) in USAGE.iter().enumerate() {
        let head = if number == 0 { "usage:" } else { "      " };
        if form.len() < 40 {
            _ = writeln!(text, "{head} {form:39} {about}");
        } else {
            _ = writeln!(text, "{head} {form}\n{:46} {about}", "");
        }
    }
    text.push('\n');
    for option in &OPTIONS {
        let mut form = option.forms.join(", ");
        if let Some(argument) = option.argument {
            _ = write!(form, " {argument}");
        }
        let mut lines = option.about.iter();
        if form.len() < 17 {
            _ = writeln!(text, "  {form:16} {}", lines.next().copied().unwrap_or_default());
        } else {
            _ = writeln!(text, "  {form}");
        }
        for line in lines {
            _ = writeln!(text, "  {:16} {line}", "");
        }
    }
    text.push_str("\nexamples:\n");
    for example in EXAMPLES {
        _ = writeln!(text, "  {example}");
    }
    _ = writeln!(text, "\n{STATUS}\n{COMMANDS}");
    text
}

/// The manual page, in the macros of man(7).
#[must_use]
pub fn manual_page(commands: &[Command]) -> String {
    let mut text = format!(
        ".TH DEVNET 1 \"\" \"devnet {}\"\n.SH NAME\ndevnet \\- {TITLE}\n.SH SYNOPSIS\n",
        env!("CARGO_PKG_VERSION")
    );
    for (form, about) in USAGE {
        _ = writeln!(text, ".TP\n.B {}\n{}", roff(form), roff(about));
    }
    text.push_str(".SH OPTIONS\n");
    for option in &OPTIONS {
        let forms: Vec<_> =
            option.forms.iter().map(|form| format!("\\fB{}\\fR", roff(form))).collect();
        _ = write!(text, ".TP\n{}", forms.join(", "));
        if let Some(argument) = option.argument {
            _ = write!(text, " \\fI{}\\fR", roff(argument));
        }
        let about: Vec<_> = option.about.iter().map(|line| roff(line)).collect();
        _ = writeln!(text, "\n{}", about.join("\n.br\n"));
    }
    text.push_str(".SH EXAMPLES\n.nf\n");
    for example in EXAMPLES {
        _ = writeln!(text, "{}", roff(example));
    }
    text.push_str(".fi\n.SH COMMANDS\n");
    for command in commands {
        _ = writeln!(text, ".TP\n.B {}\n{}", roff(command.name), roff(command.help));
    }
    text.push_str(".SH ENVIRONMENT\n");
    for (name, about) in ENVIRONMENT {
        _ = writeln!(text, ".TP\n.B {}\n{}", roff(name), roff(about));
    }
    text.push_str(".SH FILES\n");
    for (name, about) in FILES {
        _ = writeln!(text, ".TP\n.I {}\n{}", roff(name), roff(about));
    }
    _ = writeln!(text, ".SH EXIT STATUS\n{}\n.SH SEE ALSO\n{}", roff(STATUS), roff(COMMANDS));
    text
}

/// Text as the formatter must read it: no hyphen becomes a dash, no line a request.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines: Vec<_> = text
        .lines()
        .map(
            |line| {
                if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
            },
        )
        .collect();
    lines.join("\n")
}

/// The completion of the command line for a shell of the host.
#[must_use]
pub fn completions(shell: HostShell) -> String {
    match shell {
        HostShell::Bash => bash(),
        HostShell::Zsh => zsh(),
        HostShell::Fish => fish(),
    }
}

fn bash() -> String {
    let mut text = String::from(
        "_devnet() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  \
         case ${COMP_WORDS[COMP_CWORD-1]} in\n",
    );
    for option in OPTIONS.iter().filter(|option| option.argument.is_some()) {
        let words = match option.values {
            Values::Any => String::from("()"),
            Values::File => String::from("($(compgen -f -- \"$word\"))"),
            Values::Words(words) => format!("($(compgen -W '{}' -- \"$word\"))", words.join(" ")),
        };
        let forms = option.forms.join("|");
        _ = writeln!(text, "    {forms}) COMPREPLY={words}; return ;;");
    }
    let forms: Vec<_> = OPTIONS.iter().flat_map(|option| option.forms).copied().collect();
    _ = write!(
        text,
        "  esac\n  case $word in\n    \
         -*) COMPREPLY=($(compgen -W '{}' -- \"$word\")) ;;\n    \
         *) COMPREPLY=($(compgen -W run -- \"$word\") $(compgen -f -- \"$word\")) ;;\n  \
         esac\n}}\ncomplete -o filenames -F _devnet devnet\n",
        forms.join(" ")
    );
    text
}

fn zsh() -> String {
    let mut text = String::from("#compdef devnet\n_arguments \\\n");
    for option in &OPTIONS {
        let about = option.about.first().copied().unwrap_or_default().replace('\'', "");
        let name = option.argument.unwrap_or_default();
        let end = name.find(['=', '[', ':']).unwrap_or(name.len());
        let name = name.get(..end).unwrap_or_default();
        let action = match (option.argument, &option.values) {
            (None, _) => String::new(),
            (_, Values::Any) => format!(":{name}: "),
            (_, Values::File) => format!(":{name}:_files"),
            (_, Values::Words(words)) => format!(":{name}:({})", words.join(" ")),
        };
        for form in option.forms {
            _ = writeln!(text, "  '{form}[{about}]{action}' \\");
        }
    }
    text.push_str("  '1:script:_files' '*:argument:_files'\n");
    text
}

fn fish() -> String {
    let mut text = String::new();
    for option in &OPTIONS {
        text.push_str("complete -c devnet");
        for form in option.forms {
            match form.strip_prefix("--") {
                Some(long) => _ = write!(text, " -l {long}"),
                None => _ = write!(text, " -s {}", form.trim_start_matches('-')),
            }
        }
        match (option.argument, &option.values) {
            (None, _) => {}
            (_, Values::Any) => text.push_str(" -x"),
            (_, Values::File) => text.push_str(" -r"),
            (_, Values::Words(words)) => _ = write!(text, " -x -a '{}'", words.join(" ")),
        }
        let about = option.about.first().copied().unwrap_or_default().replace('\'', "\\'");
        _ = writeln!(text, " -d '{about}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table::COMMANDS;

    #[test]
    fn every_text_has_every_option() {
        let completions = [HostShell::Bash, HostShell::Zsh, HostShell::Fish].map(completions);
        let page = manual_page(COMMANDS);
        for form in OPTIONS.iter().flat_map(|option| option.forms) {
            assert!(help().contains(form), "{form}");
            assert!(page.contains(&roff(form)), "{form}");
            let bare = form.trim_start_matches('-');
            assert!(completions.iter().all(|text| text.contains(bare)), "{form}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal() {
        assert!(help().lines().all(|line| line.len() <= 96));
        assert!(help().contains("  -c COMMANDS      commands with ';' or a new line"));
    }

    #[test]
    fn no_line_of_the_page_is_an_unknown_request() {
        for line in manual_page(COMMANDS).lines().filter(|line| line.starts_with('.')) {
            let request = line.split(' ').next().unwrap();
            assert!(
                [".TH", ".SH", ".TP", ".B", ".I", ".br", ".nf", ".fi"].contains(&request),
                "{line}"
            );
        }
    }
}
