//! The table: what was measured, what it must be, whether it is.

use std::process::ExitCode;

/// What a figure must keep to.
#[derive(Clone, Copy)]
pub enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// Nobody has promised anything.
    None,
}

/// Prints Markdown, a row at a time.
pub struct Table {
    missed: usize,
}

impl Table {
    pub fn begin() -> Self {
        println!("| | measured | bar | |");
        println!("|---|---:|---:|---|");
        Self { missed: 0 }
    }

    /// A row; `unit` stands behind both numbers.
    pub fn row(&mut self, what: &str, measured: f64, unit: &str, bar: Bar) {
        let (limit, met) = match bar {
            Bar::AtLeast(limit) => (format!("≥ {limit}{unit}"), measured >= limit),
            Bar::AtMost(limit) => (format!("≤ {limit}{unit}"), measured <= limit),
            Bar::None => (String::new(), true),
        };
        let digits = if measured < 10.0 { 3 } else { 1 };
        let verdict = match bar {
            Bar::None => "",
            _ if met => "met",
            _ => "**missed**",
        };
        println!("| {what} | {measured:.digits$}{unit} | {limit} | {verdict} |");
        self.missed += usize::from(!met);
    }

    pub fn end(self) -> ExitCode {
        match self.missed {
            0 => ExitCode::SUCCESS,
            missed => {
                eprintln!("{missed} missed");
                ExitCode::FAILURE
            }
        }
    }
}
