//! A name server on loopback for the scenarios' domains: TXT and CNAME over UDP (RFC 1035), for programs that ask the
//! network. A name it does not know does not exist; a name of another type has no records.

use crate::cloud::Cloud;
use std::{net::SocketAddr, sync::Arc};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

const CNAME: u16 = 5;
const TXT: u16 = 16;
/// Seconds a record may be kept.
const TTL: u32 = 60;
/// No query of ours is longer (RFC 1035, 4.2.1).
const LONGEST: usize = 512;

/// Answers until told to stop.
pub async fn serve(socket: UdpSocket, cloud: Arc<Cloud>, stop: CancellationToken) {
    let mut packet = [0u8; LONGEST];
    loop {
        let (length, from): (usize, SocketAddr) = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut packet) => match received {
                Ok(received) => received,
                Err(error) => { tracing::debug!(%error, "receiving a query failed"); continue }
            },
        };
        if let Some(answer) = answer(&cloud, &packet[..length])
            && let Err(error) = socket.send_to(&answer, from).await
        {
            tracing::debug!(%error, "sending an answer failed");
        }
    }
}

/// The question of a query.
struct Question<'a> {
    name: String,
    kind: u16,
    /// As it came, to be repeated.
    raw: &'a [u8],
}

/// The whole answer; nothing for what is not a query.
fn answer(cloud: &Cloud, packet: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = packet.split_at_checked(12)?;
    let is_answer = header[2] & 0x80 != 0;
    if is_answer || header[4..6] != [0, 1] {
        return None;
    }
    let question = read_question(rest)?;
    let records = cloud.dns_records(question.kind, &question.name);
    let known = records.is_some() || cloud.dns_records(TXT, &question.name).or_else(|| cloud.dns_records(CNAME, &question.name)).is_some();
    let records = records.unwrap_or_default();
    let mut answer = header[..2].to_vec();
    // An authoritative answer that repeats "recursion desired"; code 3 says that there is no such name.
    answer.extend([0x84 | header[2] & 0x01, if known { 0x80 } else { 0x83 }]);
    answer.extend([0, 1]);
    answer.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question.raw);
    for record in records {
        let data = if question.kind == TXT { text(&record) } else { name(&record) };
        answer.extend([0xc0, 12]); // the name of the question
        answer.extend(question.kind.to_be_bytes());
        answer.extend([0, 1]);
        answer.extend(TTL.to_be_bytes());
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

fn read_question(rest: &[u8]) -> Option<Question<'_>> {
    let (mut labels, mut at) = (Vec::new(), 0);
    loop {
        let length = usize::from(*rest.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        if length > 63 {
            return None; // a query does not compress its name
        }
        labels.push(String::from_utf8_lossy(rest.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]);
    Some(Question { name: labels.join("."), kind, raw: rest.get(..at + 4)? })
}

/// Strings of at most 255 bytes, each with its length.
fn text(record: &str) -> Vec<u8> {
    let strings = record.as_bytes().chunks(255);
    strings.flat_map(|string| std::iter::once(string.len() as u8).chain(string.iter().copied())).collect()
}

fn name(record: &str) -> Vec<u8> {
    let labels = record.trim_end_matches('.').split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| std::iter::once(label.len().min(63) as u8).chain(label.bytes().take(63))).chain(std::iter::once(0)).collect()
}

/// The name of a record type in scenario files.
pub fn kind_name(kind: u16) -> Option<&'static str> {
    match kind {
        TXT => Some("txt"),
        CNAME => Some("cname"),
        _ => None,
    }
}
