//! The table of measurements, bars and verdicts.

use std::process::ExitCode;

/// The bound that a figure must keep.
#[derive(Clone, Copy)]
pub enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// There is no promise.
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

    /// Prints a row. `unit` follows both numbers.
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
