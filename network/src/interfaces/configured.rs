//! The configuration that was applied last, kept for interfaces that are registered later.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Interfaces;
use crate::configuration::matcher::{Candidate, Matcher};
use crate::configuration::{Section, Sections, Wanted};
use crate::driver::Kind;
use crate::interface::Interface;
use crate::stack::desired::{carry_out, check};
use crate::trace::message;

/// An interface, and its section if it has one.
type Assignment<'a> = (Arc<Interface>, Option<&'a Section>);

impl Interfaces {
    /// Every interface with the first section that matches it.
    pub(crate) fn assign<'a>(&self, sections: &'a [Section]) -> Vec<Assignment<'a>> {
        let mut of_kind: Vec<Kind> = Vec::new();
        let mut assigned = Vec::new();
        for interface in self.list() {
            let (kind, hardware_address) = interface.read(|stack| {
                let configuration = &stack.context.configuration;
                (configuration.capabilities.kind, configuration.own_hardware_address)
            });
            of_kind.push(kind);
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let order_of_kind = of_kind.iter().filter(|known| **known == kind).count();
            let one = Candidate {
                name: &interface.name(),
                kind,
                hardware_address,
                order: (count(of_kind.len()), count(order_of_kind)),
            };
            let section = sections.iter().find(|section| section.matcher.matches(&one));
            assigned.push((Arc::clone(&interface), section));
        }
        assigned
    }

    /// Keeps the sections of a text for interfaces that are registered later.
    pub(crate) fn keep_sections(&self, sections: Sections) {
        self.0.tables.with(|tables| tables.sections = sections.interfaces);
    }

    /// Keeps what one interface was asked, before what the last text says of it.
    pub(crate) fn keep_section(&self, name: &str, wanted: Wanted) {
        let section = Section { line: 1, matcher: Matcher::named(name), wanted };
        self.0.tables.with(|tables| {
            tables.sections.retain(|known| known.matcher != section.matcher);
            tables.sections.insert(0, section);
            tables.sections.truncate(crate::limits::CONFIGURATION_SECTIONS);
        });
    }

    /// Configures a new interface by the section that matches it. What cannot be is told, and the
    /// interface stays as it came.
    pub(crate) fn configure(&self, new: &Arc<Interface>) {
        if !cfg!(feature = "commands-as-text") {
            return;
        }
        let sections = self.0.tables.with(|tables| tables.sections.clone());
        if sections.is_empty() {
            return;
        }
        let assigned = self.assign(&sections);
        let own = assigned.into_iter().find(|(interface, _)| Arc::ptr_eq(interface, new));
        let Some((_, Some(section))) = own else { return };
        let outcome = new.change_with_driver(|stack, driver| {
            let checked = check(stack, &section.wanted)?;
            carry_out(stack, driver, &checked.desired).map_err(|error| (section.line, error))
        });
        if let Err((line, error)) = outcome {
            message!(
                warn,
                "devnet::interface",
                "{}: line {} of its configuration: {}",
                new.name(),
                line,
                error
            );
        }
    }
}
