//! The mail server that mails are delivered to, inside this process, and the barest client there is for it.
//!
//! It takes every mail, and writes it to a disk before its last word, since that word makes it answerable for the mail (RFC 5321, 6.1).
//! Mails to [`SLOW_DOMAIN`], of which each takes [`SLOW`] more, are counted apart.

use anyhow::{Context, ensure};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Mails to this domain are taken slowly.
pub const SLOW_DOMAIN: &str = "slow.example";
/// What each of those takes, from its last byte to the server's last word.
pub const SLOW: Duration = Duration::from_secs(2);

/// What the server did with its quick mails since it was last asked to count anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    pub mails: u32,
    /// From the first recipient to the last word of the last mail.
    pub wall: Duration,
    /// The part of it during which at least one mail was under way.
    pub busy: Duration,
}

impl Taken {
    pub fn rate(&self) -> f64 {
        f64::from(self.mails) / self.wall.as_secs_f64()
    }

    /// In percent.
    pub fn utilisation(&self) -> f64 {
        self.busy.as_secs_f64() / self.wall.as_secs_f64() * 100.0
    }
}

#[derive(Default)]
struct Count {
    taken: Taken,
    first: Option<Instant>,
    under_way: u32,
    /// Since when any is.
    busy_since: Option<Instant>,
}

impl Count {
    fn begin(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.busy_since.get_or_insert(now);
        self.under_way += 1;
    }

    fn end(&mut self, mails: u32) {
        let now = Instant::now();
        self.under_way -= 1;
        if self.under_way == 0 {
            self.taken.busy += self.busy_since.take().map_or(Duration::ZERO, |since| now - since);
        }
        if mails > 0 {
            self.taken.mails += mails;
            self.taken.wall = self.first.map_or(Duration::ZERO, |first| now - first);
        }
    }
}

#[derive(Default)]
struct Shared {
    count: Mutex<Count>,
    told: watch::Sender<u32>,
    /// The first mail as it was sent, its last line included.
    sample: Mutex<Option<Vec<u8>>>,
    slow_under_way: AtomicU32,
    slow_taken: AtomicU32,
    /// Nothing is slow any more.
    hurries: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct MailServer {
    pub port: u16,
    shared: Arc<Shared>,
}

impl MailServer {
    /// # Errors
    /// No port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the mail server")?;
        let server = Self { port: listener.local_addr()?.port(), shared: Arc::default() };
        let shared = server.shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                // A client that goes away in the middle is no error of the server's.
                tokio::spawn(async move { talk(stream, &shared).await.ok() });
            }
        });
        Ok(server)
    }

    /// Counts anew.
    pub fn forget(&self) {
        *lock(&self.shared.count) = Count::default();
        self.shared.told.send_replace(0);
    }

    /// Waits until so many quick mails were taken, and answers how they were.
    ///
    /// # Errors
    /// They do not come, or more come.
    pub async fn until(&self, mails: u32, patience: Duration) -> anyhow::Result<Taken> {
        let mut told = self.shared.told.subscribe();
        let came = tokio::time::timeout(patience, told.wait_for(|taken| *taken >= mails)).await.is_ok();
        let taken = lock(&self.shared.count).taken;
        ensure!(came, "{} of {mails} mails came within {} s", taken.mails, patience.as_secs());
        ensure!(taken.mails == mails, "{} mails came where {mails} were to", taken.mails);
        Ok(taken)
    }

    /// The first mail it was ever sent.
    ///
    /// # Errors
    /// It was sent none.
    pub fn sample(&self) -> anyhow::Result<Vec<u8>> {
        lock(&self.shared.sample).clone().context("no mail came yet")
    }

    /// Slow mails under way, and those taken.
    pub fn slow(&self) -> (u32, u32) {
        (self.shared.slow_under_way.load(Ordering::Relaxed), self.shared.slow_taken.load(Ordering::Relaxed))
    }

    /// Takes what comes from now on at once, wherever it goes.
    pub fn hurry(&self) {
        self.shared.hurries.store(true, Ordering::Relaxed);
    }
}

/// One conversation (RFC 5321), as far as a client needs it.
async fn talk(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    stream.write_all(b"220 sink.example ESMTP\r\n").await?;
    // It has no name, and goes with the connection.
    let disk = Arc::new(tempfile::tempfile()?);
    let (mut line, mut slow) = (Vec::new(), false);
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        line.make_ascii_uppercase();
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            b"EHLO" => b"250-sink.example\r\n250 8BITMIME\r\n",
            b"RCPT" => {
                slow = String::from_utf8_lossy(&line).to_ascii_lowercase().contains(SLOW_DOMAIN);
                begin(shared, slow);
                b"250 ok\r\n"
            }
            b"DATA" => {
                let taken = take(&mut stream, shared, &disk, slow).await;
                end(shared, slow, taken.is_ok());
                taken?;
                continue;
            }
            b"QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).await?;
    }
}

