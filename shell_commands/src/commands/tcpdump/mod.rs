//! `tcpdump`: shows or stores the packets of an interface, of all interfaces (`-i any`), or of a
//! file.
//!
//! Names are never resolved, so `-n` says what is done anyway.

mod sink;

use devnet_network::capture::Filter;
use devnet_network::capture::read::Reader;
use devnet_network::command::capture::{CaptureDirection, CaptureOptions, CaptureStatistics};
use devnet_network::command::interface::InterfaceFlags;
use devnet_network::command::{Capture, GetCapture};
use devnet_network::driver::Medium;
use devnet_virtual_file_system::{File, OpenFlags};
use lexopt::prelude::*;

use self::sink::Sink;
use crate::context::{Context, Stream};
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::packet::{Style, Time};
use crate::status::Status;

/// The snap length of tcpdump.
const SNAP_LENGTH: u32 = 262_144;

struct Options {
    interface: Option<String>,
    read: Option<String>,
    write: Option<String>,
    count: Option<u64>,
    snap_length: u32,
    direction: CaptureDirection,
    style: Style,
    filter: String,
    list: bool,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    if options.list {
        return list(context).await;
    }
    let filter: Filter = options.filter.parse().map_err(|why| Failure::of("filter", why))?;
    match &options.read {
        Some(path) => read(context, &options, &filter, path).await,
        None => listen(context, &options).await,
    }
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        interface: None,
        read: None,
        write: None,
        count: None,
        snap_length: 0,
        direction: CaptureDirection::Both,
        style: Style::default(),
        filter: String::new(),
        list: false,
    };
    let (mut words, mut dates) = (Vec::new(), 0);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('i') => chosen.interface = Some(options.value()?.string()?),
            Short('r') => chosen.read = Some(options.value()?.string()?),
            Short('w') => chosen.write = Some(options.value()?.string()?),
            Short('c') => {
                let count: u64 = options.value()?.parse()?;
                if count == 0 {
                    return Err(Failure::usage("-c 0: the count is at least 1"));
                }
                chosen.count = Some(count);
            }
            Short('s') => chosen.snap_length = options.value()?.parse()?,
            Short('Q') => {
                let word = options.value()?.string()?;
                chosen.direction = match word.as_str() {
                    "inout" => CaptureDirection::Both,
                    word => word
                        .parse()
                        .map_err(|_| Failure::usage(format!("-Q {word}: in, out or inout")))?,
                };
            }
            Short('D') => chosen.list = true,
            // What is done anyway: nothing is resolved or buffered, and all interfaces are
            // captured in the same mode.
            Short('n' | 'l' | 'U' | 'p' | 'K' | 'f') => {}
            Short('v') => chosen.style.verbose = true,
            Short('q') => chosen.style.quiet = true,
            Short('e') => chosen.style.link = true,
            Short('S') => chosen.style.absolute = true,
            Short('t') => dates += 1,
            Short('x') => {
                chosen.style.bytes.with_link = chosen.style.bytes.hexadecimal;
                chosen.style.bytes.hexadecimal = true;
            }
            Short('X') => {
                chosen.style.bytes.with_link = chosen.style.bytes.hexadecimal;
                chosen.style.bytes.hexadecimal = true;
                chosen.style.bytes.text = true;
            }
            Short('A') => chosen.style.bytes.text = true,
            Short('#') | Long("number") => chosen.style.numbered = true,
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    chosen.style.time = match dates {
        0 => Time::OfDay,
        1 => Time::No,
        2 => Time::Unix,
        3 => Time::Since { first: false },
        4 => Time::Date,
        _ => Time::Since { first: true },
    };
    chosen.filter = words.join(" ");
    if chosen.interface.is_some() && chosen.read.is_some() {
        return Err(Failure::usage("-i and -r: one of them"));
    }
    Ok(chosen)
}

/// `-D`: the interfaces with their numbers.
async fn list(context: &Context) -> Outcome {
    let mut text = String::new();
    for (index, (interface, status)) in devices::all(context).await?.iter().enumerate() {
        let mut words = Vec::new();
        for (flag, word) in [
            (InterfaceFlags::UP, "Up"),
            (InterfaceFlags::RUNNING, "Running"),
            (InterfaceFlags::LOOPBACK, "Loopback"),
        ] {
            words.extend(status.flags.contains(flag).then_some(word));
        }
        let number = index.saturating_add(1);
        text.push_str(&format!("{number}.{} [{}]\n", interface.name, words.join(", ")));
    }
    context.answer(&text).await
}

/// The interface that is meant: by name or by the number of `-D`; without either the first one
/// that is up and no loopback.
async fn choose(context: &Context, name: Option<&str>) -> Result<Interface, Failure> {
    match name {
        Some(name) => {
            let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let mut all = match number {
                Some(_) => devices::all(context).await?,
                None => Vec::new(),
            };
            match number.filter(|number| *number < all.len()) {
                Some(number) => Ok(all.swap_remove(number).0),
                None => devices::interface(context, name, Use::Show),
            }
        }
        None => {
            let mut all = devices::all(context).await?;
            let is_usual = |flags: InterfaceFlags| {
                flags.contains(InterfaceFlags::UP) && !flags.contains(InterfaceFlags::LOOPBACK)
            };
            let usual = all.iter().position(|(_, status)| is_usual(status.flags));
            let first = usual.unwrap_or(0);
            if first >= all.len() {
                return Err(Failure::new("there is no interface"));
            }
            Ok(all.swap_remove(first).0)
        }
    }
}

