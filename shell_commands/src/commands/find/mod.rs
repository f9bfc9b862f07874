//! `find`: nodes below directories that fulfil conditions.

mod parser;

use std::collections::VecDeque;
use std::time::Duration;

use devnet_virtual_file_system::{Attributes, Mode, NodeKind};
use futures_lite::future;

use self::parser::Parser;
use super::lines::Output;
use super::tree::{self, Found};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::shell::launch::Launcher;
use crate::shell::matches;
use crate::shown;
use crate::status::Status;

/// A condition or an action.
enum Test {
    Name(String, bool),
    Path(String),
    Kind(NodeKind),
    Size(Count, u64),
    Empty,
    /// Changed later than this.
    Newer(Duration),
    /// Changed so many units of seconds ago.
    Age(Count, u64),
    Permissions(u16, bool),
    Owner(u32),
    Print(u8),
    /// Words with `{}`, and whether all paths go to one command.
    Execute(Vec<String>, bool),
    Delete,
    Prune,
    Constant(bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// `N`, `+N` or `-N`.
#[derive(Clone, Copy)]
enum Count {
    Is(u64),
    Over(u64),
    Under(u64),
}

impl Count {
    const fn is(self, value: u64) -> bool {
        match self {
            Self::Is(number) => value == number,
            Self::Over(number) => value > number,
            Self::Under(number) => value < number,
        }
    }
}

pub(super) async fn run(launcher: &mut Launcher, context: &Context) -> Outcome {
    let words = &context.arguments;
    let is_test = |word: &String| word.starts_with('-') || word == "(" || word == "!";
    let count = words.iter().position(is_test).unwrap_or(words.len());
    let (paths, rest) = words.split_at_checked(count).unwrap_or((words, &[]));
    let mut parser = Parser {
        context,
        words: rest,
        depth: (0, usize::MAX),
        deepest_first: false,
        acts: false,
        level: 0,
    };
    let mut test = match rest.is_empty() {
        true => Test::Constant(true),
        false => parser.any()?,
    };
    if let Some(word) = parser.words.first() {
        return Err(Failure::new(format!("{word}: unexpected")));
    }
    if !parser.acts {
        test = Test::All(vec![test, Test::Print(b'\n')]);
    }
    let roots = if paths.is_empty() { vec![String::from(".")] } else { paths.to_vec() };
    let mut walk = Walk {
        context,
        launcher,
        output: Output::new(context),
        depth: parser.depth,
        deepest_first: parser.deepest_first,
        gathered: Vec::new(),
        status: Status::SUCCESS,
    };
    for root in roots {
        match tree::start(context, &root) {
            Ok(found) => walk.below(found, &test).await?,
            Err(why) => walk.complain(&why).await?,
        }
    }
    walk.run_gathered(&test).await?;
    walk.output.flush().await?;
    Ok(walk.status)
}

struct Walk<'a, 'l> {
    context: &'a Context,
    launcher: &'l mut Launcher,
    output: Output<'a>,
    depth: (usize, usize),
    deepest_first: bool,
    /// Paths for `-exec … +`.
    gathered: Vec<String>,
    status: Status,
}

impl Walk<'_, '_> {
    async fn complain(&mut self, why: &Failure) -> Result<(), Failure> {
        self.output.flush().await?;
        self.context.complain(&why.message).await;
        self.status = Status::FAILURE;
        Ok(())
    }

    async fn below(&mut self, root: Found, test: &Test) -> Result<(), Failure> {
        // A directory is kept until what is in it was visited, if that comes first.
        let mut waiting: VecDeque<(Found, bool)> = VecDeque::from([(root, false)]);
        while let Some((found, is_done)) = waiting.pop_back() {
            future::yield_now().await;
            let mut prunes = false;
            let enters = found.node.kind == NodeKind::Directory && found.depth < self.depth.1;
            let comes_later = self.deepest_first && enters && !is_done;
            if !comes_later && found.depth >= self.depth.0 {
                self.holds(test, &found, &mut prunes).await?;
            }
            if !enters || is_done || prunes {
                continue;
            }
            match tree::children(self.context, &found) {
                Ok(children) => {
                    if comes_later {
                        waiting.push_back((found, true));
                    }
                    waiting.extend(children.into_iter().map(|child| (child, false)));
                }
                Err(why) => self.complain(&why).await?,
            }
            if waiting.len() > limits::ARGUMENTS {
                return Err(Failure::new("too many files"));
            }
        }
        Ok(())
    }

    fn holds<'f>(
        &'f mut self,
        test: &'f Test,
        found: &'f Found,
        prunes: &'f mut bool,
    ) -> devnet_network::platform::BoxFuture<'f, Result<bool, Failure>> {
        Box::pin(async move {
            Ok(match test {
                Test::All(tests) => {
                    for test in tests {
                        if !self.holds(test, found, prunes).await? {
                            return Ok(false);
                        }
                    }
                    true
                }
                Test::Any(tests) => {
                    for test in tests {
                        if self.holds(test, found, prunes).await? {
                            return Ok(true);
                        }
                    }
                    false
                }
                Test::Not(test) => !self.holds(test, found, prunes).await?,
                Test::Print(end) => {
                    let mut line = match end {
                        b'\n' => shown::line(&found.path).into_owned().into_bytes(),
                        _ => found.path.clone().into_bytes(),
                    };
                    line.push(*end);
                    self.output.write(&line).await?;
                    true
                }
                Test::Execute(_, true) => {
                    self.gathered.push(found.path.clone());
                    if self.gathered.len() >= limits::ARGUMENTS {
                        return Err(Failure::new("too many files"));
                    }
                    true
                }
                Test::Execute(words, false) => {
                    self.output.flush().await?;
                    let words: Vec<String> =
                        words.iter().map(|word| word.replace("{}", &found.path)).collect();
                    self.launcher.run(&words).await.is_success()
                }
                Test::Delete => {
                    let removed = self.context.files.remove(&found.path);
                    if let Err(why) = &removed {
                        self.complain(&Failure::of(&found.path, why)).await?;
                    }
                    removed.is_ok()
                }
                Test::Prune => {
                    *prunes = true;
                    true
                }
                test => is(self.context, test, found)?,
            })
        })
    }

