//! `grep`: lines that match.

use lexopt::prelude::*;

use super::cat::inputs;
use super::expression::{Dialect, Expression, translate};
use super::lines::{Lines, Output};
use super::tree;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::shown;
use crate::status::Status;

#[derive(Default)]
struct Options {
    dialect: Dialect,
    ignores_case: bool,
    inverts: bool,
    counts: bool,
    numbers: bool,
    /// `-l` lists files that match, `-L` the others.
    lists: Option<bool>,
    quiet: bool,
    only: bool,
    words: bool,
    lines: bool,
    recursive: bool,
    silent: bool,
    names: Option<bool>,
    most: Option<u64>,
    before: usize,
    after: usize,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut options = Options::default();
    let (mut patterns, mut paths) = (Vec::new(), Vec::new());
    match context.name.as_str() {
        "egrep" => options.dialect = Dialect::Extended,
        "fgrep" => options.dialect = Dialect::Fixed,
        _ => {}
    }
    let mut has_patterns = false;
    let mut parser = context.options();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('G') => options.dialect = Dialect::Basic,
            Short('E') => options.dialect = Dialect::Extended,
            Short('F') => options.dialect = Dialect::Fixed,
            Short('i' | 'y') => options.ignores_case = true,
            Short('v') => options.inverts = true,
            Short('c') => options.counts = true,
            Short('n') => options.numbers = true,
            Short('l') => options.lists = Some(true),
            Short('L') => options.lists = Some(false),
            Short('q') => options.quiet = true,
            Short('o') => options.only = true,
            Short('w') => options.words = true,
            Short('x') => options.lines = true,
            Short('r' | 'R') => options.recursive = true,
            Short('s') => options.silent = true,
            Short('H') => options.names = Some(true),
            Short('h') => options.names = Some(false),
            Short('m') => options.most = Some(parser.value()?.parse()?),
            Short('A') => options.after = parser.value()?.parse()?,
            Short('B') => options.before = parser.value()?.parse()?,
            Short('C') => {
                options.after = parser.value()?.parse()?;
                options.before = options.after;
            }
            Short('e') => {
                has_patterns = true;
                patterns.extend(parser.value()?.string()?.split('\n').map(str::to_owned));
            }
            Short('f') => {
                has_patterns = true;
                let path = parser.value()?.string()?;
                for line in super::lines::all(context, &[path], b'\n').await? {
                    patterns.push(String::from_utf8_lossy(&line).into_owned());
                }
            }
            Value(word) => paths.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if !has_patterns {
        if paths.is_empty() {
            return Err(Failure::usage("a pattern is missing"));
        }
        patterns.extend(paths.remove(0).split('\n').map(str::to_owned));
    }
    let expression = compile(&patterns, &options).map_err(Failure::usage)?;
    search(context, &options, expression.as_ref(), paths).await
}

/// No expression matches nothing.
fn compile(patterns: &[String], options: &Options) -> Result<Option<Expression>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut alternatives = Vec::new();
    for pattern in patterns {
        alternatives.push(format!("(?:{})", translate(pattern, options.dialect)?));
    }
    let mut text = format!("(?:{})", alternatives.join("|"));
    if options.words {
        text = format!("(?-u:\\b{{start-half}}){text}(?-u:\\b{{end-half}})");
    }
    if options.lines {
        text = format!("^{text}$");
    }
    Expression::new(&text, options.ignores_case).map(Some)
}

async fn search(
    context: &Context,
    options: &Options,
    expression: Option<&Expression>,
    mut paths: Vec<String>,
) -> Outcome {
    let mut failed = false;
    if options.recursive {
        let mut files = Vec::new();
        let roots = if paths.is_empty() { vec![String::from(".")] } else { paths };
        for root in &roots {
            tree::files(context, root, &mut files)?;
        }
        paths = files;
        if paths.is_empty() {
            return Ok(Status::FAILURE);
        }
    }
    let names = options.names.unwrap_or(options.recursive || paths.len() > 1);
    let mut found = false;
    let mut output = Output::new(context);
    for stream in inputs(context, &paths) {
        let search = Search { options, expression, names, output: &mut output };
        let result = match stream {
            Ok(stream) => search.file(stream).await,
            Err(why) => Err(why),
        };
        match result {
            Ok(matched) => found |= matched,
            Err(why) if why.message.is_empty() => return Err(why),
            Err(why) => {
                failed = true;
                if !options.silent {
                    context.complain(&why.message).await;
                }
            }
        }
        if options.quiet && found {
            return Ok(Status::SUCCESS);
        }
    }
    output.flush().await?;
    Ok(if failed { Status::USAGE } else { Status::from_success(found) })
}

