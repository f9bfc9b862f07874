//! Commands about the whole configuration: exported, checked, applied.
//!
//! What a text asks for is checked against every interface first, and then carried out under the
//! lock of one after the other. If one changed in between so that it cannot be any more, or its
//! driver refuses, those before it become again what they were.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result, encode};

use super::lists::give_way;
use super::open::OpenFile;
use super::state::State;
use crate::command::configuration::{
    ConfigurationChange, ConfigurationNote, ConfigurationOutcome, ConfigurationText, NoteKind,
};
use crate::command::interface::InterfaceOption;
use crate::command::line_error::{Fault, LineError};
use crate::configuration::parse::Parser;
use crate::configuration::{At, Desired, DesiredSystem, Sections, Wanted};
use crate::interface::Interface;
use crate::limits;
use crate::stack::desired::{
    Basis, Checked, Refusal, carry_out, carry_out_from, check, desired, read,
};
use crate::stack::{hardware_address, interface_option};

/// Bytes of the usual line.
const BYTES_OF_LINE: usize = 40;

type Outcome<T> = core::result::Result<T, Refusal>;

/// One interface: what is asked of it, and what was.
struct Step<'a> {
    interface: Arc<Interface>,
    wanted: &'a Wanted,
    before: Desired,
    after: Desired,
    basis: Basis,
}

/// The system: what is asked of it, and what was.
struct SystemStep {
    line: u32,
    before: DesiredSystem,
    after: DesiredSystem,
}

/// Everything that a text asks for.
#[derive(Default)]
struct Plan<'a> {
    system: Option<SystemStep>,
    steps: Vec<Step<'a>>,
    notes: Vec<ConfigurationNote>,
}

impl OpenFile {
    /// The lines that recreate what is asked; made in several turns.
    pub(super) async fn export_configuration(&self, is_for_read: bool) -> Result<Vec<u8>> {
        let text = self.export_text().await;
        if !is_for_read {
            return encode(&text);
        }
        self.state.with(|state| match state {
            State::Status { text: shown, position } => {
                (*shown, *position) = (Some(text), 0);
                encode("")
            }
            // The file became something else meanwhile.
            _ => Err(Error::InvalidInput),
        })
    }

    async fn export_text(&self) -> String {
        let (mut text, mut turn) = (String::new(), Turn::default());
        let is_system = self.system().is_ok();
        if is_system {
            let system = self.describe_system();
            text.push_str("system\n");
            turn.write(&mut text, system.lines()).await;
        }
        for interface in self.interfaces() {
            let mut asked = interface.read_now(read);
            turn.end_after(asked.neighbors.len() / 2).await;
            asked.normalize();
            if is_system {
                text.push_str("\ninterface ");
                text.push_str(&interface.name());
                text.push('\n');
            }
            turn.write(&mut text, asked.lines()).await;
        }
        text
    }

    /// Takes a piece of a text; applies or checks it when it is whole.
    pub(super) async fn configure(
        &self,
        piece: ConfigurationText,
        is_check: bool,
    ) -> Result<Vec<u8>> {
        let written = self.text();
        let taken = written.pending.with(|pending| {
            if pending.len() + piece.text.len() > limits::CONFIGURATION_BYTES {
                let line = pending.matches('\n').count() + piece.text.matches('\n').count();
                *pending = String::new();
                let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
                return Err(LineError { line, fault: Fault::ConfigurationTooLong });
            }
            pending.push_str(&piece.text);
            Ok((!piece.has_more).then(|| core::mem::take(pending)))
        });
        let outcome = match taken {
            Ok(None) => return encode(&ConfigurationOutcome::default()),
            Ok(Some(text)) => self.configure_text(&text, is_check).await,
            Err(error) => Err(error),
        };
        let (outcome, error) = match outcome {
            Ok(outcome) => (encode(&outcome), None),
            Err(error) => (Err(error.error()), Some(error)),
        };
        written.last_error.with(|last| *last = error);
        outcome
    }

