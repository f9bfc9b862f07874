//! Commands that see the shell itself: directory, variables, jobs, help, exit.
//!
//! Called by [`execute`](super::execute) with the shell borrowed; every other command is an
//! ordinary [`command`], which sees a [`Context`] only.

use super::command::{self, Builtin, Command};
use super::jobs::{Jobs, describe_job};
use super::pipeline::STARTING_TURNS;
use super::signals::Signal;
use super::state::Jump;
use super::{Shell, declare, input, language, lookup, pager, usage};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::grammar;
use crate::status::Status;
use devnet_network::platform::BoxFuture;
use futures_lite::future;

/// Runs one builtin.
pub async fn run(
    shell: &mut Shell,
    builtin: Builtin,
    command: &Command,
    context: Context,
) -> Status {
    let outcome = if command.asks_for_help(&context) {
        context.answer(&command.help()).await
    } else {
        match builtin {
            Builtin::Alias => lookup::alias(shell, &context).await,
            Builtin::Background => background(shell, &context).await,
            Builtin::Break => language::leave_loops(shell, &context, Jump::Break),
            Builtin::ChangeDirectory => change_directory(shell, &context).await,
            Builtin::Command => lookup::command(shell, &context).await,
            Builtin::Continue => language::leave_loops(shell, &context, Jump::Continue),
            Builtin::Describe => lookup::describe(shell, &context).await,
            Builtin::Evaluate => language::evaluate(shell, &context).await,
            Builtin::Exec => language::exec(shell, &context).await,
            Builtin::Exit => exit(shell, &context),
            Builtin::Foreground => {
                unless_signalled(shell, |shell| Box::pin(foreground(shell, &context))).await
            }
            Builtin::Hash => lookup::hash(shell, &context).await,
            Builtin::Help => unless_signalled(shell, |shell| Box::pin(help(shell, &context))).await,
            Builtin::History => history(shell, &context).await,
            Builtin::Jobs => jobs(shell, &context).await,
            Builtin::Kill => kill(shell, &context).await,
            Builtin::Local => declare::local(shell, &context),
            Builtin::Mark => declare::mark(shell, &context).await,
            Builtin::Mask => language::mask(&context).await,
            Builtin::Options => input::options(shell, &context),
            Builtin::Read => {
                unless_signalled(shell, |shell| Box::pin(input::read(shell, &context))).await
            }
            Builtin::Return => language::leave_call(shell, &context),
            Builtin::Set => language::set(shell, &context).await,
            Builtin::Shift => shift(shell, &context),
            Builtin::Source => language::source(shell, &context).await,
            Builtin::Time => time(shell, &context).await,
            Builtin::Trap => language::trap(shell, &context).await,
            Builtin::Unalias => lookup::unalias(shell, &context).await,
            Builtin::Unset => declare::unset(shell, &context),
            Builtin::Wait => unless_signalled(shell, |shell| Box::pin(wait(shell, &context))).await,
        }
    };
    // An error of a special builtin about a variable ends the script (POSIX 2.8.1).
    let is_fatal = matches!(builtin, Builtin::Mark | Builtin::Unset)
        && outcome.as_ref().is_err_and(|failure| failure.status == Status::USAGE);
    let status = command.conclude(&context, outcome).await;
    if is_fatal {
        shell.leave();
    }
    status
}

/// Runs a builtin that waits; a signal ends it.
async fn unless_signalled<'s>(
    shell: &'s mut Shell,
    work: impl FnOnce(&'s mut Shell) -> BoxFuture<'s, Outcome>,
) -> Outcome {
    let signal = shell.signal();
    future::or(async move { Ok(signal.await) }, work(shell)).await
}

async fn change_directory(shell: &mut Shell, context: &Context) -> Outcome {
    let words = context.arguments.iter().filter(|word| !matches!(word.as_str(), "-L" | "-P"));
    let words: Vec<&str> = words.map(String::as_str).collect();
    let variable = |name: &str| shell.variables.get(name).cloned();
    let path = match words.as_slice() {
        [] => variable("HOME").unwrap_or_else(|| String::from("/")),
        ["-"] => variable("OLDPWD").ok_or_else(|| Failure::new("OLDPWD is not set"))?,
        [path] => (*path).to_owned(),
        _ => return Err(Failure::usage("too many arguments")),
    };
    let former = shell.files.directory().as_str().to_owned();
    shell.files.enter(&path).map_err(|why| Failure::of(&path, why))?;
    let directory = shell.files.directory().as_str().to_owned();
    shell
        .assign("OLDPWD", former)
        .and(shell.assign("PWD", directory.clone()))
        .map_err(Failure::usage)?;
    if words == ["-"] {
        return context.answer(&format!("{directory}\n")).await;
    }
    Ok(Status::SUCCESS)
}

