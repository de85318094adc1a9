//! How a message crosses a pipe: four bytes that mark a frame, the lengths of header and body (little-endian, four bytes each),
//! the header as JSON, the body as raw bytes (a page of 30 MB is neither escaped nor copied into JSON).
//!
//! What must stay true: no length is believed beyond its bound, and nothing is read past the frame that was announced.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{ErrorKind, Read, Write};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Begins each frame, so that stray output is told from a frame. Its last byte changes with the layout of frames.
const MARK: [u8; 4] = *b"bws1";
const PREFIX: usize = 12;

/// The most a frame of one direction may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of JSON in the header.
    pub header: usize,
    /// Bytes of the body.
    pub body: usize,
}

/// From the child, which may be hostile: what one event, page or report needs.
pub const FROM_CHILD: Bounds = Bounds { header: 1 << 20, body: 16 << 20 };
/// From the parent: an answer of the cloud, or the job with the pages it resumes from.
pub const FROM_PARENT: Bounds = Bounds { header: 1 << 20, body: 96 << 20 };

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side closed its end between two frames.
    #[error("the other side has closed the pipe")]
    Closed,
    /// The other side closed its end within a frame.
    #[error("the pipe was closed in the middle of a frame")]
    Cut,
    /// What came does not begin like a frame.
    #[error("what came is not a frame: it begins with {0:02x?}")]
    Garbage([u8; 4]),
    /// A part of the frame is longer than allowed.
    #[error("the {part} of a frame has {length} bytes; at most {limit} are allowed")]
    TooLarge {
        /// `header` or `body`.
        part: &'static str,
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The header or body is not the JSON it should be.
    #[error("a frame was not understood: {0}")]
    NotUnderstood(String),
    /// The pipe failed.
    #[error("the pipe failed: {0}")]
    Pipe(std::io::Error),
}

impl FrameError {
    /// Whether the other side is simply not there any more.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Closed | Self::Cut) || matches!(self, Self::Pipe(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

impl From<std::io::Error> for FrameError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof { Self::Cut } else { Self::Pipe(error) }
    }
}

/// What the first bytes of a frame announce.
struct Lengths {
    header: usize,
    body: usize,
}

/// Prefix and header of a frame, ready to be written before its body.
fn head<H: Serialize>(header: &H, body: usize, bounds: Bounds) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; PREFIX];
    serde_json::to_writer(&mut bytes, header).map_err(|error| FrameError::NotUnderstood(error.to_string()))?;
    let header = bytes.len() - PREFIX;
    within("header", header, bounds.header)?;
    within("body", body, bounds.body)?;
    bytes[..4].copy_from_slice(&MARK);
    // Both lengths are within bounds, which are far below four gigabytes.
    bytes[4..8].copy_from_slice(&(header as u32).to_le_bytes());
    bytes[8..12].copy_from_slice(&(body as u32).to_le_bytes());
    Ok(bytes)
}

fn lengths(prefix: [u8; PREFIX], bounds: Bounds) -> Result<Lengths, FrameError> {
    let word = |at: usize| [prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]];
    if word(0) != MARK {
        return Err(FrameError::Garbage(word(0)));
    }
    let length = |at: usize| u32::from_le_bytes(word(at)) as usize;
    Ok(Lengths { header: within("header", length(4), bounds.header)?, body: within("body", length(8), bounds.body)? })
}

fn within(part: &'static str, length: usize, limit: usize) -> Result<usize, FrameError> {
    if length > limit { Err(FrameError::TooLarge { part, length, limit }) } else { Ok(length) }
}

/// Reads JSON out of a header or body.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(|error| FrameError::NotUnderstood(error.to_string()))
}

/// Writes one frame; blocks until the pipe has taken it.
pub fn write<H: Serialize>(pipe: &mut impl Write, header: &H, body: &[u8], bounds: Bounds) -> Result<(), FrameError> {
    pipe.write_all(&head(header, body.len(), bounds)?)?;
    pipe.write_all(body)?;
    Ok(pipe.flush()?)
}

