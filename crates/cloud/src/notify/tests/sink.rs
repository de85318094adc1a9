//! A mail server on loopback that says what the test lays out.

use crate::testing::tls_for;
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;

pub const NAME: &str = "mail.example";

#[derive(Default)]
pub struct Seen {
    /// Every command, with the number of its connection and whether it came through TLS.
    pub said: Vec<(usize, bool, String)>,
    /// Mails taken whole, as they were said.
    pub mails: Vec<String>,
    pub connections: usize,
    pub now: usize,
    pub most: usize,
}

struct Script {
    /// By verb (`CONNECT`, `EHLO`, `.` and the commands): what to say instead of yes, one after the other; then yes again.
    replies: Mutex<HashMap<&'static str, VecDeque<&'static str>>>,
    /// Lines after the greeting's first.
    offers: Vec<&'static str>,
    tls: TlsAcceptor,
    at_once: bool,
    seen: Mutex<Seen>,
}

pub struct Sink {
    pub at: SocketAddr,
    pub pem: Vec<u8>,
    script: Arc<Script>,
}

impl Sink {
    pub async fn offering(offers: &[&'static str]) -> Self {
        Self::listening(offers, false).await
    }

    /// In TLS from the first byte.
    pub async fn in_tls() -> Self {
        Self::listening(&[], true).await
    }

    async fn listening(offers: &[&'static str], at_once: bool) -> Self {
        let (tls, pem) = tls_for(NAME);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let script = Script { replies: Mutex::default(), offers: offers.to_vec(), tls, at_once, seen: Mutex::default() };
        let script = Arc::new(script);
        let serving = script.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = serving.clone();
                let number = script.enter();
                tokio::spawn(async move {
                    if script.at_once {
                        if let Ok(stream) = script.tls.accept(stream).await {
                            converse(&script, number, true, true, stream).await;
                        }
                    } else if let Some(bare) = converse(&script, number, false, true, stream).await
                        && let Ok(stream) = script.tls.accept(bare).await
                    {
                        converse(&script, number, true, false, stream).await;
                    }
                    script.seen.lock().unwrap().now -= 1;
                });
            }
        });
        Self { at, pem, script }
    }

    /// Lays out what to say to a verb; `CLOSE` ends the connection, `HANG` says nothing any more.
    pub fn on(&self, verb: &'static str, replies: impl IntoIterator<Item = &'static str>) {
        self.script.replies.lock().unwrap().insert(verb, replies.into_iter().collect());
    }

    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.script.seen.lock().unwrap())
    }

    /// The verbs said, in order.
    pub fn verbs(&self) -> Vec<String> {
        self.seen(|seen| seen.said.iter().map(|(_, _, line)| line.split([' ', ':']).next().unwrap().to_owned()).collect())
    }
}

impl Script {
    fn enter(&self) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.connections += 1;
        seen.now += 1;
        seen.most = seen.most.max(seen.now);
        seen.connections
    }

    fn reply(&self, verb: &str, usual: &str) -> String {
        let mut replies = self.replies.lock().unwrap();
        replies.get_mut(verb).and_then(VecDeque::pop_front).unwrap_or(usual).to_owned()
    }
}

/// Says a reply; false where the connection ends with it.
async fn answer(stream: &mut (impl AsyncWrite + Unpin), reply: &str) -> bool {
    match reply {
        "CLOSE" => return false,
        "HANG" => std::future::pending().await,
        _ => {}
    }
    let said = stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok() && stream.flush().await.is_ok();
    // 421 is a goodbye.
    said && !reply.starts_with("421")
}

/// One conversation; gives the stream back where it is to be turned to TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(script: &Script, number: usize, tls: bool, greet: bool, stream: S) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greet && !answer(&mut stream, &script.reply("CONNECT", "220 mail.example ESMTP")).await {
        return None;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let verb = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
        script.seen.lock().unwrap().said.push((number, tls, line));
        let usual = match verb.as_str() {
            "EHLO" => {
                let mut lines = vec![NAME];
                lines.extend(script.offers.iter().filter(|offer| !(tls && **offer == "STARTTLS")));
                let last = lines.len() - 1;
                let lines = lines.iter().enumerate().map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }));
                lines.collect::<Vec<_>>().join("\r\n")
            }
            "STARTTLS" => "220 go on".to_owned(),
            "AUTH" => "235 2.7.0 welcome".to_owned(),
            "DATA" => "354 go on".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 2.1.0 ok".to_owned(),
        };
        let reply = script.reply(&verb, &usual);
        if !answer(&mut stream, &reply).await {
            return None;
        }
        match (verb.as_str(), reply.as_str()) {
            ("STARTTLS", "220 go on") => return Some(stream.into_inner()),
            ("DATA", "354 go on") => {
                let mail = mail(&mut stream).await?;
                script.seen.lock().unwrap().mails.push(mail);
                if !answer(&mut stream, &script.reply(".", "250 2.0.0 queued as 7")).await {
                    return None;
                }
            }
            ("QUIT", _) => return None,
            _ => {}
        }
    }
}

/// A mail up to the line that is a dot.
async fn mail(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(mail);
        }
        mail.push_str(line.strip_prefix('.').filter(|_| line.starts_with("..")).unwrap_or(&line));
    }
}
