//! A streaming JSON reader that also guards: it refuses what it must not pass on, and always knows where it is.
//!
//! Written here rather than taken from a library because four things must hold at once, also inside members that are skipped:
//! every refusal names line, column and JSON path; depth and string length are bounded; bytes that are no valid UTF-8, NUL
//! and lone surrogates are refused instead of replaced; and memory stays at one buffer and one string however large the file.
//! What it accepts is held equal to `serde_json` by a property test (`tests/properties.rs`).

use crate::model::{FormatError, FormatErrorKind, Limits};
use std::io::{self, Read};

mod scan;

pub type Result<T> = std::result::Result<T, FormatError>;

const BUFFER: usize = 64 << 10;
/// No number in a report has more characters.
const NUMBER: usize = 512;

/// Strings kept of one list.
const LIST: usize = 200;

/// The kind of the value that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Bool => "true or false",
            Kind::Null => "null",
        }
    }
}

enum Frame {
    /// Where the name of the present member starts in `Reader::names`, and whether one has been read.
    Object { start: usize, any: bool },
    /// Elements begun so far.
    Array { begun: u64 },
}

pub struct Reader {
    source: Box<dyn Read>,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes of the source before `buffer[0]`.
    before: u64,
    line: u64,
    line_start: u64,
    frames: Vec<Frame>,
    names: String,
    text: Vec<u8>,
    limits: Limits,
    /// `Some` while a wrong type is noted instead of refused; holds the first one noted.
    lenient: Option<Option<FormatError>>,
}

