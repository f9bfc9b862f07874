//! `ss -E`: shows sockets as they end, until it is interrupted.

use devnet_network::command::WatchEvents;
use devnet_network::command::event::{Change, Event, EventRecord, Report};
use devnet_network::command::socket::SocketStatus;
use devnet_network::command::watch::{Kinds, WatchOptions};
use devnet_virtual_file_system::File;

use crate::context::Context;
use crate::devices::SOCKETS;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::iproute::socket::{self as render, Columns, Row};

/// Shows the sockets that are wanted; the head of the table once.
pub(super) async fn show(
    context: &Context,
    file: &File,
    is_wanted: impl Fn(&SocketStatus) -> bool,
    columns: Columns,
    one_line: bool,
) -> Outcome {
    let failed = |why| Failure::of(SOCKETS, why);
    file.control::<WatchEvents>(&WatchOptions::records(Kinds::SOCKET)).await.map_err(failed)?;
    let (mut buffer, mut bytes) = (vec![0; limits::COPY_BYTES], Vec::new());
    if columns.head {
        context.print(&render::table(&[], columns, one_line)).await?;
    }
    loop {
        let count = file.read(&mut buffer).await.map_err(failed)?;
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let (mut rest, mut rows) = (bytes.as_slice(), Vec::new());
        while let Some((record, after)) = EventRecord::parse(rest).map_err(failed)? {
            match record.report {
                Report::Event { event: Event::Socket(Change::Removed, socket), .. }
                    if is_wanted(&socket) =>
                {
                    rows.push(Row { socket, details: Vec::new() });
                }
                Report::Lost(count) => {
                    let message = format!("ss: {count} changes came too fast and are not shown");
                    context.complain(&message).await;
                }
                _ => {}
            }
            rest = after;
        }
        bytes = rest.to_vec();
        if !rows.is_empty() {
            let columns = Columns { head: false, ..columns };
            context.print(&render::table(&rows, columns, one_line)).await?;
        }
    }
}
