//! Names and lines.

use std::fs;
use std::path::Path;
use std::process::Command;

use syn::visit::{self, Visit};

use super::{is_test, product_sources, product_text, root};

/// Columns of a line, comments included.
const COLUMNS: usize = 100;

#[test]
fn the_stack_is_wiring_in_one_file() {
    let wiring = Path::new("network/src/stack/mod.rs");
    let elsewhere: Vec<_> = product_sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with(wiring))
        .filter(|(_, text)| text.lines().any(|line| line.starts_with("impl Stack ")))
        .map(|(path, _)| path)
        .collect();
    assert!(elsewhere.is_empty(), "impl Stack outside of {wiring:?}: {elsewhere:#?}");
}

/// Futures of sockets without forms of their own, and why.
const WITHOUT_FORMS: [(&str, &str); 7] = [
    ("connect_with", "those of `connect` take settings"),
    ("write_all", "those of `write`, until nothing is left"),
    ("send_to", "those of `send` take a destination"),
    ("lookup", "those of `resolve`"),
    ("query", "those of `resolve`, of the lookup that `start_query` begins"),
    ("browse", "those of `resolve`, of the lookup that `start_browse` begins"),
    ("timeout", "whoever polls has the clock"),
];

#[test]
fn every_future_of_a_socket_is_polled_and_tried_too() {
    let (mut all, mut waiting) = (Vec::new(), Vec::new());
    let sockets = Path::new("network/src/socket");
    for (path, text) in product_sources() {
        let path = path.strip_prefix(root()).unwrap_or(&path);
        if !path.starts_with(sockets) || path.starts_with(sockets.join("faces")) {
            continue;
        }
        for line in text.lines().map(str::trim_start) {
            let Some((before, after)) = line.split_once("fn ") else { continue };
            let name: String =
                after.chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect();
            if before == "pub async " {
                waiting.push(name.clone());
            }
            all.push(name);
        }
    }
    assert!(waiting.len() >= 20, "{waiting:?}");
    for (name, _) in WITHOUT_FORMS {
        assert!(waiting.iter().any(|known| known == name), "{name} is gone");
    }
    waiting.retain(|name| {
        let has = |form: &str| all.contains(&format!("{form}_{name}"));
        !(has("poll") && has("try")) && WITHOUT_FORMS.iter().all(|(known, _)| name != known)
    });
    assert!(waiting.is_empty(), "no poll_ or try_ form of {waiting:?}");
}

/// The functions of a file.
#[derive(Default)]
struct Functions(Vec<String>);

impl<'ast> Visit<'ast> for Functions {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.0.push(signature.ident.to_string());
        visit::visit_signature(self, signature);
    }
}

