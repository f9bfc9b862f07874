//! `run`: runs a guest program with the command's streams and with grants.
//!
//! Grants come from the command's options and, with `--manifest`, from the manifest beside the
//! guest (`GUEST.grants` for `GUEST.wasm`): it counts only if whoever runs the guest says so,
//! because whoever may write beside it could grant it anything. The program ends with the command:
//! Ctrl-C and `kill` drop it and close its files.

use std::sync::Arc;
use std::thread;

use async_lock::OnceCell;
use devnet_guest_programs::grants::parse::{WORDS, takes_value};
use devnet_guest_programs::{Exit, Grants, Launch, Process, Program, ProgramError, Translator};
use devnet_virtual_file_system::{Error, OpenFlags};
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// The parsed arguments.
pub(crate) struct Options {
    grants: Vec<(String, String)>,
    environment: Vec<String>,
    has_manifest: bool,
    /// The index of the guest in the arguments.
    pub(crate) place: usize,
    guest: String,
    arguments: Vec<String>,
}

/// Parses the arguments after `run`.
///
/// # Errors
/// The error, in one line, status 2.
pub(crate) fn parse(words: &[String]) -> Result<Options, Failure> {
    let mut options = Options {
        grants: Vec::new(),
        environment: Vec::new(),
        has_manifest: false,
        place: 0,
        guest: String::new(),
        arguments: Vec::new(),
    };
    let mut parser = lexopt::Parser::from_args(words.iter().map(String::as_str));
    while let Some(argument) = parser.next()? {
        match argument {
            Long("env") => {
                let text = parser.value()?.string()?;
                if text.split_once('=').is_none_or(|(name, _)| name.is_empty()) {
                    return Err(Failure::usage(format!("{text}: NAME=VALUE is needed")));
                }
                options.environment.push(text);
            }
            Long("manifest") => options.has_manifest = true,
            Long(word) if WORDS.contains(&word) => {
                let word = word.to_owned();
                let value =
                    if takes_value(&word) { parser.value()?.string()? } else { String::new() };
                options.grants.push((word, value));
            }
            Value(guest) => {
                options.guest = guest.string()?;
                options.arguments = words::rest(&mut parser)?;
                options.place = words.len() - options.arguments.len() - 1;
                return Ok(options);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Err(Failure::usage("which program?"))
}

/// The manifest's name beside a guest's.
pub(crate) fn manifest_of(guest: &str) -> String {
    format!("{}.grants", guest.strip_suffix(".wasm").unwrap_or(guest))
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(&context.arguments)?;
    let mut grants = Grants::default();
    if options.has_manifest {
        add_manifest(context, &mut grants, &manifest_of(&options.guest)).await?;
    }
    for (word, value) in &options.grants {
        grants.add(word, value).map_err(|why| Failure::usage(format!("--{word}: {why}")))?;
    }
    let name = options.guest.as_str();
    let module = read(context, name, devnet_guest_programs::limits::MODULE_BYTES)
        .await
        .map_err(|why| Failure::of(name, why))?;
    let program = translate(&context.platform.translator, module)
        .await
        .map_err(|why| Failure::of(name, why))?;
    let (files, credentials) = context.files.parts();
    let streams = &context.streams;
    let mut arguments = vec![options.guest.clone()];
    arguments.extend(options.arguments);
    let command = arguments.join(" ");
    let streams = [&streams.input, &streams.output, &streams.error].map(|each| each.file.clone());
    let launch = Launch::new(program, streams, files, credentials, context.platform.supplies())
        .arguments(arguments)
        .environment(environment(context, options.environment))
        .directory(context.files.directory().clone())
        .grants(grants);
    let process = Process::new(launch).await.map_err(|why| Failure::of(name, why))?;
    let entry = context.platform.programs.enter(&command).map_err(|why| Failure::of(name, why))?;
    match process.run_listed(entry).await {
        Exit::Trapped(why) => {
            let status = Status(Exit::Trapped(String::new()).status());
            Err(Failure { status, message: format!("{name}: {why}") })
        }
        exit => Ok(Status(exit.status())),
    }
}

/// The exported variables, and over them what `--env` says.
fn environment(context: &Context, given: Vec<String>) -> Vec<String> {
    let name = |text: &str| text.split_once('=').map(|(name, _)| name.to_owned());
    let is_given = |text: &String| given.iter().any(|other| name(other) == name(text));
    let mut all = context.environment.clone();
    all.retain(|text| !is_given(text));
    all.extend(given);
    all
}

async fn read(context: &Context, path: &str, limit: usize) -> Result<Vec<u8>, Error> {
    context.files.open(path, OpenFlags::READ)?.read_to_end(limit).await
}

async fn add_manifest(context: &Context, grants: &mut Grants, path: &str) -> Result<(), Failure> {
    let named = |why: &dyn std::fmt::Display| Failure::of(path, why);
    let bytes = match read(context, path, devnet_guest_programs::limits::MANIFEST_BYTES).await {
        Ok(bytes) => bytes,
        Err(why) => return Err(named(&why)),
    };
    let text = String::from_utf8(bytes).map_err(|_| named(&"is not text"))?;
    grants.add_manifest(&text).map_err(|why| named(&why))
}

/// Translates a module; a large one on its own thread.
async fn translate(translator: &Translator, module: Vec<u8>) -> Result<Program, ProgramError> {
    if module.len() <= limits::INLINE_MODULE_BYTES {
        return translator.translate(&module);
    }
    let done = Arc::new(OnceCell::new());
    let (translator, shared) = (translator.clone(), Arc::clone(&done));
    let module = Arc::new(module);
    let (here, there) = (translator.clone(), Arc::clone(&module));
    let work = move || {
        // Only this sets the cell, so it never blocks.
        let _ = shared.set_blocking(translator.translate(&there));
    };
    match thread::Builder::new().name(String::from("translator")).spawn(work) {
        Ok(_) => done.wait().await.clone(),
        // If no thread can be started, translate here.
        Err(_) => here.translate(&module),
    }
}