    async fn configure_text(
        &self,
        text: &str,
        is_check: bool,
    ) -> core::result::Result<ConfigurationOutcome, LineError> {
        let own = self.sockets.place.interface.as_ref().map(|own| own.name());
        let (mut parser, mut turn) = (Parser::new(own.as_deref()), Turn::default());
        for (place, line) in text.lines().enumerate() {
            turn.end_after(1).await;
            let number = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
            parser.line(number, line)?;
        }
        let sections = parser.finish()?;
        let located = |(number, error): Refusal| {
            let line = text.lines().nth(number.saturating_sub(1) as usize);
            LineError::refused(number, line.unwrap_or_default(), error)
        };
        turn.end_after(text.len() / BYTES_OF_LINE).await;
        let plan = self.plan(&sections).map_err(located)?;
        if !is_check {
            turn.end_after(text.len() / BYTES_OF_LINE).await;
            // In one turn: who is cancelled did all or nothing.
            self.carry_out(&plan).map_err(located)?;
            self.keep(&sections);
        }
        Ok(outcome(&plan).await)
    }

    fn keep(&self, sections: &Sections) {
        let all = &self.sockets.place.all;
        match &self.sockets.place.interface {
            None => all.keep_sections(sections.clone()),
            Some(own) => {
                if let Some(section) = sections.interfaces.first() {
                    all.keep_section(&own.name(), section.wanted.clone());
                }
            }
        }
    }

    /// Checks the whole text against everything that is there.
    fn plan<'a>(&self, sections: &'a Sections) -> Outcome<Plan<'a>> {
        let mut plan = Plan::default();
        if let Some(wanted) = &sections.system {
            let (before, after) = (self.describe_system(), self.check_system(wanted)?);
            plan.system = Some(SystemStep { line: wanted.line, before, after });
        }
        let mut matched = BTreeSet::new();
        let assigned = match &self.sockets.place.interface {
            None => self.sockets.place.all.assign(&sections.interfaces),
            Some(own) => {
                let section = sections.interfaces.first();
                alloc::vec![(Arc::clone(own), section)]
            }
        };
        for (interface, section) in assigned {
            let Some(section) = section else { continue };
            matched.insert(section.line);
            let wanted = &section.wanted;
            let (before, checked) =
                interface.read_now(|stack| (desired(stack), check(stack, wanted)));
            let Checked { desired: after, mut notes, basis } = checked?;
            plan.notes.append(&mut notes);
            plan.steps.push(Step { interface, wanted, before, after, basis });
        }
        let unmatched = sections.interfaces.iter().filter(|one| !matched.contains(&one.line));
        plan.notes.extend(unmatched.map(|section| ConfigurationNote {
            line: section.line,
            kind: NoteKind::MatchesNothing,
        }));
        plan.notes.sort_by_key(|note| note.line);
        plan.notes.dedup();
        Ok(plan)
    }

    /// Carries out a plan, all of it or nothing.
    fn carry_out(&self, plan: &Plan<'_>) -> Outcome<()> {
        // What drivers may refuse comes first, while nothing else has changed.
        for (place, step) in plan.steps.iter().enumerate() {
            let outcome = ask_driver(&step.interface, &step.after);
            if let Err((part, error)) = outcome {
                for former in plan.steps.iter().take(place + 1) {
                    // It was so a moment ago.
                    let _ = ask_driver(&former.interface, &former.before);
                }
                return Err((part.line(step.wanted), error));
            }
        }
        let mut done = Vec::new();
        let mut outcome = Ok(());
        for step in &plan.steps {
            outcome = step.interface.change_with_driver(|stack, driver| {
                let located = |error| (1, error);
                let present = desired(stack);
                if present == step.before && Basis::of(stack) == step.basis {
                    let outcome = carry_out_from(stack, driver, &present, &step.after);
                    return outcome.map_err(located);
                }
                let checked = check(stack, step.wanted)?;
                carry_out_from(stack, driver, &present, &checked.desired).map_err(located)
            });
            done.push(step);
            if outcome.is_err() {
                break;
            }
        }
        if let Some(system) = &plan.system
            && outcome.is_ok()
        {
            outcome = self
                .replace_system(&system.before, &system.after)
                .map_err(|error| (system.line, error));
        }
        if outcome.is_err() {
            for step in done {
                // It was so a moment ago.
                let _ = step
                    .interface
                    .change_with_driver(|stack, driver| carry_out(stack, driver, &step.before));
            }
        }
        outcome
    }
}

