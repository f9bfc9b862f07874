//! Commands that see the shell itself: directory, variables, jobs, help, exit.
//!
//! Called by [`execute`](super::execute) with the shell borrowed; every other command is an
//! ordinary [`command`], which sees a [`Context`] only.

use super::Shell;
use super::command::{self, Builtin, Command};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::grammar;
use crate::status::Status;

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
            Builtin::ChangeDirectory => change_directory(shell, &context),
            Builtin::Exit => exit(shell, &context),
            Builtin::Help => help(shell, &context).await,
            Builtin::Jobs => jobs(shell, &context).await,
            Builtin::Kill => kill(shell, &context),
            Builtin::Set => set(shell, &context).await,
            Builtin::Shift => shift(shell, &context),
            Builtin::Time => time(shell, &context).await,
            Builtin::Unset => unset(shell, &context),
            Builtin::Wait => wait(shell, &context).await,
        }
    };
    command.conclude(&context, outcome).await
}

fn change_directory(shell: &mut Shell, context: &Context) -> Outcome {
    let path = match context.arguments.as_slice() {
        [] => "/",
        [path] => path,
        _ => return Err(Failure::usage("too many arguments")),
    };
    shell.files.enter(path).map_err(|why| Failure::of(path, why))?;
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
        return context.answer(&text).await;
    }
    let commands = shell.commands;
    let text: String = if context.arguments.is_empty() {
        let line = |command: &Command| format!("{:<10} {}\n", command.name, command.help);
        commands.iter().map(line).collect()
    } else {
        let explain = |name: &String| match command::find(commands, name) {
            Some(command) => Ok(command.help()),
            None => Err(Failure::of(name, "no such command")),
        };
        context.arguments.iter().map(explain).collect::<Result<_, _>>()?
    };
    context.answer(&text).await
}

async fn jobs(shell: &mut Shell, context: &Context) -> Outcome {
    let lines: Vec<String> = shell.jobs.iter().map(describe_job).collect();
    shell.jobs.take_ended();
    context.answer(&lines.concat()).await
}

/// One line of `jobs`, as POSIX shells print it.
pub(crate) fn describe_job(job: &super::jobs::Job) -> String {
    let state = match job.status() {
        None => "Running".to_owned(),
        Some(Status::SUCCESS) => "Done".to_owned(),
        Some(Status::KILLED) => "Terminated".to_owned(),
        Some(status) => format!("Exit {status}"),
    };
    format!("[{}]  {state:<10}  {}\n", job.number, job.text)
}

/// `-9`, `-TERM`: every signal ends its target.
fn is_signal(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|signal| {
        !signal.is_empty() && signal.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn kill(shell: &mut Shell, context: &Context) -> Outcome {
    if context.arguments.is_empty() {
        return Err(Failure::usage("which job or program?"));
    }
    for name in context.arguments.iter().skip_while(|word| is_signal(word)) {
        if name.starts_with('%') {
            shell.jobs.find(name).ok_or_else(|| Failure::of(name, "no such job"))?.cancel();
        } else {
            let number = name
                .parse()
                .map_err(|_| Failure::usage(format!("{name}: not a number, nor %JOB")))?;
            shell.platform.programs.kill(number).map_err(|why| Failure::of(name, why))?;
        }
    }
    Ok(Status::SUCCESS)
}

async fn set(shell: &mut Shell, context: &Context) -> Outcome {
    match context.arguments.as_slice() {
        [] => {
            let lines: String =
                shell.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
            return context.answer(&lines).await;
        }
        [option] if option == "-e" => shell.stop_on_failure = true,
        [option] if option == "+e" => shell.stop_on_failure = false,
        [option, parameters @ ..] if option == "--" => {
            shell.parameters.truncate(1);
            shell.parameters.extend_from_slice(parameters);
        }
        [option, ..] => return Err(Failure::usage(format!("{option}: unknown option"))),
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
    let status = shell.invoke(name, arguments, context.streams.clone()).await;
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

fn unset(shell: &mut Shell, context: &Context) -> Outcome {
    for name in &context.arguments {
        shell.variables.remove(name);
    }
    Ok(Status::SUCCESS)
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
