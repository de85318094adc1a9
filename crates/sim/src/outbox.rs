//! Mail that applications sent through Graph, as tests and the demo read it. Nothing leaves.

use crate::cloud::lock;
use bailiwick_base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::VecDeque, sync::Mutex};
use uuid::Uuid;

/// One mail that was taken for sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub at: Timestamp,
    pub directory: Uuid,
    pub client_id: Uuid,
    /// Sign-in name of the mailbox it was sent from.
    pub mailbox: String,
    /// The `message` as it was sent; of a MIME message, its text.
    pub message: Value,
    pub save_to_sent_items: bool,
}

/// Older mail is forgotten past this many.
const KEPT: usize = 100_000;

#[derive(Default)]
pub struct Outbox(Mutex<VecDeque<Mail>>);

impl Outbox {
    pub fn add(&self, mail: Mail) {
        let mut mails = lock(&self.0);
        if mails.len() == KEPT {
            mails.pop_front();
        }
        mails.push_back(mail);
    }
    pub fn all(&self) -> Vec<Mail> {
        lock(&self.0).iter().cloned().collect()
    }
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}
