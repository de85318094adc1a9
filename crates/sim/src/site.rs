//! What a handler is given beside the request: the cloud, and the names it was called by.

use crate::{cloud::Cloud, realm::Realm};
use std::{collections::HashMap, sync::Arc};

#[derive(Clone)]
pub struct Site {
    pub cloud: Arc<Cloud>,
    pub realm: Realm,
}

/// Parameters of a query or a form; the last of a repeated name counts.
pub type Params = HashMap<String, String>;

pub fn params(encoded: &[u8]) -> Params {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}
