//! `ss -E`: shows sockets as they end, until it is interrupted.

use devnet_network::command::WatchEvents;
use devnet_network::command::event::{Change, Event};
use devnet_network::command::socket::SocketStatus;
use devnet_network::command::watch::{Kinds, WatchOptions};
use devnet_virtual_file_system::File;

use super::reports::Reports;
use crate::context::Context;
use crate::devices::SOCKETS;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::socket::{self as render, Columns, Row};
use crate::status::Status;

/// Shows the sockets that are wanted; the head of the table once.
pub(super) async fn show(
    context: &Context,
    file: &File,
    is_wanted: impl Fn(&SocketStatus) -> bool,
    columns: Columns,
    one_line: bool,
) -> Outcome {
    let watch = WatchOptions::records(Kinds::SOCKET);
    file.control::<WatchEvents>(&watch).await.map_err(|why| Failure::of(SOCKETS, why))?;
    let mut reports = Reports::new(file, SOCKETS);
    if columns.head {
        context.print(&render::table(&[], columns, one_line)).await?;
    }
    while let Some(events) = reports.next(context).await? {
        let ended = events.into_iter().filter_map(|event| match event {
            Event::Socket(Change::Removed, socket) if is_wanted(&socket) => Some(socket),
            _ => None,
        });
        let rows: Vec<_> = ended.map(|socket| Row { socket, details: Vec::new() }).collect();
        if !rows.is_empty() {
            let columns = Columns { head: false, ..columns };
            context.print(&render::table(&rows, columns, one_line)).await?;
        }
    }
    Ok(Status::SUCCESS)
}
