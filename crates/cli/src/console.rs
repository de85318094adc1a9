//! What the person and the script see. Results go to standard output, everything else to standard error.
//!
//! With `--json`, standard output carries one JSON document and nothing else. Text that came from reports or servers is shown
//! without control characters: a hostile title cannot drive a terminal.

use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use unicode_width::UnicodeWidthStr;

/// Where output goes and how it looks.
pub struct Console {
    pub json: bool,
    verbose: bool,
    colour: bool,
    bar: RefCell<ProgressBar>,
}

/// Colours, as SGR parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Console {
    /// Colours only where standard output is a terminal and `NO_COLOR` (no-color.org) is not set.
    pub fn new(json: bool, verbose: bool) -> Self {
        let refused = crate::environment::var("NO_COLOR").is_some() || crate::environment::var("TERM").is_some_and(|term| term == "dumb");
        Self { json, verbose, colour: io::stdout().is_terminal() && !refused, bar: RefCell::new(ProgressBar::hidden()) }
    }

    /// Prints one JSON document.
    pub fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|e| Failure::input(format!("The answer cannot be written as JSON: {e}")))?;
        self.text(&(text + "\n"))
    }

    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|e| Failure::input(format!("Standard output cannot be written: {e}")))
    }

    /// The document with `--json`, else the text.
    pub fn either(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.document(value) } else { self.text(&text()) }
    }

    pub fn error(&self, failure: &Failure) {
        self.say(&format!("error: {failure}"));
    }
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }
    pub fn note(&self, text: &str) {
        self.say(text);
    }
    /// Said only with `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.say(text);
        }
    }
    fn say(&self, text: &str) {
        let clean: Vec<String> = text.lines().map(printable).collect();
        self.bar.borrow().suspend(|| eprintln!("{}", clean.join("\n")));
    }

    /// Whether somebody is there to answer: a terminal on both ends, and no script that reads.
    pub fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Asks on standard error; only a whole `yes` is one.
    pub fn ask(&self, question: &str) -> Result<bool, Failure> {
        eprint!("{}", printable(question));
        said_yes(&mut io::stdin().lock())
    }

    /// A bar for `total` bytes on standard error; nothing where that is no terminal.
    pub fn progress(&self, label: &str, total: u64) -> ProgressBar {
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(printable(label));
        self.bar.replace(bar.clone());
        bar
    }

    /// A bar that counts steps, on standard error; nothing where that is no terminal.
    pub fn steps(&self) -> ProgressBar {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        self.bar.replace(bar.clone());
        bar
    }

    pub fn paint(&self, colour: Option<Colour>, text: &str) -> String {
        match colour {
            Some(colour) if self.colour => format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8),
            _ => text.to_owned(),
        }
    }

    /// Columns two spaces apart, a heading above. A cell's colour does not count for its width.
    pub fn table(&self, headings: &[&str], rows: &[Vec<Cell>]) -> String {
        let mut widths: Vec<usize> = headings.iter().map(|h| h.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let heading: Vec<Cell> = headings.iter().map(|h| Cell::from(*h)).collect();
        let mut out = String::new();
        for row in std::iter::once(&heading).chain(rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line += &self.paint(cell.colour, &cell.text);
                line += &" ".repeat(width.saturating_sub(cell.text.width()) + 2);
            }
            out += line.trim_end();
            out.push('\n');
        }
        out
    }
}

/// Whether the next line is a `yes`. The end of the input is a no.
fn said_yes(input: &mut impl io::BufRead) -> Result<bool, Failure> {
    let mut line = String::new();
    input.read_line(&mut line).map_err(|e| Failure::input(format!("The answer cannot be read: {e}.")))?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

/// One cell of a table: printable text, perhaps coloured.
pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub fn painted(text: &str, colour: Option<Colour>) -> Self {
        Self { text: printable(text), colour }
    }
}
impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::painted(text, None)
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::painted(&text, None)
    }
}

/// The text on one line, with control characters and direction overrides (Trojan Source, CVE-2021-42574) shown as U+FFFD.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_title_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\u{9b}c\u{202e}d\ne"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}d e");
    }

    #[test]
    fn only_a_whole_yes_is_one() {
        for (line, yes) in [("yes\n", true), (" YES \r\n", true), ("y\n", false), ("\n", false), ("", false), ("yes please\n", false)] {
            assert_eq!(said_yes(&mut line.as_bytes()).unwrap(), yes, "{line:?}");
        }
    }

    #[test]
    fn columns_line_up_by_width_not_by_bytes() {
        let console = Console { json: false, verbose: false, colour: true, bar: RefCell::new(ProgressBar::hidden()) };
        let rows = [vec![Cell::from("検査"), Cell::painted("high", Some(Colour::Red))], vec![Cell::from("a"), Cell::from("low")]];
        assert_eq!(console.table(&["CHECK", "SEVERITY"], &rows), "CHECK  SEVERITY\n検査   \u{1b}[31mhigh\u{1b}[0m\na      low\n");
    }
}
