//! From the file's bytes to UTF-8: byte order marks, UTF-16, and what is refused before a parser sees it.
//!
//! Nothing is replaced: a byte sequence that is no text is refused, since replacing it would falsify evidence.

use crate::model::{FormatError, FormatErrorKind, Limits};
use std::io::{self, Read};

/// Wraps the file so that it gives UTF-8 without a byte order mark, and at most `limits.bytes` of the file are taken.
///
/// # Errors
/// Compressed, empty and unmarked UTF-16 files, by name; and the source's own errors.
pub fn decode(source: Box<dyn Read>, limits: &Limits) -> Result<Box<dyn Read>, FormatError> {
    let mut source = Counted { source, taken: 0, limit: limits.bytes };
    let mut head = Vec::with_capacity(4);
    (&mut source).take(4).read_to_end(&mut head).map_err(|e| {
        e.downcast::<FormatError>().unwrap_or_else(|e| FormatError {
            kind: FormatErrorKind::Io,
            message: format!("The report could not be read from its storage: {e}. Try again."),
            place: None,
        })
    })?;
    let rest = |skip: usize| io::Cursor::new(head[skip..].to_vec());
    match head.as_slice() {
        [0x1f, 0x8b, ..] => Err(refuse("The file is gzip-compressed. Unpack it (gunzip) and send the report itself.")),
        [b'P', b'K', 3, 4] => Err(refuse("The file is a ZIP archive. Unpack it and send the report itself.")),
        [0xef, 0xbb, 0xbf, ..] => Ok(Box::new(rest(3).chain(source))),
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => Err(refuse("The file is UTF-32. Write it as UTF-8.")),
        [0xff, 0xfe, ..] => Ok(Box::new(Utf16::new(Box::new(rest(2).chain(source)), u16::from_le_bytes))),
        [0xfe, 0xff, ..] => Ok(Box::new(Utf16::new(Box::new(rest(2).chain(source)), u16::from_be_bytes))),
        [_, 0, ..] | [0, _, ..] => {
            Err(refuse("The file begins with NUL bytes: it is UTF-16 without a byte order mark, or damaged. Write it as UTF-8."))
        }
        _ => Ok(Box::new(rest(0).chain(source))),
    }
}

fn refuse(message: &str) -> FormatError {
    FormatError { kind: FormatErrorKind::Malformed, message: message.into(), place: Some("line 1, column 1".into()) }
}

struct Counted {
    source: Box<dyn Read>,
    taken: u64,
    limit: u64,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(into)?;
        self.taken += n as u64;
        if self.taken > self.limit {
            return Err(io::Error::other(FormatError {
                kind: FormatErrorKind::Limit,
                message: format!("The report is larger than the limit of {} bytes. Split the scan into several reports.", self.limit),
                place: Some(format!("byte {}", self.limit)),
            }));
        }
        Ok(n)
    }
}

/// UTF-16 to UTF-8, a buffer at a time.
struct Utf16 {
    source: Box<dyn Read>,
    unit: fn([u8; 2]) -> u16,
    input: Box<[u8]>,
    output: Vec<u8>,
    given: usize,
    /// The first byte of a unit, and the first unit of a pair, that waited for the next buffer.
    odd: Option<u8>,
    high: Option<u16>,
    units: u64,
}

impl Utf16 {
    fn new(source: Box<dyn Read>, unit: fn([u8; 2]) -> u16) -> Self {
        let input = vec![0; 16 << 10].into_boxed_slice();
        Self { source, unit, input, output: Vec::new(), given: 0, odd: None, high: None, units: 0 }
    }

    fn refuse(&self, what: &str) -> io::Error {
        let place = format!("character {}", self.units);
        io::Error::other(FormatError {
            kind: FormatErrorKind::Malformed,
            message: format!("The report is not valid UTF-16 at {place}: {what}."),
            place: Some(place),
        })
    }

    fn take(&mut self, unit: u16) -> io::Result<()> {
        self.units += 1;
        let scalar = match (self.high.take(), unit) {
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(unit);
                return Ok(());
            }
            (None, 0xDC00..=0xDFFF) => return Err(self.refuse("half of a surrogate pair stands alone")),
            (None, unit) => u32::from(unit),
            (Some(high), 0xDC00..=0xDFFF) => 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00),
            (Some(_), _) => return Err(self.refuse("half of a surrogate pair stands alone")),
        };
        let Some(char) = char::from_u32(scalar) else { return Err(self.refuse("no character has this number")) };
        self.output.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn refill(&mut self) -> io::Result<bool> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() {
            let n = self.source.read(&mut self.input)?;
            if n == 0 {
                if self.odd.is_some() || self.high.is_some() {
                    return Err(self.refuse("the file ends in the middle of a character; it was cut short, send it again"));
                }
                return Ok(false);
            }
            for i in 0..n {
                let byte = self.input[i];
                match self.odd.take() {
                    None => self.odd = Some(byte),
                    Some(first) => self.take((self.unit)([first, byte]))?,
                }
            }
        }
        Ok(true)
    }
}

impl Read for Utf16 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() && !self.refill()? {
            return Ok(0);
        }
        let n = into.len().min(self.output.len() - self.given);
        into[..n].copy_from_slice(&self.output[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}
