//! The goals for links in memory, and whether this run met them.

/// One line of the table.
struct Goal {
    figure: &'static str,
    goal: String,
    measured: String,
    is_met: bool,
}

/// Goals beside what was measured.
#[derive(Default)]
pub(crate) struct Goals(Vec<Goal>);

impl Goals {
    /// A ratio that should be at least so much.
    pub(crate) fn at_least(&mut self, figure: &'static str, goal: f64, measured: f64) {
        let is_met = measured >= goal;
        self.0.push(Goal {
            figure,
            goal: format!("≥ {goal}"),
            measured: format!("{measured:.3}"),
            is_met,
        });
    }

    /// An amount that should be at most so much.
    pub(crate) fn at_most(&mut self, figure: &'static str, unit: &str, goal: f64, measured: f64) {
        let is_met = measured <= goal;
        self.0.push(Goal {
            figure,
            goal: format!("≤ {goal} {unit}"),
            measured: format!("{measured:.0} {unit}"),
            is_met,
        });
    }

    /// Prints the table and the sum.
    pub(crate) fn print(&self) {
        println!("\n| goal | | measured | met |");
        println!("|---|---:|---:|---|");
        for Goal { figure, goal, measured, is_met } in &self.0 {
            println!("| {figure} | {goal} | {measured} | {} |", if *is_met { "yes" } else { "no" });
        }
        let met = self.0.iter().filter(|goal| goal.is_met).count();
        println!("\n{met} of {} goals met in this run", self.0.len());
    }
}
