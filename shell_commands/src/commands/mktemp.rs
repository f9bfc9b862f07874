//! `mktemp`: creates a file or a directory whose name nobody has.

use devnet_virtual_file_system::{Error, OpenFlags};
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Where it is without another directory.
const DIRECTORY: &str = "/temporary";
const TEMPLATE: &str = "tmp.XXXXXXXXXX";
/// Signs of a name; 64 of them, so that each byte of chance gives one fairly.
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The fewest signs that are chosen by chance.
const LEAST: usize = 3;
/// Names that are tried; with three signs and many files one may be taken.
const TRIES: usize = 100;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut is_directory, mut is_dry, mut is_quiet, mut parent) = (false, false, false, None);
    let mut templates = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('d') | Long("directory") => is_directory = true,
            Short('u') | Long("dry-run") => is_dry = true,
            Short('q') | Long("quiet") => is_quiet = true,
            Short('p') => parent = Some(options.value()?.string()?),
            Short('t') => parent = Some(String::from(DIRECTORY)),
            Value(template) => templates.push(template.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let template = match templates.as_slice() {
        [] => {
            parent.get_or_insert_with(|| String::from(DIRECTORY));
            TEMPLATE
        }
        [template] => template,
        _ => return Err(Failure::usage("too many templates")),
    };
    let template = match &parent {
        Some(parent) if template.contains('/') => {
            let why = format!("{template}: with {parent} it must name no directory");
            return Err(Failure::usage(why));
        }
        Some(parent) => format!("{}/{template}", parent.trim_end_matches('/')),
        None => template.to_owned(),
    };
    let kept = template.trim_end_matches('X');
    let count = template.len() - kept.len();
    if count < LEAST {
        return Err(Failure::new(format!("too few X's in template '{template}'")));
    }
    for _ in 0..TRIES {
        let mut chance = vec![0; count];
        let filled = context.platform.entropy.fill(&mut chance);
        filled.map_err(|why| Failure::new(why.to_owned()))?;
        let signs = chance.iter().filter_map(|byte| SIGNS.get(usize::from(byte % 64)));
        let path = format!("{kept}{}", signs.map(|sign| char::from(*sign)).collect::<String>());
        let made = match (is_dry, is_directory) {
            (true, _) => match context.files.stat(&path) {
                Err(Error::NotFound) => Ok(()),
                Ok(_) => Err(Error::AlreadyExists),
                Err(why) => Err(why),
            },
            (false, true) => context.files.create_directory(&path),
            (false, false) => {
                let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
                context.files.open(&path, flags).map(drop)
            }
        };
        match made {
            Ok(()) => return context.answer(&format!("{path}\n")).await,
            Err(Error::AlreadyExists) => {}
            Err(_) if is_quiet => return Ok(crate::status::Status::FAILURE),
            Err(why) => return Err(Failure::of(template, why)),
        }
    }
    Err(Failure::of(template, Error::AlreadyExists))
}
