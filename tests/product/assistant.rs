//! An assistant on loopback that says one sentence, for the operations and tests that ask one.

use bailiwick_server::config::Config;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, OnceLock};

/// What it says.
pub const SAID: &str = "Afterwards fewer people may invite guests.";

/// The bodies of the questions it was asked.
pub static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Listens, once for the whole test binary.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream);
            }
        });
        address
    })
}

fn answer(mut stream: std::net::TcpStream) -> std::io::Result<()> {
    let (mut asked, mut buffer) = (Vec::new(), [0; 4096]);
    let body = loop {
        let read = stream.read(&mut buffer)?;
        asked.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&asked).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
        if body.len() >= length || read == 0 {
            break body.to_owned();
        }
    };
    ASKED.lock().unwrap().push(body);
    let said = serde_json::json!({"choices": [{"message": {"role": "assistant", "content": SAID}}]}).to_string();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}", said.len())
}

/// Gives an environment this assistant.
pub fn configure(config: &mut Config) {
    config.assistant.url = format!("http://{}/v1/chat/completions", address());
    config.assistant.model = "one-sentence".into();
    config.assistant.private_ranges = vec!["127.0.0.0/8".into()];
}
