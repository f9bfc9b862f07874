//! All cells of a run and their summary: medians, and ratios to raw smoltcp in the same round.

use crate::cell::{Peer, Task};
use crate::run::Ending;

struct Record {
    repetition: usize,
    peer: Peer,
    task: Task,
    ending: Ending,
}

#[derive(Default)]
pub(crate) struct Results(Vec<Record>);

/// The middle one.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl Results {
    pub(crate) fn add(&mut self, repetition: usize, peer: Peer, task: Task, ending: Ending) {
        self.0.push(Record { repetition, peer, task, ending });
    }

    fn of(&self, peer: Peer, task: Task) -> impl Iterator<Item = &Record> {
        self.0.iter().filter(move |record| record.peer == peer && record.task == task)
    }

    fn value(&self, repetition: usize, peer: Peer, task: Task, index: usize) -> Option<f64> {
        self.of(peer, task).find(|record| record.repetition == repetition).and_then(|record| {
            match &record.ending {
                Ending::Figures { values, .. } => values.get(index).copied(),
                Ending::Failure(_) => None,
            }
        })
    }

    fn repetitions(&self, peer: Peer, task: Task) -> impl Iterator<Item = usize> {
        self.of(peer, task).map(|record| record.repetition)
    }

    /// The median of one of a cell's figures.
    pub(crate) fn median(&self, peer: Peer, task: Task, index: usize) -> Option<f64> {
        median(
            self.repetitions(peer, task)
                .filter_map(|number| self.value(number, peer, task, index))
                .collect(),
        )
    }

    /// The median ratio of two figures of the same round.
    pub(crate) fn ratio(&self, of: (Peer, Task, usize), to: (Peer, Task, usize)) -> Option<f64> {
        let one = |repetition| {
            let to = self.value(repetition, to.0, to.1, to.2).filter(|to| *to > 0.0)?;
            Some(self.value(repetition, of.0, of.1, of.2)? / to)
        };
        median(self.repetitions(of.0, of.1).filter_map(one).collect())
    }

    /// Remarks besides the figures: why there are none, or what was special.
    pub(crate) fn note(&self, peer: Peer, task: Task) -> Option<&str> {
        self.of(peer, task).find_map(|record| match &record.ending {
            Ending::Figures { note, .. } => note.as_deref(),
            Ending::Failure(why) => Some(why.as_str()),
        })
    }

    pub(crate) fn has(&self, task: Task) -> bool {
        self.0.iter().any(|record| record.task == task)
    }
}
