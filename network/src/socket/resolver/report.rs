//! Failed lookups, told to whoever watches names: on the device of an interface to its watchers,
//! otherwise to those of the whole system.

use alloc::string::String;

use devnet_virtual_file_system::{Error, Result};

use super::Resolver;
use crate::command::dns::{Question, RecordKind, Reply};
use crate::command::event::Event;
use crate::command::record::RecordType;
use crate::dns_message::ResponseCode;
use crate::socket::question::wire_question;

impl Resolver {
    /// A question failed.
    pub(super) fn report_question(&self, question: &Question, error: Error) {
        if !cfg!(feature = "events") {
            return;
        }
        let kind = match question.kind {
            RecordKind::Address => None,
            RecordKind::A => Some(RecordType::A),
            RecordKind::Aaaa => Some(RecordType::AAAA),
            RecordKind::Cname => Some(RecordType::CNAME),
            RecordKind::Ptr => Some(RecordType::PTR),
        };
        // It was read before.
        if let Ok((name, _)) = wire_question(question) {
            self.report(&name, kind, error);
        }
    }

    /// A question for records was answered, or failed; a server may say that it failed, too.
    pub(super) fn report_reply(&self, name: &str, kind: RecordType, outcome: &Result<Reply>) {
        let error = match outcome {
            Err(error) => *error,
            Ok(reply) if reply.code == ResponseCode::NoError.bits() => return,
            Ok(reply) if reply.code == ResponseCode::NameError.bits() => Error::NotFound,
            Ok(_) => Error::ConnectionRefused,
        };
        self.report(name, Some(kind), error);
    }

    fn report(&self, name: &str, kind: Option<RecordType>, error: Error) {
        if !cfg!(feature = "events") {
            return;
        }
        let event = || Event::Lookup(String::from(name), kind, error);
        match &self.sockets.place.interface {
            None => self.sockets.place.all.report_lookup(event),
            Some(interface) => interface.change_and_transmit(|stack| {
                stack.context.watch.note_lookup(event);
            }),
        }
    }
}