/// What a driver may refuse.
#[derive(Clone, Copy)]
enum Part {
    HardwareAddress,
    Reception,
}

impl Part {
    /// The line that asks for it.
    fn line(self, wanted: &Wanted) -> u32 {
        match self {
            Self::HardwareAddress => wanted.hardware_address.as_ref().map(|at| at.line),
            Self::Reception => {
                let is_it = |at: &&At<InterfaceOption>| interface_option::is_for_driver(&at.value);
                wanted.options.iter().find(is_it).map(|at| at.line)
            }
        }
        .unwrap_or(1)
    }
}

/// Gives an interface the hardware address and the reception that are asked for, if it has others.
fn ask_driver(interface: &Interface, asked: &Desired) -> core::result::Result<(), (Part, Error)> {
    interface.change_with_driver(|stack, driver| {
        let own = stack.context.configuration.own_hardware_address;
        if let Some(address) = asked.hardware_address.or(own) {
            hardware_address::set(stack, address, driver)
                .map_err(|error| (Part::HardwareAddress, error))?;
        }
        interface_option::receive_as_asked(stack, driver, &asked.options)
            .map_err(|error| (Part::Reception, error))
    })
}

/// The lines of one turn.
#[derive(Default)]
struct Turn {
    lines: usize,
}

impl Turn {
    /// Ends the turn before these lines if it had enough of them.
    async fn end_after(&mut self, lines: usize) {
        if self.lines + lines > limits::CONFIGURATION_PIECE {
            give_way().await;
            self.lines = 0;
        }
        self.lines += lines;
    }

    /// Appends lines to a text.
    async fn write(&mut self, text: &mut String, lines: impl Iterator<Item = String>) {
        for line in lines {
            self.end_after(1).await;
            text.push_str(&line);
            text.push('\n');
        }
    }

    /// Collects lines.
    async fn collect(&mut self, lines: impl Iterator<Item = String>) -> Vec<String> {
        let mut all = Vec::new();
        for line in lines {
            self.end_after(1).await;
            all.push(line);
        }
        all
    }
}

/// Says what a plan changes.
async fn outcome(plan: &Plan<'_>) -> ConfigurationOutcome {
    let mut changes = Vec::new();
    if let Some(SystemStep { before, after, .. }) = &plan.system
        && before != after
    {
        changes.push(difference("", before.lines(), after.lines()).await);
    }
    for Step { interface, before, after, .. } in &plan.steps {
        if before != after {
            changes.push(difference(&interface.name(), before.lines(), after.lines()).await);
        }
    }
    ConfigurationOutcome { changes, notes: plan.notes.clone() }
}

async fn difference(
    interface: &str,
    before: impl Iterator<Item = String>,
    after: impl Iterator<Item = String>,
) -> ConfigurationChange {
    let mut turn = Turn::default();
    let (before, after) = (turn.collect(before).await, turn.collect(after).await);
    let known: BTreeSet<&String> = before.iter().collect();
    let wanted: BTreeSet<&String> = after.iter().collect();
    let mut removed: Vec<String> =
        before.iter().filter(|line| !wanted.contains(line)).cloned().collect();
    let mut added: Vec<String> =
        after.iter().filter(|line| !known.contains(line)).cloned().collect();
    if removed.is_empty() && added.is_empty() {
        // Only the order is another.
        let pairs = || before.iter().zip(&after).filter(|(before, after)| before != after);
        removed = pairs().map(|(before, _)| before.clone()).collect();
        added = pairs().map(|(_, after)| after.clone()).collect();
    }
    ConfigurationChange { interface: interface.into(), removed, added }
}