fn exit(shell: &mut Shell, context: &Context) -> Outcome {
    let status = match context.arguments.as_slice() {
        [] => shell.status,
        [number] => match number.parse() {
            Ok(number) => Status(number),
            Err(_) => {
                shell.exit = Some(Status::USAGE);
                return Err(Failure::usage(format!("{number}: not a status from 0 to 255")));
            }
        },
        _ => return Err(Failure::usage("too many arguments")),
    };
    shell.exit = Some(status);
    Ok(status)
}

/// Lists the commands, or explains some, or the lines of text of a device.
async fn help(shell: &Shell, context: &Context) -> Outcome {
    if let [topic, words @ ..] = context.arguments.as_slice()
        && topic == "text"
    {
        let explain =
            |word: &String| grammar::of(word).ok_or_else(|| Failure::of(word, "no such line"));
        let text = match words {
            [] => grammar::all(),
            words => words.iter().map(explain).collect::<Result<_, _>>()?,
        };
        return pager::show(context, &text).await;
    }
    let commands = shell.commands;
    let text: String = if context.arguments.is_empty() {
        let line = |command: &Command| format!("{:<10} {}\n", command.name, command.help);
        commands.iter().map(line).collect()
    } else {
        let explain = |name: &String| match command::find(commands, name) {
            Some(command) => Ok(command.explain()),
            None => {
                let question = usage::question(name, commands.iter().map(|command| command.name));
                Err(Failure::new(format!("{name}: no such command{question}")))
            }
        };
        context.arguments.iter().map(explain).collect::<Result<_, _>>()?
    };
    pager::show(context, &text).await
}

async fn jobs(shell: &mut Shell, context: &Context) -> Outcome {
    let lines: Vec<String> = shell.jobs.iter().map(describe_job).collect();
    shell.jobs.take_ended();
    context.answer(&lines.concat()).await
}

/// `kill [-SIGNAL] TARGET…`: a job, a guest program, or 0 for the shell that `$$` is.
async fn kill(shell: &mut Shell, context: &Context) -> Outcome {
    let mut words = context.arguments.as_slice();
    let mut name = "TERM";
    match words {
        [list] if list == "-l" => {
            let names: Vec<_> = Signal::names().chain(["KILL", "CONT", "STOP", "TSTP"]).collect();
            return context.answer(&format!("{}\n", names.join(" "))).await;
        }
        [option, signal, rest @ ..] if option == "-s" || option == "-n" => {
            (name, words) = (signal, rest);
        }
        [word, rest @ ..] if word == "--" => words = rest,
        [word, rest @ ..] if word.starts_with('-') => {
            (name, words) = (word.trim_start_matches('-'), rest);
        }
        _ => {}
    }
    // KILL has no trap, and 0 only asks whether the target is there.
    let (ends, asks) = (matches!(name, "9" | "KILL" | "SIGKILL"), name == "0");
    let bare = name.strip_prefix("SIG").unwrap_or(name);
    let stops = matches!(bare, "STOP" | "TSTP" | "19" | "20");
    let resumes = matches!(bare, "CONT" | "18");
    let signal = Signal::parse(name);
    if signal.is_none() && !ends && !asks && !stops && !resumes {
        return Err(Failure::usage(format!("{name}: unknown signal")));
    }
    if words.is_empty() {
        return Err(Failure::usage("which job or program?"));
    }
    for target in words {
        if let Some(job) = target.starts_with('%').then(|| shell.jobs.find(target)) {
            let job = job.ok_or_else(|| Failure::of(target, "no such job"))?;
            match signal {
                _ if stops => job.control().stop(),
                _ if resumes => job.control().resume(false),
                Some(signal) => job.signal(signal),
                None if ends => job.cancel(Status(137)),
                None if job.status().is_some() => return Err(Failure::of(target, "has ended")),
                None => {}
            }
        } else if stops || resumes {
            return Err(Failure::of(target, "only jobs can be stopped, as %JOB"));
        } else if target == "0" {
            let signals = &shell.state.root_signals;
            signals.send(signal.unwrap_or(Signal::TERMINATE));
        } else {
            let number = target
                .parse()
                .map_err(|_| Failure::usage(format!("{target}: not a number, nor %JOB")))?;
            let programs = &shell.platform.programs;
            let is_there = || programs.list().iter().any(|program| program.number == number);
            match asks {
                true if is_there() => {}
                true => return Err(Failure::of(target, "no such program")),
                false => programs.kill(number).map_err(|why| Failure::of(target, why))?,
            }
        }
    }
    Ok(Status::SUCCESS)
}

fn shift(shell: &mut Shell, context: &Context) -> Outcome {
    let count: usize = match context.arguments.first() {
        None => 1,
        Some(number) => {
            number.parse().map_err(|_| Failure::usage(format!("{number}: not a number")))?
        }
    };
    if count >= shell.parameters.len() {
        return Err(Failure::new("there are not so many arguments"));
    }
    shell.parameters.drain(1..=count);
    Ok(Status::SUCCESS)
}