impl Reader {
    pub fn new(source: Box<dyn Read>, limits: &Limits) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            at: 0,
            end: 0,
            before: 0,
            line: 1,
            line_start: 0,
            frames: Vec::with_capacity(16),
            names: String::new(),
            text: Vec::new(),
            limits: *limits,
            lenient: None,
        }
    }

    // ---- the public story: what comes next, and taking it -------------------------------------------------------

    /// The kind of the next value, which stays to be read.
    pub fn peek(&mut self) -> Result<Kind> {
        match self.token()? {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'N' | b'I') => Err(self.malformed("NaN and Infinity are not JSON; write null or a number")),
            Some(b']' | b'}') => Err(self.malformed("a value is missing here; look for a comma too many")),
            Some(byte) => Err(self.malformed(&format!("expected a value, found {}", shown(byte)))),
            None => Err(self.cut("a value")),
        }
    }

    /// Enters the object that comes next. Then [`next_key`](Self::next_key) until it returns `None`.
    ///
    /// Returns false, with nothing to read, for null and (when lenient) for another kind.
    pub fn object(&mut self) -> Result<bool> {
        match self.peek()? {
            Kind::Object => {
                self.at += 1;
                self.push(Frame::Object { start: self.names.len(), any: false })?;
                Ok(true)
            }
            Kind::Null => self.literal(b"null").map(|()| false),
            other => self.wrong("an object", other).map(|()| false),
        }
    }

    /// Enters the array that comes next. Then [`next_element`](Self::next_element) until it returns false.
    pub fn array(&mut self) -> Result<bool> {
        match self.peek()? {
            Kind::Array => {
                self.at += 1;
                self.push(Frame::Array { begun: 0 })?;
                Ok(true)
            }
            Kind::Null => self.literal(b"null").map(|()| false),
            other => self.wrong("an array", other).map(|()| false),
        }
    }

    /// The next member's name; its value comes next. `None`: the object has ended.
    pub fn next_key(&mut self) -> Result<Option<&str>> {
        let (start, any) = match self.frames.last() {
            Some(Frame::Object { start, any }) => (*start, *any),
            _ => return Err(self.malformed("expected the inside of an object")),
        };
        self.names.truncate(start);
        match self.token()? {
            Some(b'}') => {
                self.at += 1;
                self.frames.pop();
                return Ok(None);
            }
            Some(b',') if any => {
                self.at += 1;
                if self.token()? == Some(b'}') {
                    return Err(self.malformed("a comma stands before the end of the object; remove it"));
                }
            }
            Some(_) if !any => {}
            Some(byte) => return Err(self.malformed(&format!("expected , or }} in an object, found {}", shown(byte)))),
            None => return Err(self.cut("the end of an object")),
        }
        match self.token()? {
            Some(b'"') => self.scan_string()?,
            Some(byte) => return Err(self.malformed(&format!("expected a member name in quotes, found {}", shown(byte)))),
            None => return Err(self.cut("a member name")),
        }
        match self.token()? {
            Some(b':') => self.at += 1,
            Some(byte) => return Err(self.malformed(&format!("expected : after a member name, found {}", shown(byte)))),
            None => return Err(self.cut("a colon")),
        }
        let Self { names, text, frames, .. } = self;
        names.push_str(utf8(text));
        if let Some(Frame::Object { any, .. }) = frames.last_mut() {
            *any = true;
        }
        Ok(Some(&self.names[start..]))
    }

    /// Whether another element comes; it is then the next value. False: the array has ended.
    pub fn next_element(&mut self) -> Result<bool> {
        let begun = match self.frames.last() {
            Some(Frame::Array { begun }) => *begun,
            _ => return Err(self.malformed("expected the inside of an array")),
        };
        match self.token()? {
            Some(b']') => {
                self.at += 1;
                self.frames.pop();
                return Ok(false);
            }
            Some(b',') if begun > 0 => {
                self.at += 1;
                if self.token()? == Some(b']') {
                    return Err(self.malformed("a comma stands before the end of the array; remove it"));
                }
            }
            Some(_) if begun == 0 => {}
            Some(byte) => return Err(self.malformed(&format!("expected , or ] in an array, found {}", shown(byte)))),
            None => return Err(self.cut("the end of an array")),
        }
        if let Some(Frame::Array { begun }) = self.frames.last_mut() {
            *begun += 1;
        }
        Ok(true)
    }

    /// A string, or `None` for null.
    pub fn str(&mut self) -> Result<Option<&str>> {
        match self.peek()? {
            Kind::String => {
                self.scan_string()?;
                Ok(Some(utf8(&self.text)))
            }
            Kind::Null => self.literal(b"null").map(|()| None),
            other => self.wrong("a string", other).map(|()| None),
        }
    }

    /// A string of its own, or `None` for null.
    pub fn string(&mut self) -> Result<Option<String>> {
        Ok(self.str()?.map(str::to_owned))
    }

    /// At most `max` bytes of a string, cut at a character; true when something was cut. Null is empty.
    pub fn cut_string(&mut self, max: usize) -> Result<(String, bool)> {
        Ok(self.str()?.map(|text| cut(text, max)).unwrap_or_default())
    }

    /// A string, number or boolean as text; `None` for null. Objects and arrays are passed over as `None`.
    pub fn loose(&mut self) -> Result<Option<String>> {
        match self.peek()? {
            Kind::String => self.string(),
            Kind::Number => {
                self.scan_number()?;
                Ok(Some(utf8(&self.text).to_owned()))
            }
            Kind::Bool => Ok(self.bool()?.map(|b| b.to_string())),
            Kind::Null | Kind::Object | Kind::Array => self.skip().map(|()| None),
        }
    }

    /// The strings of an array, or the one string that stands in its place (old writers unwrap arrays of one). After `LIST` of
    /// them the rest is passed over: no list that is told is longer.
    pub fn strings(&mut self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        match self.peek()? {
            Kind::Array => {
                self.array()?;
                while self.next_element()? {
                    match all.len() < LIST {
                        true => all.extend(self.loose()?),
                        false => self.skip()?,
                    }
                }
            }
            _ => all.extend(self.loose()?),
        }
        Ok(all)
    }

    /// A whole number; `None` for null. Numbers with a fraction or out of range are the wrong kind.
    pub fn int(&mut self) -> Result<Option<i64>> {
        match self.peek()? {
            Kind::Number => {
                self.scan_number()?;
                let text = utf8(&self.text);
                let whole = text.parse().ok().or_else(|| {
                    let float: f64 = text.parse().ok()?;
                    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
                });
                match whole {
                    Some(n) => Ok(Some(n)),
                    None => self.note(self.malformed(&format!("expected a whole number, found {text}"))).map(|()| None),
                }
            }
            Kind::Null => self.literal(b"null").map(|()| None),
            other => self.wrong("a whole number", other).map(|()| None),
        }
    }

    pub fn bool(&mut self) -> Result<Option<bool>> {
        match self.peek()? {
            Kind::Bool if self.buffer[self.at] == b't' => self.literal(b"true").map(|()| Some(true)),
            Kind::Bool => self.literal(b"false").map(|()| Some(false)),
            Kind::Null => self.literal(b"null").map(|()| None),
            other => self.wrong("true or false", other).map(|()| None),
        }
    }

    /// Passes over one value, with every check except its meaning.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            Kind::Object => {
                self.object()?;
                while self.next_key()?.is_some() {
                    self.skip()?;
                }
                Ok(())
            }
            Kind::Array => {
                self.array()?;
                while self.next_element()? {
                    self.skip()?;
                }
                Ok(())
            }
            Kind::String => self.scan_string(),
            Kind::Number => self.scan_number(),
            Kind::Bool => self.bool().map(|_| ()),
            Kind::Null => self.literal(b"null"),
        }
    }

    /// Nothing but white space may follow.
    pub fn finish(&mut self) -> Result<()> {
        match self.token()? {
            None => Ok(()),
            Some(byte) => Err(self.malformed(&format!("the report has ended, but {} follows; one file holds one report", shown(byte)))),
        }
    }

    // ---- refusals ------------------------------------------------------------------------------------------------

    /// From here until [`strict`](Self::strict), a value of the wrong kind is passed over and noted, not refused.
    pub fn be_lenient(&mut self) {
        self.lenient = Some(None);
    }

    /// Ends leniency; the first thing noted, if any.
    pub fn strict(&mut self) -> Option<FormatError> {
        self.lenient.take().flatten()
    }

    /// Refuses, or notes when lenient, something wrong at the present place.
    pub fn note(&mut self, error: FormatError) -> Result<()> {
        match &mut self.lenient {
            Some(first) => {
                first.get_or_insert(error);
                Ok(())
            }
            None => Err(error),
        }
    }

    /// A member that a report must have once and that came again.
    pub fn once(&mut self, seen: &mut bool, name: &str) -> Result<()> {
        if std::mem::replace(seen, true) {
            return Err(self.malformed(&format!("the member {name} stands here a second time; which one counts cannot be known")));
        }
        Ok(())
    }

    #[cold]
    pub fn malformed(&self, what: &str) -> FormatError {
        self.error(FormatErrorKind::Malformed, what)
    }

    #[cold]
    pub fn limit(&self, what: &str) -> FormatError {
        self.error(FormatErrorKind::Limit, what)
    }

    fn error(&self, kind: FormatErrorKind, what: &str) -> FormatError {
        let place = format!("line {}, column {}, {}", self.line, self.before + self.at as u64 - self.line_start + 1, self.path());
        FormatError { kind, message: format!("The report cannot be read at {place}: {what}."), place: Some(place) }
    }

    /// Where the reader is, as `$.runs[0].results[7]`.
    pub fn path(&self) -> String {
        let mut path = String::from("$");
        for (i, frame) in self.frames.iter().enumerate() {
            match frame {
                Frame::Array { begun: 0 } => {}
                Frame::Array { begun } => path.push_str(&format!("[{}]", begun - 1)),
                Frame::Object { start, .. } => {
                    let end =
                        self.frames[i + 1..].iter().find_map(|f| if let Frame::Object { start, .. } = f { Some(*start) } else { None });
                    let name = &self.names[*start..end.unwrap_or(self.names.len())];
                    if name.is_empty() {
                        continue;
                    }
                    let (name, long) = cut(name, 60);
                    let plain = !long && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$');
                    path.push_str(&if plain { format!(".{name}") } else { format!("[{name:?}{}]", if long { "…" } else { "" }) });
                }
            }
        }
        path
    }

    fn wrong(&mut self, wanted: &str, found: Kind) -> Result<()> {
        let error = self.malformed(&format!("expected {wanted}, found {}", found.name()));
        self.note(error)?;
        self.skip()
    }

    fn cut(&self, expected: &str) -> FormatError {
        if self.before + self.end as u64 == 0 {
            let message = "The report is empty: it has no bytes. Check that the tool wrote its output before it was sent.".into();
            return FormatError { kind: FormatErrorKind::Malformed, message, place: Some("line 1, column 1".into()) };
        }
        self.malformed(&format!("the file ends where {expected} was expected; it was cut short, send it again"))
    }
}

/// `text` was checked when it was read; anything else is empty.
fn utf8(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

fn shown(byte: u8) -> String {
    match byte {
        0x21..=0x7e => format!("'{}'", byte as char),
        _ => format!("the byte 0x{byte:02x}"),
    }
}

/// At most `max` bytes of `text`, cut at a character; true when something was cut.
pub fn cut(text: &str, max: usize) -> (String, bool) {
    if text.len() <= max {
        return (text.to_owned(), false);
    }
    (text[..text.floor_char_boundary(max)].to_owned(), true)
}

/// An error of the source: a refusal that a lower layer wrapped, or a failure to read.
pub(crate) fn from_io(error: io::Error, path: impl Fn() -> String) -> FormatError {
    match error.downcast::<FormatError>() {
        Ok(mut refusal) => {
            refusal.place.get_or_insert_with(path);
            refusal
        }
        Err(error) => FormatError {
            kind: FormatErrorKind::Io,
            message: format!("The report could not be read from its storage: {error}. Try again."),
            place: None,
        },
    }
}
