//! Where `tcpdump` puts packets: lines on the output, or a pcapng file that describes every
//! interface that the capture it comes from described.

use devnet_network::capture::pcapng::{self, Packet};
use devnet_network::capture::read::{Reader, Record};
use devnet_network::driver::Medium;
use devnet_virtual_file_system::OpenFlags;

use super::Options;
use crate::context::{Context, Stream};
use crate::failure::Failure;
use crate::render::packet::Printer;

/// Where packets go: to the output as text, or to a file as pcapng.
pub(super) enum Sink<'a> {
    Text(&'a Context, Box<Printer>),
    File(Written<'a>),
}

/// A file that is written.
pub(super) struct Written<'a> {
    options: &'a Options,
    stream: Stream,
    block: Vec<u8>,
    /// The interfaces that it describes.
    interfaces: Vec<(String, Medium)>,
}

impl<'a> Sink<'a> {
    pub(super) async fn new(context: &'a Context, options: &'a Options) -> Result<Self, Failure> {
        let Some(path) = &options.write else {
            return Ok(Self::Text(context, Box::new(Printer::new(options.style))));
        };
        let stream = match path.as_str() {
            "-" => context.streams.output.clone(),
            path => {
                let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
                let file = context.files.open(path, flags).map_err(|why| Failure::of(path, why))?;
                Stream::new(file, path)
            }
        };
        let mut file = Written { options, stream, block: pcapng::section(), interfaces: vec![] };
        file.flush().await?;
        Ok(Self::File(file))
    }

    /// Describes the interfaces that a reader knows.
    pub(super) async fn describe(&mut self, reader: &Reader) -> Result<(), Failure> {
        let Self::File(file) = self else { return Ok(()) };
        for (name, medium) in reader.interfaces() {
            if let Some(medium) = medium {
                file.number(name, medium);
            }
        }
        file.flush().await
    }

    /// Takes a packet; shown with its interface and direction if that is asked.
    pub(super) async fn take(
        &mut self,
        record: &Record,
        has_interface: bool,
    ) -> Result<(), Failure> {
        match self {
            Self::Text(context, printer) => {
                context.print(&printer.show(record, has_interface)).await
            }
            Self::File(file) => {
                let Record { time, medium, direction, length, lost, .. } = *record;
                let interface = file.number(&record.interface, medium);
                let (bytes, comment) = (record.bytes.as_slice(), record.comment.as_str());
                let packet = Packet { interface, time, direction, bytes, length, lost, comment };
                pcapng::append(&mut file.block, &packet);
                file.flush().await
            }
        }
    }
}

impl Written<'_> {
    /// The number of an interface, which is described if it is not yet.
    fn number(&mut self, name: &str, medium: Medium) -> u32 {
        let is_it = |known: &(String, Medium)| known.0 == name && known.1 == medium;
        let place = self.interfaces.iter().position(is_it).unwrap_or_else(|| {
            let Options { snap_length, filter, .. } = self.options;
            let described = pcapng::Interface { medium, name, snap_length: *snap_length, filter };
            pcapng::describe(&mut self.block, &described);
            self.interfaces.push((name.into(), medium));
            self.interfaces.len().saturating_sub(1)
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        if self.block.is_empty() {
            return Ok(());
        }
        let Self { stream, block, .. } = self;
        let written = stream.file.write_all(block).await;
        block.clear();
        written.map_err(|why| Failure::of_write_to(&stream.file, &stream.name, why))
    }
}