struct Search<'a, 'o> {
    options: &'a Options,
    expression: Option<&'a Expression>,
    names: bool,
    output: &'a mut Output<'o>,
}

impl Search<'_, '_> {
    async fn file(self, stream: Stream) -> Result<bool, Failure> {
        let Search { options, expression, names, output } = self;
        let name = match &*stream.name {
            "standard input" => String::from("(standard input)"),
            name => shown::line(name).into_owned(),
        };
        let prefix = if names { name.clone() } else { String::new() };
        let mut lines = Lines::new(stream, b'\n');
        let (mut number, mut count) = (0_u64, 0_u64);
        // Lines before a match, the lines that still follow one, and the last that was printed.
        let mut before: std::collections::VecDeque<(u64, Vec<u8>)> = Default::default();
        let (mut following, mut last) = (0, None);
        while options.most.is_none_or(|most| count < most) || following > 0 {
            let Some(line) = lines.next(output).await? else { break };
            number += 1;
            let matches = expression.is_some_and(|expression| expression.is_match(&line.bytes));
            let may = options.most.is_none_or(|most| count < most);
            if may && matches != options.inverts {
                count += 1;
                if options.quiet || options.lists.is_some() {
                    break;
                }
                if options.counts {
                    continue;
                }
                if options.only {
                    if !options.inverts {
                        parts(output, options, &prefix, number, expression, &line.bytes).await?;
                    }
                    continue;
                }
                let start = before.front().map_or(number, |(number, _)| *number);
                let context = options.before > 0 || options.after > 0;
                if context && last.is_some_and(|last| start > last + 1) {
                    output.line(b"--").await?;
                }
                for (number, line) in before.drain(..) {
                    print(output, options, &prefix, number, '-', &line).await?;
                }
                print(output, options, &prefix, number, ':', &line.bytes).await?;
                last = Some(number);
                following = options.after;
            } else if following > 0 {
                following -= 1;
                print(output, options, &prefix, number, '-', &line.bytes).await?;
                last = Some(number);
            } else if options.before > 0 {
                before.push_back((number, line.bytes));
                let bytes: usize = before.iter().map(|(_, line)| line.len()).sum();
                if before.len() > options.before || bytes > crate::limits::TEXT_BYTES {
                    before.pop_front();
                }
            }
        }
        if options.counts && !options.quiet && options.lists.is_none() {
            let name = if names { format!("{prefix}:") } else { String::new() };
            output.line(format!("{name}{count}").as_bytes()).await?;
        }
        if options.lists.is_some_and(|wanted| wanted == (count > 0)) {
            output.line(name.as_bytes()).await?;
        }
        Ok((count > 0) != (options.lists == Some(false)))
    }
}

async fn print(
    output: &mut Output<'_>,
    options: &Options,
    prefix: &str,
    number: u64,
    mark: char,
    line: &[u8],
) -> Result<(), Failure> {
    if !prefix.is_empty() {
        output.write(format!("{prefix}{mark}").as_bytes()).await?;
    }
    if options.numbers {
        output.write(format!("{number}{mark}").as_bytes()).await?;
    }
    output.line(line).await
}

/// `-o`: each part that matches, on a line of its own.
async fn parts(
    output: &mut Output<'_>,
    options: &Options,
    prefix: &str,
    number: u64,
    expression: Option<&Expression>,
    line: &[u8],
) -> Result<(), Failure> {
    let Some(expression) = expression else { return Ok(()) };
    let mut at = 0;
    while let Some((start, end)) = expression.find(line, at) {
        if start < end {
            let part = line.get(start..end).unwrap_or_default();
            print(output, options, prefix, number, ':', part).await?;
        }
        at = if start < end { end } else { end + 1 };
    }
    Ok(())
}