async fn time(shell: &mut Shell, context: &Context) -> Outcome {
    let Some((name, arguments)) = context.arguments.split_first() else {
        return Err(Failure::usage("a command is missing"));
    };
    let start = context.platform.clock.now();
    let status = shell.invoke(name, arguments).await;
    let taken = context.platform.clock.now().since(start);
    let line = format!(
        "real\t{}m{}.{:03}s\n",
        taken.as_secs() / 60,
        taken.as_secs() % 60,
        taken.subsec_millis()
    );
    context.streams.error.remark(&line).await;
    Ok(status)
}

/// Lets a stopped job go on in the background.
async fn background(shell: &mut Shell, context: &Context) -> Outcome {
    let job = find_job(shell, context)?;
    job.control().resume(false);
    context.print(&format!("[{}] {}\n", job.number, job.text)).await?;
    // It runs up to its next wait, as a new job does.
    for _ in 0..STARTING_TURNS {
        future::yield_now().await;
    }
    Ok(Status::SUCCESS)
}

/// Waits for a job as if it had been started without `&`: it may read the terminal, Ctrl-Z stops
/// it, and Ctrl-C, which drops this future, ends it.
async fn foreground(shell: &mut Shell, context: &Context) -> Outcome {
    /// Ends a job that is not waited for to its end.
    struct Foreground<'s>(&'s mut Jobs, usize, bool);
    impl Drop for Foreground<'_> {
        fn drop(&mut self) {
            let Self(jobs, number, false) = self else { return };
            if let Some(job) = jobs.find(&number.to_string()) {
                job.signal(Signal::INTERRUPT);
                if job.status().is_none() && job.is_cancelled() {
                    jobs.forget(*number);
                }
            }
        }
    }
    let job = find_job(shell, context)?;
    let (number, end, control) = (job.number, job.wait(), job.control().clone());
    context.print(&format!("{}\n", job.text)).await?;
    control.resume(true);
    let keyboard = shell.keyboard.clone();
    let stopped = async {
        match keyboard {
            Some(keyboard) => keyboard.suspended().await,
            None => future::pending().await,
        }
        control.stop();
        None
    };
    let elsewhere = async {
        control.stopped().await;
        None
    };
    let mut waited = Foreground(&mut shell.jobs, number, false);
    let ended = async { Some(end.await) };
    let status = future::or(ended, future::or(stopped, elsewhere)).await;
    waited.2 = true;
    drop(waited);
    if let Some(status) = status {
        shell.jobs.forget(number);
        return Ok(status);
    }
    let line = shell.jobs.find(&number.to_string()).map(describe_job).unwrap_or_default();
    context.streams.error.remark(&format!("\n{line}")).await;
    shell.leave();
    shell.status = Status::STOPPED;
    Ok(Status::STOPPED)
}

/// `history [N]` or `history -c`.
async fn history(shell: &Shell, context: &Context) -> Outcome {
    let count = match context.arguments.as_slice() {
        [] => usize::MAX,
        [option] if option == "-c" => {
            shell.history.clear().map_err(Failure::new)?;
            return Ok(Status::SUCCESS);
        }
        [count] => count.parse().map_err(|_| Failure::usage(format!("{count}: not a number")))?,
        _ => return Err(Failure::usage("too many arguments")),
    };
    let line = |(number, line): (usize, String)| format!("{number:5}  {line}\n");
    let lines: String = shell.history.last(count).into_iter().map(line).collect();
    context.answer(&lines).await
}

fn find_job<'s>(shell: &'s Shell, context: &Context) -> Result<&'s super::jobs::Job, Failure> {
    let name = context.arguments.first().map_or("%%", String::as_str);
    shell.jobs.find(name).ok_or_else(|| Failure::of(name, "no such job"))
}

/// Waits for one job and returns its status, or waits for all jobs.
async fn wait(shell: &mut Shell, context: &Context) -> Outcome {
    let numbers: Vec<usize> = match context.arguments.as_slice() {
        [] => shell.jobs.iter().map(|job| job.number).collect(),
        names => {
            let find = |name: &String| match shell.jobs.find(name) {
                Some(job) => Ok(job.number),
                None => Err(Failure {
                    status: Status::NOT_FOUND,
                    message: format!("{name}: no such job"),
                }),
            };
            names.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let mut status = Status::SUCCESS;
    for number in numbers {
        let Some(job) = shell.jobs.find(&number.to_string()) else { continue };
        status = job.wait().await;
        shell.jobs.forget(number);
    }
    Ok(if context.arguments.is_empty() { Status::SUCCESS } else { status })
}
