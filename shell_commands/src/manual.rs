//! The texts about the `devnet` program: `--help`, the manual page, completions of other shells.
//!
//! All three come from the same tables, so that they cannot differ.

use std::fmt::Write;
use std::str::FromStr;

/// One option of the command line.
struct Opt {
    /// Its forms, such as `-v` and `--version`.
    forms: &'static [&'static str],
    /// The name of its argument.
    argument: Option<&'static str>,
    /// The argument is the name of a host's file.
    is_file: bool,
    about: &'static [&'static str],
}

/// The options, in the order of `--help`.
const OPTIONS: [Opt; 9] = [
    Opt {
        forms: &["-c"],
        argument: Some("COMMANDS"),
        is_file: false,
        about: &["commands with ';' or a new line between them"],
    },
    Opt {
        forms: &["-e"],
        argument: None,
        is_file: false,
        about: &["stop at the first command that fails"],
    },
    Opt {
        forms: &["--interface"],
        argument: Some("NAME=KIND[:ARG][,KEY=VALUE...]"),
        is_file: false,
        about: &[
            "use this interface instead of the embedded network; repeatable",
            "KIND: loopback, lan, wifi, tap:IFNAME, tun:IFNAME",
            "KEY:  mac=ADDRESS, mtu=BYTES, capture=FILE",
        ],
    },
    Opt {
        forms: &["--import"],
        argument: Some("FILE[=PATH]"),
        is_file: true,
        about: &[
            "copy a file of the host into the tree first, to /binaries",
            "unless PATH is given; repeatable",
        ],
    },
    Opt {
        forms: &["--log"],
        argument: Some("LEVEL"),
        is_file: false,
        about: &[
            "say on standard error what happens to packets, else what DEVNET_LOG says",
            "LEVEL: off, error, warn, info, debug, trace",
        ],
    },
    Opt {
        forms: &["--man"],
        argument: None,
        is_file: false,
        about: &["print the manual page, for man(1)"],
    },
    Opt {
        forms: &["--completions"],
        argument: Some("SHELL"),
        is_file: false,
        about: &["print the completion of this program for bash, zsh or fish"],
    },
    Opt {
        forms: &["-v", "--version"],
        argument: None,
        is_file: false,
        about: &["print the version"],
    },
    Opt { forms: &["--help"], argument: None, is_file: false, about: &["print this"] },
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
const EXAMPLES: [&str; 4] = [
    "devnet -c 'dhcp eth0; ifconfig; ping -c 3 gateway.lan'",
    "devnet -e setup.sh eth0 10.0.2.15/24",
    "devnet --interface eth0=tap:tap0,mac=02:00:00:00:00:01 -c 'dhcp eth0'",
    "echo 'ip -j addr' | devnet",
];

const TITLE: &str = "a network you can open";
const STATUS: &str =
    "Exit status: that of the last command; 2 if the command line or a script is wrong.";
const COMMANDS: &str = "Type 'help' in the shell for its commands.";

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
pub fn manual_page() -> String {
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
    _ = writeln!(text, ".fi\n.SH EXIT STATUS\n{}\n.SH SEE ALSO\n{}", roff(STATUS), roff(COMMANDS));
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
    let forms: Vec<_> = OPTIONS.iter().flat_map(|option| option.forms).copied().collect();
    let plain: Vec<_> = OPTIONS
        .iter()
        .filter(|option| option.argument.is_some() && !option.is_file)
        .filter(|option| !option.forms.contains(&"--completions"))
        .flat_map(|option| option.forms)
        .copied()
        .collect();
    format!(
        "_devnet() {{\n  local word=${{COMP_WORDS[COMP_CWORD]}}\n  \
         case ${{COMP_WORDS[COMP_CWORD-1]}} in\n    \
         {}) COMPREPLY=(); return ;;\n    \
         --completions) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")); return ;;\n  \
         esac\n  case $word in\n    \
         -*) COMPREPLY=($(compgen -W '{}' -- \"$word\")) ;;\n    \
         *) COMPREPLY=($(compgen -W run -- \"$word\") $(compgen -f -- \"$word\")) ;;\n  \
         esac\n}}\ncomplete -o filenames -F _devnet devnet\n",
        plain.join("|"),
        forms.join(" ")
    )
}

fn zsh() -> String {
    let mut text = String::from("#compdef devnet\n_arguments \\\n");
    for option in &OPTIONS {
        let about = option.about.first().copied().unwrap_or_default().replace('\'', "");
        let action = match option.argument {
            None => String::new(),
            Some("SHELL") => String::from(":shell:(bash zsh fish)"),
            Some(_) if option.is_file => String::from(":file:_files"),
            Some(argument) => {
                let end = argument.find(['=', '[']).unwrap_or(argument.len());
                format!(":{}:", argument.get(..end).unwrap_or_default())
            }
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
        match option.argument {
            None => {}
            Some("SHELL") => text.push_str(" -x -a 'bash zsh fish'"),
            Some(_) if option.is_file => text.push_str(" -r"),
            Some(_) => text.push_str(" -x"),
        }
        let about = option.about.first().copied().unwrap_or_default().replace('\'', "\\'");
        _ = writeln!(text, " -d '{about}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_every_option() {
        let completions = [HostShell::Bash, HostShell::Zsh, HostShell::Fish].map(completions);
        let page = manual_page();
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
        for line in manual_page().lines().filter(|line| line.starts_with('.')) {
            let request = line.split(' ').next().unwrap();
            assert!([".TH", ".SH", ".TP", ".B", ".br", ".nf", ".fi"].contains(&request), "{line}");
        }
    }
}