/// Takes the content of one mail.
async fn take(stream: &mut BufReader<TcpStream>, shared: &Shared, disk: &Arc<File>, slow: bool) -> std::io::Result<()> {
    stream.write_all(b"354 go on\r\n").await?;
    let (mut content, mut from) = (Vec::with_capacity(32 << 10), 0);
    while content.get(from..) != Some(b".\r\n") {
        from = content.len();
        if stream.read_until(b'\n', &mut content).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    if slow && !shared.hurries.load(Ordering::Relaxed) {
        tokio::time::sleep(SLOW).await;
    }
    let disk = disk.clone();
    let kept = tokio::task::spawn_blocking(move || {
        (&*disk).write_all(&content)?;
        disk.sync_data().map(|()| content)
    });
    let content = kept.await??;
    lock(&shared.sample).get_or_insert(content);
    stream.write_all(b"250 2.0.0 taken\r\n").await
}

fn begin(shared: &Shared, slow: bool) {
    match slow {
        true => _ = shared.slow_under_way.fetch_add(1, Ordering::Relaxed),
        false => lock(&shared.count).begin(),
    }
}

fn end(shared: &Shared, slow: bool, taken: bool) {
    if slow {
        shared.slow_under_way.fetch_sub(1, Ordering::Relaxed);
        shared.slow_taken.fetch_add(u32::from(taken), Ordering::Relaxed);
        return;
    }
    let mut count = lock(&shared.count);
    count.end(u32::from(taken));
    let mails = count.taken.mails;
    drop(count);
    shared.told.send_replace(mails);
}

/// Sends one mail again and again over some connections, each mail with the five exchanges of the protocol and nothing else.
///
/// # Errors
/// The server breaks off.
pub async fn send_bare(port: u16, mail: &[u8], mails: u32, connections: usize) -> anyhow::Result<()> {
    let left = AtomicU32::new(mails);
    let senders = (0..connections).map(|_| sender(port, mail, &left));
    futures::future::try_join_all(senders).await?;
    Ok(())
}

async fn sender(port: u16, mail: &[u8], left: &AtomicU32) -> anyhow::Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    answered(&mut stream).await?;
    say(&mut stream, b"EHLO bench.example\r\n").await?;
    while left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        say(&mut stream, b"MAIL FROM:<bailiwick@contoso.com>\r\n").await?;
        say(&mut stream, b"RCPT TO:<somebody@quick.example>\r\n").await?;
        say(&mut stream, b"DATA\r\n").await?;
        say(&mut stream, mail).await?;
    }
    say(&mut stream, b"QUIT\r\n").await
}

async fn say(stream: &mut BufReader<TcpStream>, words: &[u8]) -> anyhow::Result<()> {
    stream.write_all(words).await?;
    answered(stream).await
}

async fn answered(stream: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        stream.read_until(b'\n', &mut line).await?;
        ensure!(matches!(line.first(), Some(b'2' | b'3')), "the mail server says {}", String::from_utf8_lossy(&line));
        // A hyphen after the code: more lines follow (RFC 5321, 4.2.1).
        if line.get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_bare_client_sends_is_counted_and_kept() {
        let server = MailServer::start().await.unwrap();
        send_bare(server.port, b"Subject: x\r\n\r\n..y\r\n.\r\n", 30, 3).await.unwrap();
        let taken = server.until(30, Duration::from_secs(60)).await.unwrap();
        assert!(taken.wall >= taken.busy && taken.busy > Duration::ZERO, "{taken:?}");
        assert_eq!(server.sample().unwrap(), b"Subject: x\r\n\r\n..y\r\n.\r\n");
        server.forget();
        assert!(server.until(1, Duration::ZERO).await.is_err(), "nothing came since");
    }

    #[tokio::test]
    async fn slow_mails_count_apart() {
        let server = MailServer::start().await.unwrap();
        server.hurry();
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", server.port)).await.unwrap());
        answered(&mut stream).await.unwrap();
        for words in ["EHLO x\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<c@slow.example>\r\n"] {
            say(&mut stream, words.as_bytes()).await.unwrap();
        }
        assert_eq!(server.slow(), (1, 0));
        for words in ["DATA\r\n", "x\r\n.\r\n"] {
            say(&mut stream, words.as_bytes()).await.unwrap();
        }
        say(&mut stream, b"NOOP\r\n").await.unwrap();
        assert_eq!(server.slow(), (0, 1));
        assert_eq!(lock(&server.shared.count).taken.mails, 0);
    }
}
