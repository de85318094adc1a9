//! Report parsers: bytes in, observations out, streaming. The family is recognised from content, never from a name.
//!
//! A report is opened several times and never held whole: once to know its format, once to read its headers and find what is
//! broken, and once to tell a [`Sink`] what it holds, in this order for each subject: `begin_series`, then any number of `check`
//! and `observation`, then `end_series`. A report whose syntax is broken anywhere, or that goes over a limit, is so refused before
//! the sink hears of it. Nothing here sees a database or a socket.

mod detect;
mod encoding;
mod hash;
mod html;
pub mod json;
mod maester;
pub mod model;
mod product;
mod sarif;
mod scan;
mod scubagear;
mod told;
mod zero_trust;

pub use model::*;

use detect::Shape;
use json::Reader;
use std::io::{self, Read};

/// Reads a report that can be opened more than once, telling `sink` what it holds. Memory stays at a few tens of bytes a result.
///
/// `open` gives the report's bytes from their start, at each call the same; it is called up to three times for JSON.
///
/// # Errors
/// Why the report was refused, with the place and what to do; or that its bytes could not be read, or that the sink stopped.
pub fn read_from(open: &mut dyn FnMut() -> io::Result<Box<dyn Read>>, limits: &Limits, sink: &mut dyn Sink) -> Result<Report, FormatError> {
    let mut file = File { open, limits, object: None };
    let shape = file.shape()?;
    let mut first = file.start()?;
    match shape {
        Shape::Maester => {
            let outline = maester::outline(&mut first, limits)?;
            file.finish(&mut first)?;
            maester::tell(&mut file.start()?, &outline, limits, sink)
        }
        Shape::Sarif => {
            let outline = sarif::outline(&mut first, limits)?;
            file.finish(&mut first)?;
            sarif::tell(&mut file.start()?, &outline, limits, sink)
        }
        Shape::ZeroTrust => {
            let outline = zero_trust::outline(&mut first, limits)?;
            file.finish(&mut first)?;
            zero_trust::tell(&mut file.start()?, &outline, limits, sink)
        }
        Shape::Scan => {
            let outline = scan::outline(&mut first, limits)?;
            file.finish(&mut first)?;
            scan::tell(&mut file.start()?, &outline, limits, sink)
        }
        Shape::ScubaResults | Shape::ScubaReport => {
            let outline = scubagear::outline(&mut first, limits)?;
            file.finish(&mut first)?;
            scubagear::tell(&mut file.start()?, &outline, limits, sink)
        }
        Shape::ScubaTests => {
            scubagear::tests_list(&mut first, limits, None)?;
            file.finish(&mut first)?;
            scubagear::tests_list(&mut file.start()?, limits, Some(sink))
        }
    }
}

/// Reads a report from a stream into memory (at most `limits.bytes`), then as [`read_from`]. For small reports; large ones are better opened.
///
/// # Errors
/// As [`read_from`].
pub fn read(input: impl Read, limits: &Limits, sink: &mut dyn Sink) -> Result<Report, FormatError> {
    let mut bytes = Vec::new();
    input.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| cannot_open(&e))?;
    let bytes: std::sync::Arc<[u8]> = bytes.into();
    read_from(&mut || Ok(Box::new(io::Cursor::new(bytes.clone()))), limits, sink)
}

/// A report that is opened again for each pass.
struct File<'a> {
    open: &'a mut dyn FnMut() -> io::Result<Box<dyn Read>>,
    limits: &'a Limits,
    /// Which object of a web page holds the data; `None` for JSON.
    object: Option<usize>,
}

impl File<'_> {
    fn shape(&mut self) -> Result<Shape, FormatError> {
        let (mut reader, page) = self.opened(0)?;
        if !page {
            return detect::detect(&mut reader);
        }
        for nth in 0..html::CANDIDATES {
            let Ok((mut reader, _)) = self.opened(nth) else { break };
            if let Ok(shape @ (Shape::Maester | Shape::ZeroTrust)) = detect::detect(&mut reader) {
                self.object = Some(nth);
                return Ok(shape);
            }
        }
        Err(detect::unknown(
            "The file is a web page whose scripts hold no report data Bailiwick can read. Send the JSON file the tool wrote beside it.",
        ))
    }

    /// A reader at the start of the report's JSON.
    fn start(&mut self) -> Result<Reader, FormatError> {
        self.opened(self.object.unwrap_or(0)).map(|(reader, _)| reader)
    }

    fn opened(&mut self, nth: usize) -> Result<(Reader, bool), FormatError> {
        let source = (self.open)().map_err(|e| cannot_open(&e))?;
        let mut text = encoding::decode(source, self.limits)?;
        let mut head = Vec::new();
        let mut byte = [0];
        while head.len() < 4096 && text.read(&mut byte).map_err(|e| json::from_io(e, || "$".into()))? > 0 {
            head.push(byte[0]);
            if !byte[0].is_ascii_whitespace() {
                break;
            }
        }
        let page = head.last() == Some(&b'<');
        let text: Box<dyn Read> = Box::new(io::Cursor::new(head).chain(text));
        if !page {
            return Ok((Reader::new(text, self.limits), false));
        }
        match html::data(text, nth).map_err(|e| json::from_io(e, || "the web page".into()))? {
            Some(data) => Ok((Reader::new(data, self.limits), true)),
            None => Err(detect::unknown(
                "The file is a web page (or XML) without report data in a script. Send the JSON file the tool wrote beside it.",
            )),
        }
    }

    /// After a web page's data comes the rest of its script; after JSON nothing may come.
    fn finish(&self, reader: &mut Reader) -> Result<(), FormatError> {
        if self.object.is_some() { Ok(()) } else { reader.finish() }
    }
}

fn cannot_open(error: &io::Error) -> FormatError {
    FormatError {
        kind: FormatErrorKind::Io,
        message: format!("The report could not be read from its storage: {error}. Try again."),
        place: None,
    }
}
