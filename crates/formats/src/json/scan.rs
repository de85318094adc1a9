//! The bytes under the reader: filling the buffer, white space, literals, strings and numbers (RFC 8259).

use super::{Frame, NUMBER, Reader, Result, from_io, shown, utf8};
use crate::model::FormatError;
use std::io;

impl Reader {
    pub(super) fn push(&mut self, frame: Frame) -> Result<()> {
        if self.frames.len() >= self.limits.depth as usize {
            return Err(self.limit(&format!("nested deeper than the limit of {} levels", self.limits.depth)));
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Makes `buffer[at]` valid; false at the end of the source.
    #[inline]
    pub(super) fn fill(&mut self) -> Result<bool> {
        if self.at < self.end { Ok(true) } else { self.refill() }
    }

    #[cold]
    fn refill(&mut self) -> Result<bool> {
        self.before += self.end as u64;
        (self.at, self.end) = (0, 0);
        loop {
            match self.source.read(&mut self.buffer) {
                Ok(n) => {
                    self.end = n;
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(from_io(e, || self.path())),
            }
        }
    }

    /// The next byte that is no white space, which stays to be read.
    pub(super) fn token(&mut self) -> Result<Option<u8>> {
        while self.fill()? {
            match self.buffer[self.at] {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.before + self.at as u64;
                }
                byte => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    fn byte(&mut self, expected: &str) -> Result<u8> {
        if !self.fill()? {
            return Err(self.cut(expected));
        }
        let byte = self.buffer[self.at];
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn literal(&mut self, word: &'static [u8]) -> Result<()> {
        for expected in word {
            if self.byte("a word")? != *expected {
                return Err(
                    self.malformed(&format!("expected {}, found another word; NaN, Infinity, True and None are not JSON", utf8(word)))
                );
            }
        }
        Ok(())
    }

    /// Reads a string, quotes to quotes, into `text`.
    pub(super) fn scan_string(&mut self) -> Result<()> {
        self.at += 1;
        self.text.clear();
        loop {
            if !self.fill()? {
                return Err(self.cut("the end of a string"));
            }
            let rest = &self.buffer[self.at..self.end];
            let run = rest.iter().position(|b| STOPS[*b as usize]).unwrap_or(rest.len());
            self.text.extend_from_slice(&rest[..run]);
            self.at += run;
            if self.text.len() > self.limits.string {
                return Err(self.limit(&format!("a string is longer than the limit of {} bytes", self.limits.string)));
            }
            if run == rest.len() {
                continue;
            }
            match self.buffer[self.at] {
                b'"' => {
                    self.at += 1;
                    break;
                }
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                0 => return Err(self.malformed("a NUL byte stands in a string; the file is damaged or is not UTF-8")),
                _ => return Err(self.malformed("a control character stands unescaped in a string")),
            }
        }
        match std::str::from_utf8(&self.text) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.text.clear();
                Err(self.malformed("a string is not valid UTF-8; the bytes are not replaced, since that would falsify the evidence. Write the report as UTF-8"))
            }
        }
    }

    fn escape(&mut self) -> Result<()> {
        let plain = match self.byte("an escape")? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b @ (b'"' | b'\\' | b'/') => b,
            b'u' => return self.unicode(),
            other => return Err(self.malformed(&format!("\\ is followed by {}, which is no JSON escape", shown(other)))),
        };
        self.text.push(plain);
        Ok(())
    }

    fn unicode(&mut self) -> Result<()> {
        let first = self.hex4()?;
        let code = match first {
            0 => return Err(self.malformed("a NUL character (\\u0000) stands in a string; no text field can hold one")),
            0xDC00..=0xDFFF => return Err(self.lone(first)),
            0xD800..=0xDBFF => {
                if self.byte("the second half of a surrogate pair")? != b'\\' || self.byte("the second half of a surrogate pair")? != b'u' {
                    return Err(self.lone(first));
                }
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.lone(first));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        let Some(char) = char::from_u32(code) else { return Err(self.lone(first)) };
        self.text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn lone(&self, unit: u32) -> FormatError {
        self.malformed(&format!("the escape \\u{unit:04x} is half of a surrogate pair without its other half"))
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.byte("four hexadecimal digits")?;
            let Some(digit) = (byte as char).to_digit(16) else {
                return Err(self.malformed("\\u is not followed by four hexadecimal digits"));
            };
            code = code << 4 | digit;
        }
        Ok(code)
    }

    /// Reads a number, by RFC 8259 section 6, into `text`.
    pub(super) fn scan_number(&mut self) -> Result<()> {
        self.text.clear();
        while self.fill()? {
            let byte = self.buffer[self.at];
            if !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' | b'I' | b'N') {
                break;
            }
            if self.text.len() >= NUMBER {
                return Err(self.limit(&format!("a number is longer than the limit of {NUMBER} characters")));
            }
            self.text.push(byte);
            self.at += 1;
        }
        if is_number(&self.text) {
            return Ok(());
        }
        let text = utf8(&self.text).to_owned();
        Err(self.malformed(&format!("{text} is not a JSON number; NaN and Infinity are not JSON")))
    }
}

/// Bytes at which a run of plain string text ends.
static STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        stops[i] = true;
        i += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};

fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> &[u8] {
        &text[text.iter().take_while(|b| b.is_ascii_digit()).count()..]
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match text.first() {
        Some(b'0') => &text[1..],
        Some(b'1'..=b'9') => digits(text),
        _ => return false,
    };
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = digits(fraction);
        if rest.len() == fraction.len() {
            return false;
        }
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        rest = digits(exponent);
        if rest.len() == exponent.len() {
            return false;
        }
    }
    rest.is_empty()
}