#[test]
fn no_function_is_named_after_the_module_that_it_lies_in() {
    let mut wrong = Vec::new();
    for (path, text) in product_sources() {
        if is_test(&path) {
            continue;
        }
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(product_text(&text)).expect("Rust"));
        let folders = path.parent().into_iter().flatten();
        for folder in folders.skip_while(|part| *part != "src").skip(1) {
            let prefix = format!("{}_", folder.to_string_lossy());
            let named = functions.0.iter().filter(|name| name.starts_with(&prefix));
            wrong.extend(named.map(|name| format!("{}: {name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "a prefix that stands in for a module: {wrong:#?}");
}

/// The names of what is in the repository, each with a zero behind it.
fn listed() -> String {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let listed = listed.expect("git");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8(listed.stdout).expect("names")
}

/// Archives and programs of others do not belong here; only inputs of fuzz targets are no text.
#[test]
fn files_are_text() {
    let names = listed();
    let mut strange = Vec::new();
    let mut count = 0;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        if name.starts_with("tests/fuzz/corpus/") {
            continue;
        }
        // A file that is listed may have been removed since.
        let Ok(bytes) = fs::read(root().join(name)) else { continue };
        count += 1;
        if bytes.contains(&0) {
            strange.push(name);
        }
    }
    assert!(count > 300, "only {count} files were read");
    assert!(strange.is_empty(), "no text: {strange:#?}");
}

#[test]
fn lines_fit_a_hundred_columns() {
    let names = listed();
    let kinds = ["rs", "md", "toml", "sh", "c", "h", "txt"];
    let mut long = Vec::new();
    let mut count = 0;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let path = root().join(name);
        let kind = path.extension().map(|kind| kind.to_string_lossy().into_owned());
        // What rustdoc tells of the public API has a line for each item.
        // A transcript has what was printed.
        let is_meant = !name.starts_with("tests/api/")
            && !name.contains("/transcripts/")
            && kind.map_or(name == ".ci/run", |kind| kinds.contains(&kind.as_str()));
        // A file that is listed may have been removed since.
        let Some(text) = fs::read_to_string(&path).ok().filter(|_| is_meant) else { continue };
        count += 1;
        for (number, line) in text.lines().enumerate() {
            // A row of a table, a link, a picture and a form of a line cannot be broken.
            let form = line.trim_start_matches(['#', ' ', '-']).trim_start_matches("text: ");
            let is_whole = name.ends_with(".md")
                && (line.trim_start().starts_with('|')
                    || !line.trim().contains(' ')
                    || (form.starts_with('`') && form.ends_with('`')));
            if line.chars().count() > COLUMNS && !is_whole {
                long.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(count > 300, "only {count} files were read");
    assert!(long.is_empty(), "more than {COLUMNS} columns: {long:#?}");
}

/// Variables and steps by which a reader of each RFC searches.
const RFC_NAMES: [(&str, &[&str]); 5] = [
    (
        "RFC 9293",
        &[
            "SND.UNA",
            "SND.NXT",
            "SND.WND",
            "SND.UP",
            "SND.WL1",
            "SND.WL2",
            "ISS",
            "RCV.NXT",
            "RCV.WND",
            "RCV.UP",
            "IRS",
            "SEG.SEQ",
            "SEG.ACK",
            "SEG.LEN",
            "SEG.WND",
            "SEG.UP",
            "TCB",
            "MSL",
            "Eff.snd.MSS",
            "Nagle",
            "silly window",
            "persist",
            "TIME-WAIT",
            "challenge ACK",
        ],
    ),
    ("RFC 6298", &["SRTT", "RTTVAR", "RTO", "Karn"]),
    (
        "RFC 6675",
        &[
            "HighACK",
            "HighData",
            "HighRxt",
            "RescueRxt",
            "pipe",
            "DupAcks",
            "DupThresh",
            "RecoveryPoint",
            "Update ()",
            "IsLost ()",
            "SetPipe ()",
            "NextSeg ()",
        ],
    ),
    (
        "RFC 8985",
        &[
            "Segment.lost",
            "Segment.retransmitted",
            "Segment.xmit_ts",
            "Segment.end_seq",
            "RACK.segment",
            "RACK.xmit_ts",
            "RACK.end_seq",
            "RACK.fack",
            "RACK.min_RTT",
            "RACK.rtt",
            "RACK.reordering_seen",
            "RACK.reo_wnd",
            "RACK.dsack_round",
            "RACK.reo_wnd_mult",
            "RACK.reo_wnd_persist",
            "TLP.is_retrans",
            "TLP.end_seq",
            "TLP.max_ack_delay",
            "RACK_update()",
            "RACK_sent_after()",
            "RACK_detect_reordering()",
            "RACK_update_reo_wnd()",
            "RACK_detect_loss_and_arm_timer()",
            "RACK_mark_losses_on_RTO()",
            "TLP_calc_PTO()",
            "TLP_send_probe()",
            "TLP_process_ack()",
        ],
    ),
    (
        "RFC 9438",
        &[
            "W_max",
            "W_cubic",
            "W_est",
            "cwnd_prior",
            "cwnd_epoch",
            "t_epoch",
            "alpha_cubic",
            "beta_cubic",
            "Fast convergence",
            "concave",
            "convex",
            "ssthresh",
            "K = ",
        ],
    ),
];

#[test]
fn the_names_of_the_rfcs_are_found() {
    let sources: String = product_sources()
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().contains("network/src/stack/tcp/"))
        .map(|(_, text)| text)
        .collect();
    let missing: Vec<_> = RFC_NAMES
        .iter()
        .flat_map(|(rfc, names)| names.iter().map(move |name| (rfc, name)))
        .filter(|(_, name)| !sources.contains(**name))
        .collect();
    assert!(missing.is_empty(), "nobody finds these: {missing:#?}");
}
