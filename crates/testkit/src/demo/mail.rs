//! A mail server of the demo's own: it takes every mail and lays it in a folder, as it came and as the page a mail program shows. Nothing
//! leaves the machine.

use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of one mail, and of one line outside it.
const LARGEST: usize = 4 << 20;

/// The mail server, for as long as the demo runs.
pub struct Sink {
    pub port: u16,
    pub folder: PathBuf,
    taken: Arc<AtomicUsize>,
}

impl Sink {
    /// Starts it on a free port of the loopback. Mails of an earlier start stay where they are.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (folder, taken) = (folder.to_owned(), Arc::new(AtomicUsize::new(0)));
        let (into, count) = (folder.clone(), taken.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (into, count) = (into.clone(), count.clone());
                tokio::spawn(async move { serve(stream, &into, &count).await });
            }
        });
        Ok(Self { port, folder, taken })
    }

    /// Mails taken since the start.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

/// One conversation (RFC 5321). What it does not know it refuses.
async fn serve(stream: TcpStream, folder: &Path, taken: &AtomicUsize) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    say(&mut write, "220 demo ready").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-demo\r\n250 8BITMIME",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 fine",
            "DATA" => {
                say(&mut write, "354 until a dot").await?;
                let Some(mail) = mail(&mut lines).await? else { return Ok(()) };
                keep(folder, taken, &mail)?;
                "250 kept"
            }
            "QUIT" => {
                say(&mut write, "221 bye").await?;
                return Ok(());
            }
            _ => "502 not known here",
        };
        say(&mut write, answer).await?;
    }
    Ok(())
}

async fn say(write: &mut OwnedWriteHalf, line: &str) -> std::io::Result<()> {
    write.write_all(format!("{line}\r\n").as_bytes()).await
}

/// A mail up to its dot, doubled dots undone (RFC 5321, 4.5.2). None where it is too large or cut off.
async fn mail(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> std::io::Result<Option<String>> {
    let mut mail = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            return Ok(Some(mail));
        }
        mail += line.strip_prefix('.').unwrap_or(&line);
        mail += "\r\n";
        if mail.len() > LARGEST {
            break;
        }
    }
    Ok(None)
}

/// Under a number of its own, so that an earlier one is never written over.
fn keep(folder: &Path, taken: &AtomicUsize, mail: &str) -> anyhow::Result<()> {
    for number in 1.. {
        let path = folder.join(format!("{number:04}.eml"));
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                std::io::Write::write_all(&mut file, mail.as_bytes())?;
                if let Some(page) = page(mail) {
                    std::fs::write(path.with_extension("html"), page)?;
                }
                taken.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
        }
    }
    Ok(())
}

/// The HTML part of a mail as Bailiwick writes it: one of two alternatives, quoted-printable (RFC 2045, 6.7).
fn page(mail: &str) -> Option<Vec<u8>> {
    let part = &mail[mail.find("Content-Type: text/html")?..];
    let (head, body) = part.split_once("\r\n\r\n")?;
    let body = body.split_once("\r\n--").map_or(body, |(body, _)| body);
    let quoted = head.contains("quoted-printable");
    Some(if quoted { unquoted(body) } else { body.as_bytes().to_vec() })
}

fn unquoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, code) {
            (b'=', Some("\r\n")) => rest = &after[2..],
            (b'=', Some(code)) if u8::from_str_radix(code, 16).is_ok() => {
                out.extend(u8::from_str_radix(code, 16));
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_mail_is_its_html_part_decoded() {
        let mail = "Subject: x\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p a=3D\"1\">=C2=B7 lo=\r\nng = </p>\r\n--b--\r\n";
        assert_eq!(String::from_utf8(page(mail).unwrap()).unwrap(), "<p a=\"1\">· long = </p>");
        assert_eq!(page("Subject: x\r\n\r\nplain\r\n"), None);
    }
}
