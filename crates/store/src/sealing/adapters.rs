//! The sealing of streams of bytes, and a blocking reader of what was sealed for parsers.

use super::{CHUNK, OpenError, Opener, Plain, Sealer};
use crate::keyring::KeyError;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::{
    error::Error,
    io::{self, Read},
};

/// What [`seal`] yields: sealed bytes, and at the end what they were.
#[derive(Debug, PartialEq, Eq)]
pub enum Sealed {
    Bytes(Bytes),
    End(Plain),
}

/// Seals a body as it streams. The last item, and only the last, is [`Sealed::End`]; without it the body was cut.
pub fn seal<S, E>(body: S, sealer: Sealer) -> impl Stream<Item = Result<Sealed, E>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: From<KeyError>,
{
    // (body, sealer, the end when it is known but not said yet)
    stream::try_unfold((body, Some(sealer), None), |(mut body, sealer, end)| async move {
        let Some(mut sealer) = sealer else {
            return Ok(end.map(|plain| (Sealed::End(plain), (body, None, None))));
        };
        let mut out = Vec::new();
        while out.is_empty() {
            match body.next().await {
                Some(piece) => sealer.update(&piece?, &mut out)?,
                None => {
                    let plain = sealer.finish(&mut out)?;
                    return Ok(Some((Sealed::Bytes(out.into()), (body, None, Some(plain)))));
                }
            }
        }
        Ok(Some((Sealed::Bytes(out.into()), (body, Some(sealer), None))))
    })
}

/// Opens a sealed body as it streams. An error ends the stream; without one, all of it was there and verified.
pub fn open<S, E>(body: S, opener: Opener) -> impl Stream<Item = Result<Bytes, OpenError>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Error + Send + Sync + 'static,
{
    stream::try_unfold((body, Some(opener)), |(mut body, opener)| async move {
        let Some(mut opener) = opener else { return Ok(None) };
        let mut out = Vec::new();
        while out.is_empty() {
            match body.next().await {
                Some(piece) => opener.update(&piece.map_err(|error| OpenError::Read(error.into()))?, &mut out)?,
                None => {
                    opener.finish(&mut out)?;
                    return Ok((!out.is_empty()).then(|| (out.into(), (body, None))));
                }
            }
        }
        Ok(Some((out.into(), (body, Some(opener)))))
    })
}

/// Reads the plaintext of sealed bytes. The end of file is reported only when nothing is missing; anything else is an error.
pub struct OpenReader<R> {
    inner: R,
    opener: Option<Opener>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
    given: usize,
}

impl<R: Read> OpenReader<R> {
    pub fn new(inner: R, opener: Opener) -> Self {
        Self { inner, opener: Some(opener), sealed: vec![0; CHUNK], plain: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.plain.clear();
        self.given = 0;
        while self.plain.is_empty() {
            let Some(opener) = &mut self.opener else { return Ok(()) };
            let read = match self.inner.read(&mut self.sealed) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read > 0 {
                opener.update(&self.sealed[..read], &mut self.plain)?;
            } else if let Some(opener) = self.opener.take() {
                opener.finish(&mut self.plain)?;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.plain.len() {
            self.refill()?;
        }
        let read = (&self.plain[self.given..]).read(buffer)?;
        self.given += read;
        Ok(read)
    }
}
