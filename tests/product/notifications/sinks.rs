//! The other side: a mail server and an HTTP endpoint on loopback, inside the test's process. They keep what they were sent, and answer
//! as a test wants them to.

use base64::{Engine, prelude::BASE64_STANDARD};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// How long something may take before the test fails. The machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub headers: BTreeMap<String, String>,
    /// The parts by their media type, decoded.
    pub parts: BTreeMap<String, String>,
}

/// A mail server that takes every mail, while it is up.
pub struct MailServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    up: Arc<AtomicBool>,
    /// Addresses that nobody here has.
    unknown: Arc<Mutex<Vec<String>>>,
    /// Connections that were made while it was down.
    pub knocked: Arc<AtomicUsize>,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            mails: Arc::default(),
            up: Arc::new(AtomicBool::new(true)),
            unknown: Arc::default(),
            knocked: Arc::default(),
        };
        let (mails, up, unknown, knocked) = (server.mails.clone(), server.up.clone(), server.unknown.clone(), server.knocked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if !up.load(Ordering::SeqCst) {
                    knocked.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                tokio::spawn(talk(stream, mails.clone(), up.clone(), unknown.clone()));
            }
        });
        server
    }
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
    pub fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }
    pub fn refuse(&self, address: &str) {
        self.unknown.lock().unwrap().push(address.to_owned());
    }
}

/// One conversation (RFC 5321), as far as a client needs it.
async fn talk(stream: TcpStream, mails: Arc<Mutex<Vec<Mail>>>, up: Arc<AtomicBool>, unknown: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink.example ESMTP\r\n").await.ok()?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        // A connection that was kept does not outlive the server.
        if stream.read_line(&mut line).await.ok()? == 0 || !up.load(Ordering::SeqCst) {
            return None;
        }
        let (word, rest) = line.trim_end().split_at(line.trim_end().len().min(4));
        let answer = match word.to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink.example\r\n250 8BITMIME",
            "MAIL" => {
                from = address(rest);
                "250 ok"
            }
            "RCPT" if unknown.lock().unwrap().contains(&address(rest)) => "550 5.1.1 no such person here",
            "RCPT" => {
                to.push(address(rest));
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut data = String::new();
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.ok()? == 0 {
                        return None;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    data.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..]));
                }
                mails.lock().unwrap().push(read_mail(std::mem::take(&mut from), std::mem::take(&mut to), &data));
                "250 2.0.0 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

fn address(text: &str) -> String {
    text.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.split("\r\n").filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_lowercase(), words(value.trim()))).collect()
}

/// Encoded words (RFC 2047) as text. What only parts two of them from each other is no text.
fn words(value: &str) -> String {
    let (mut out, mut rest, mut after_word) = (String::new(), value, false);
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let mut fields = word[2..].splitn(3, '?');
        let (_, how, text) = (fields.next(), fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let (text, left) = text.split_once("?=").unwrap();
        if !after_word || !before.trim().is_empty() {
            out.push_str(before);
        }
        let bytes = if how.eq_ignore_ascii_case("b") { BASE64_STANDARD.decode(text).unwrap() } else { quoted(&text.replace('_', " ")) };
        out.push_str(&String::from_utf8(bytes).unwrap());
        (rest, after_word) = (left, true);
    }
    out + rest
}

fn quoted(text: &str) -> Vec<u8> {
    let (mut out, bytes, mut at) = (Vec::new(), text.as_bytes(), 0);
    while at < bytes.len() {
        match (bytes[at], text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'=', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn read_mail(from: String, to: Vec<String>, data: &str) -> Mail {
    let (head, body) = data.split_once("\r\n\r\n").unwrap();
    let headers = headers(head);
    let boundary = headers["content-type"].split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let mut parts = BTreeMap::new();
    for part in body.split(&format!("--{boundary}")).skip(1).filter(|part| !part.starts_with("--")) {
        let (head, body) = part.trim_start_matches("\r\n").split_once("\r\n\r\n").unwrap();
        let head = self::headers(head);
        let bytes = match head.get("content-transfer-encoding").map(|how| how.to_lowercase()).as_deref() {
            Some("base64") => BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            Some("quoted-printable") => quoted(&body.replace("=\r\n", "")),
            _ => body.as_bytes().to_vec(),
        };
        let kind = head["content-type"].split(';').next().unwrap().to_owned();
        parts.insert(kind, String::from_utf8(bytes).unwrap());
    }
    Mail { from, to, headers, parts }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What an endpoint does with a request.
#[derive(Clone)]
pub enum Does {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Answers 200 with a body that does not end before its reader goes away, or this many bytes.
    Floods(usize),
    /// Answers 200 when it is let.
    Waits(Arc<Notify>),
}

pub const TAKES: Does = Does::Answer(200, &[], "");

/// An HTTP endpoint. What it is told to do is done in order, the last one for ever.
pub struct Endpoint {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    count: watch::Receiver<usize>,
    script: Arc<Mutex<VecDeque<Does>>>,
    /// Bytes of floods that were taken.
    pub taken: Arc<AtomicUsize>,
}

impl Endpoint {
    pub async fn start(script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (told, count) = watch::channel(0);
        let script = Arc::new(Mutex::new(script.iter().cloned().collect::<VecDeque<_>>()));
        let endpoint = Self { url, asked: Arc::default(), count, script: script.clone(), taken: Arc::default() };
        let (asked, taken, told) = (endpoint.asked.clone(), endpoint.taken.clone(), Arc::new(told));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, asked.clone(), script.clone(), told.clone(), taken.clone()));
            }
        });
        endpoint
    }
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
    /// From now on.
    pub fn does(&self, script: &[Does]) {
        *self.script.lock().unwrap() = script.iter().cloned().collect();
    }
    /// Waits until it was asked so often.
    pub async fn until_asked(&self, times: usize) {
        let mut count = self.count.clone();
        tokio::time::timeout(PATIENCE, count.wait_for(|count| *count >= times)).await.expect("nobody asked").unwrap();
    }
}

async fn serve(
    stream: TcpStream,
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<Mutex<VecDeque<Does>>>,
    told: Arc<watch::Sender<usize>>,
    taken: Arc<AtomicUsize>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let (first, rest) = head.split_once("\r\n")?;
    let headers = headers(rest);
    let mut body = vec![0; headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let does = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
    }?;
    asked.lock().unwrap().push(Asked { path, headers, body });
    told.send_modify(|count| *count += 1);
    match does {
        Does::Answer(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let answer = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
        Does::Waits(let_go) => {
            let_go.notified().await;
            stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.ok()?;
        }
        Does::Floods(most) => {
            stream.write_all(b"HTTP/1.1 200 x\r\nconnection: close\r\n\r\n").await.ok()?;
            let piece = vec![b'x'; 64 << 10];
            while taken.load(Ordering::SeqCst) < most {
                stream.write_all(&piece).await.ok()?;
                taken.fetch_add(piece.len(), Ordering::SeqCst);
            }
        }
    }
    stream.shutdown().await.ok()
}