fn link(medium: Medium) -> &'static str {
    match medium {
        Medium::Ethernet => "EN10MB (Ethernet)",
        Medium::Ip => "RAW (Raw IP)",
    }
}

/// What is captured.
struct Source {
    file: File,
    name: String,
    /// What frames begin with; none of all interfaces, which differ.
    medium: Option<Medium>,
}

impl Source {
    async fn open(context: &Context, name: Option<&str>) -> Result<Self, Failure> {
        if name == Some("any") {
            let file = devices::sockets(context, Use::Show)?;
            return Ok(Self { file, name: "any".into(), medium: None });
        }
        let interface = choose(context, name).await?;
        let medium = Some(interface.status().await?.medium);
        Ok(Self { file: interface.file, name: interface.name, medium })
    }
}

/// Captures from an interface, or from all.
async fn listen(context: &Context, options: &Options) -> Outcome {
    let Source { file, name, medium } = Source::open(context, options.interface.as_deref()).await?;
    let started = u64::try_from(context.platform.started.as_micros()).unwrap_or(0);
    let request = CaptureOptions {
        snap_length: options.snap_length,
        direction: options.direction,
        clock_offset: started,
        filter: options.filter.clone(),
    };
    let mut sink = Sink::new(context, options).await?;
    file.control::<Capture>(&request).await.map_err(|why| Failure::of(&name, why))?;
    let snap_length = if options.snap_length == 0 { SNAP_LENGTH } else { options.snap_length };
    let mut head = String::new();
    if options.write.is_none() && !options.style.verbose {
        head.push_str(&format!("{}: verbose output suppressed, use -v for more\n", context.name));
    }
    head.push_str(&format!(
        "listening on {name}, link-type {}, snapshot length {snap_length} bytes\n",
        medium.map_or("of each interface", link)
    ));
    context.streams.error.remark(&head).await;
    let mut summary = Summary { context, file: file.clone(), shown: 0, is_over: false };
    let mut reader = Reader::default();
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let read = file.read(&mut buffer).await;
        let count = read.map_err(|why| Failure::of(&name, why))?;
        reader.feed(buffer.get(..count).unwrap_or_default());
        loop {
            let record = reader.next_record().map_err(|why| Failure::of(&name, why))?;
            // Before its first frame, so that a file without frames has it too.
            sink.describe(&reader).await?;
            let Some(record) = record else { break };
            sink.take(&record, medium.is_none()).await?;
            summary.shown = summary.shown.saturating_add(1);
            if options.count == Some(summary.shown) {
                summary.is_over = true;
                let text = summary.text();
                context.streams.error.remark(&text).await;
                return Ok(Status::SUCCESS);
            }
        }
    }
}

/// What is said at the end, also when Ctrl-C ends the command.
struct Summary<'a> {
    context: &'a Context,
    file: File,
    shown: u64,
    is_over: bool,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let counted = self.file.try_control::<GetCapture>(&());
        let CaptureStatistics { passed, lost, .. } = counted.unwrap_or_default();
        format!(
            "{} packet{} captured\n{passed} packet{} received by filter\n{lost} packet{} dropped \
             by the capture\n",
            self.shown,
            plural(self.shown),
            plural(passed),
            plural(lost),
        )
    }
}

const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

impl Drop for Summary<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.context.streams.error.file.try_write(self.text().as_bytes());
        }
    }
}

/// Shows what stands in a file.
async fn read(context: &Context, options: &Options, filter: &Filter, path: &str) -> Outcome {
    let input = match path {
        "-" => context.streams.input.clone(),
        path => {
            let file = context.files.open(path, OpenFlags::READ);
            Stream::new(file.map_err(|why| Failure::of(path, why))?, path)
        }
    };
    let mut sink = Sink::new(context, options).await?;
    let (mut reader, mut shown) = (Reader::default(), 0_u64);
    let (mut is_begun, mut has_several) = (false, false);
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let read = input.file.read(&mut buffer).await;
        let count = read.map_err(|why| Failure::of(&input.name, why))?;
        if count == 0 {
            break;
        }
        reader.feed(buffer.get(..count).unwrap_or_default());
        while let Some(mut record) =
            reader.next_record().map_err(|why| Failure::of(&input.name, why))?
        {
            if !is_begun {
                is_begun = true;
                // As tcpdump shows what it captured of any interface.
                has_several = reader.interfaces().nth(1).is_some();
                let link = if has_several { "of each interface" } else { link(record.medium) };
                let head = format!("reading from file {path}, link-type {link}\n");
                context.streams.error.remark(&head).await;
            }
            let is_wanted = options.direction == CaptureDirection::Both
                || options.direction == record.direction;
            if !is_wanted || !filter.passes(&record.bytes, record.medium, record.direction) {
                continue;
            }
            if options.snap_length > 0 {
                record.bytes.truncate(options.snap_length as usize);
            }
            sink.describe(&reader).await?;
            sink.take(&record, has_several).await?;
            shown = shown.saturating_add(1);
            if options.count == Some(shown) {
                return Ok(Status::SUCCESS);
            }
        }
    }
    if !reader.is_complete() {
        return Err(Failure::of(path, "the last packet is cut off"));
    }
    Ok(Status::SUCCESS)
}
