//! A CONNECT proxy on loopback that leads Microsoft's names to the simulator and refuses every other: a client that
//! is pointed here cannot reach anything real by mistake.

use crate::ca::stands_in_for;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// Request line and headers may not be longer.
const MAX_HEAD: usize = 16 * 1024;

pub async fn serve(listener: TcpListener, sim: SocketAddr, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = accepted {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    result = tunnel(stream, sim) => if let Err(error) = result { tracing::debug!(%error, "tunnel ended") },
                }
            });
        }
    }
}

async fn tunnel(stream: TcpStream, sim: SocketAddr) -> io::Result<()> {
    let mut client = BufReader::new(stream);
    let Some(target) = read_target(&mut client).await? else {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    };
    if !allowed(&target) {
        let text = format!("The simulator's proxy leads to Microsoft's names on port 443 only, not to {target}.\n");
        let head = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        return client.write_all(head.as_bytes()).await;
    }
    let mut server = TcpStream::connect(sim).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

fn allowed(target: &str) -> bool {
    target.rsplit_once(':').is_some_and(|(host, port)| port == "443" && stands_in_for(host))
}

/// The target of a CONNECT request, once its head has been read; `None` for another method.
async fn read_target(client: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let (mut line, mut first, mut read) = (String::new(), None, 0);
    loop {
        line.clear();
        let count = client.read_line(&mut line).await?;
        read += count;
        if count == 0 || read > MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head of the request is cut off or too long"));
        }
        if line.trim_end().is_empty() {
            break;
        }
        first.get_or_insert_with(|| line.trim_end().to_owned());
    }
    let mut words = first.as_deref().unwrap_or_default().split(' ');
    Ok((words.next() == Some("CONNECT")).then(|| words.next().unwrap_or_default().to_owned()))
}
