//! What the child writes on standard error: its last words, bounded, and fit to be shown.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Bytes kept.
const KEPT: usize = 8 << 10;
/// Bytes after which the child is not crashing but talking.
const MOST: usize = 1 << 20;
/// How long the pipe of a reaped child may take to run dry.
const DRAIN: Duration = Duration::from_secs(1);
/// Said of a child that writes on and on.
pub(super) const FLOOD: &str = "it wrote more than 1 MiB on its standard error";

/// The last words so far.
pub(super) struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    flooded: CancellationToken,
    reader: JoinHandle<()>,
}

impl Stderr {
    /// Reads until the pipe is closed or the child has said too much.
    pub(super) fn collect(pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (tail, flooded) = (Arc::new(Mutex::new(VecDeque::new())), CancellationToken::new());
        let reader = tokio::spawn(read(pipe, tail.clone(), flooded.clone()));
        Self { tail, flooded, reader }
    }

    /// Resolves when the child has said too much.
    pub(super) async fn flooded(&self) {
        self.flooded.cancelled().await;
    }

    /// The last words of a child that has ended.
    pub(super) async fn tail(self) -> String {
        let mut reader = self.reader;
        if timeout(DRAIN, &mut reader).await.is_err() {
            reader.abort();
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        printable(tail.make_contiguous())
    }
}

async fn read(mut pipe: impl AsyncRead + Unpin, tail: Arc<Mutex<VecDeque<u8>>>, flooded: CancellationToken) {
    let mut buffer = [0; 4096];
    let mut total = 0;
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        total += read;
        if total > MOST {
            flooded.cancel();
            return;
        }
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&buffer[..read]);
        let excess = tail.len().saturating_sub(KEPT);
        tail.drain(..excess);
    }
}

/// Text without anything that moves a cursor, changes a colour or turns a line's direction.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let harmless = |character: char| match character {
        '\n' => '\n',
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    text.trim().chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_words_are_kept_and_the_rest_is_let_go() {
        let mut said = vec![b'a'; 20_000];
        said.extend(b"the end");
        let stderr = Stderr::collect(std::io::Cursor::new(said));
        let tail = stderr.tail().await;
        assert_eq!(tail.len(), KEPT);
        assert!(tail.ends_with("aathe end"));
    }

    #[tokio::test]
    async fn endless_words_are_noticed() {
        let stderr = Stderr::collect(tokio::io::repeat(b'x'));
        stderr.flooded().await;
        assert_eq!(stderr.tail().await.len(), KEPT);
    }

    #[test]
    fn words_cannot_draw_on_a_terminal() {
        assert_eq!(printable(b"\x1b[31mred\x07\nnext\t\xff "), "\u{fffd}[31mred\u{fffd}\nnext \u{fffd}");
        assert_eq!(printable("a\u{202e}b\u{9b}c".as_bytes()), "a\u{fffd}b\u{fffd}c");
    }
}