    /// `-exec … +`
    async fn run_gathered(&mut self, test: &Test) -> Result<(), Failure> {
        let paths = std::mem::take(&mut self.gathered);
        let Some(words) = gathering(test).filter(|_| !paths.is_empty()) else { return Ok(()) };
        self.output.flush().await?;
        let mut all: Vec<String> = words.iter().filter(|word| *word != "{}").cloned().collect();
        all.extend(paths);
        if !self.launcher.run(&all).await.is_success() {
            self.status = Status::FAILURE;
        }
        Ok(())
    }
}

fn gathering(test: &Test) -> Option<&[String]> {
    match test {
        Test::Execute(words, true) => Some(words),
        Test::All(tests) | Test::Any(tests) => tests.iter().find_map(gathering),
        Test::Not(test) => gathering(test),
        _ => None,
    }
}

/// A condition that looks at the node only.
fn is(context: &Context, test: &Test, found: &Found) -> Result<bool, Failure> {
    let Attributes { kind, mode, owner, size, modified, .. } = found.node;
    let name = found.path.trim_end_matches('/').rsplit('/').next().unwrap_or(&found.path);
    let name = if name.is_empty() { "/" } else { name };
    Ok(match test {
        Test::Name(pattern, false) => matches(pattern, name).map_err(Failure::new)?,
        Test::Name(pattern, true) => {
            matches(pattern, &name.to_lowercase()).map_err(Failure::new)?
        }
        Test::Path(pattern) => matches(pattern, &found.path).map_err(Failure::new)?,
        Test::Kind(wanted) => kind == *wanted,
        Test::Size(count, unit) => count.is(size.div_ceil(*unit)),
        Test::Newer(than) => modified > *than,
        Test::Age(count, unit) => {
            count.is(context.platform.now().saturating_sub(modified).as_secs() / unit)
        }
        Test::Empty => match kind {
            NodeKind::Directory => {
                context.files.list(&found.path).is_ok_and(|entries| entries.is_empty())
            }
            NodeKind::Regular => size == 0,
            NodeKind::CharacterDevice => false,
        },
        Test::Permissions(wanted, true) => mode.contains(Mode::from_bits_truncate(*wanted)),
        Test::Permissions(wanted, false) => mode.bits() == *wanted,
        Test::Owner(wanted) => owner.0 == *wanted,
        Test::Constant(holds) => *holds,
        _ => false,
    })
}