/// Reads one frame; blocks until it is whole.
pub fn read<H: DeserializeOwned>(pipe: &mut impl Read, bounds: Bounds) -> Result<(H, Vec<u8>), FrameError> {
    let mut prefix = [0; PREFIX];
    let mut filled = 0;
    while filled < PREFIX {
        match pipe.read(&mut prefix[filled..]) {
            Ok(0) => return Err(if filled == 0 { FrameError::Closed } else { FrameError::Cut }),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let lengths = lengths(prefix, bounds)?;
    let mut header = vec![0; lengths.header];
    pipe.read_exact(&mut header)?;
    let mut body = vec![0; lengths.body];
    pipe.read_exact(&mut body)?;
    Ok((parse(&header)?, body))
}

/// `write` for a task.
pub async fn send<H: Serialize>(pipe: &mut (impl AsyncWrite + Unpin), header: &H, body: &[u8], bounds: Bounds) -> Result<(), FrameError> {
    let head = head(header, body.len(), bounds)?;
    pipe.write_all(&head).await?;
    pipe.write_all(body).await?;
    Ok(pipe.flush().await?)
}

/// `read` for a task. `allowed` names the bound of the body once the header is known, before a byte of the body is read.
pub async fn receive<H: DeserializeOwned>(
    pipe: &mut (impl AsyncRead + Unpin),
    bounds: Bounds,
    allowed: impl FnOnce(&H) -> usize,
) -> Result<(H, Vec<u8>), FrameError> {
    let mut prefix = [0; PREFIX];
    let mut filled = 0;
    while filled < PREFIX {
        match pipe.read(&mut prefix[filled..]).await? {
            0 => return Err(if filled == 0 { FrameError::Closed } else { FrameError::Cut }),
            read => filled += read,
        }
    }
    let lengths = lengths(prefix, bounds)?;
    let mut header = vec![0; lengths.header];
    pipe.read_exact(&mut header).await?;
    let header = parse(&header)?;
    let mut body = vec![0; within("body", lengths.body, allowed(&header))?];
    pipe.read_exact(&mut body).await?;
    Ok((header, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SMALL: Bounds = Bounds { header: 64, body: 16 };

    fn frame(header: &Value, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, header, body, SMALL).unwrap();
        bytes
    }

    fn refusal(bytes: &[u8]) -> String {
        read::<Value>(&mut &bytes[..], SMALL).unwrap_err().to_string()
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_and_the_next_one_follows() {
        let mut bytes = frame(&json!({"kind": "one"}), b"\x00\xff\n\"");
        bytes.extend(frame(&json!({"kind": "two"}), b""));
        let mut pipe = &bytes[..];
        assert_eq!(read::<Value>(&mut pipe, SMALL).unwrap(), (json!({"kind": "one"}), b"\x00\xff\n\"".to_vec()));
        assert_eq!(read::<Value>(&mut pipe, SMALL).unwrap(), (json!({"kind": "two"}), Vec::new()));
        assert!(matches!(read::<Value>(&mut pipe, SMALL), Err(FrameError::Closed)));
    }

    #[test]
    fn what_is_no_frame_says_so() {
        assert_eq!(refusal(b"HTTP/1.1 200 OK\r\n"), "what came is not a frame: it begins with [48, 54, 54, 50]");
        let mut bytes = frame(&json!({}), b"");
        bytes[12] = b'!';
        assert!(refusal(&bytes).starts_with("a frame was not understood"));
    }

    #[test]
    fn a_frame_cut_anywhere_is_an_error() {
        let bytes = frame(&json!({"kind": "one"}), b"body");
        for length in 1..bytes.len() {
            assert!(matches!(read::<Value>(&mut &bytes[..length], SMALL), Err(FrameError::Cut)), "cut at {length}");
        }
    }

    #[test]
    fn no_length_is_believed_beyond_its_bound() {
        let mut bytes = frame(&json!({}), b"");
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(refusal(&bytes), "the body of a frame has 4294967295 bytes; at most 16 are allowed");
        bytes[4..8].copy_from_slice(&65_u32.to_le_bytes());
        assert_eq!(refusal(&bytes), "the header of a frame has 65 bytes; at most 64 are allowed");
        assert!(matches!(write(&mut Vec::new(), &json!({}), &[0; 17], SMALL), Err(FrameError::TooLarge { part: "body", .. })));
    }

    #[tokio::test]
    async fn a_task_reads_what_a_process_wrote_and_may_allow_a_kind_less() {
        let bytes = frame(&json!({"kind": "one"}), b"body");
        let (header, body) = receive::<Value>(&mut &bytes[..], SMALL, |_| 4).await.unwrap();
        assert_eq!((header, body), (json!({"kind": "one"}), b"body".to_vec()));
        let refused = receive::<Value>(&mut &bytes[..], SMALL, |_| 3).await;
        assert!(matches!(refused, Err(FrameError::TooLarge { part: "body", length: 4, limit: 3 })));
    }
}
