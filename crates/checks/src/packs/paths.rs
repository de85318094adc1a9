//! What a pack may ask for: reads of Graph and Resource Manager, by a path from the service's own root, of settings and never of what
//! people write.

use super::manifest::Read;
use crate::{Placeholder, Service};

/// Parts of a path behind which lies what people wrote, drew or said.
const CONTENT: &[&str] = &[
    "messages",
    "mailfolders",
    "events",
    "calendar",
    "calendars",
    "calendarview",
    "calendargroups",
    "contacts",
    "contactfolders",
    "drive",
    "drives",
    "onenote",
    "chats",
    "photo",
    "photos",
    "insights",
    "outlook",
    "todo",
    "planner",
    "joinedteams",
    "transcripts",
    "recordings",
    "attachments",
    "inferenceclassification",
    "search",
    "$value",
    "content",
    "listkeys",
    "listsecrets",
    "getalltranscripts",
    "mailboxsettings",
    "people",
    "threads",
    "conversations",
    "posts",
    "channels",
    "lists",
    "items",
    "pages",
    "onlinemeetings",
    "communications",
    "callrecords",
    "education",
    "workbook",
    "followedsites",
    "getallmessages",
    "activities",
];

/// Parts of a path behind which lie passwords, keys and values: Graph's recovery keys and local administrators' passwords, and what
/// Resource Manager gives out to a GET.
const VALUES: &[&str] = &[
    "recoverykeys",
    "devicelocalcredentials",
    "admin",
    "variables",
    "keyvalues",
    "deployments",
    "credentials",
    "getomasettingplaintextvalue",
];

/// Query parameters that name no member of an answer.
const PLAIN: &[&str] = &["$filter", "$orderby", "$top", "$skip", "$count", "api-version"];

/// Query parameters may bring along what a path may not name.
fn permit_query(path: &str) -> Result<(), String> {
    let Some((_, query)) = path.split_once('?') else { return Ok(()) };
    for parameter in crate::plan::parameters(query) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if PLAIN.contains(&name) {
            continue;
        }
        let words = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '$');
        let content = words.map(str::to_ascii_lowercase).find(|word| CONTENT.contains(&word.as_str()) || VALUES.contains(&word.as_str()));
        if let Some(content) = content {
            return Err(format!("{path}: {content} is what people write or keep; a pack reads settings."));
        }
        if parameter.contains('%') {
            return Err(format!("{path}: write {name} without percent signs, so that it can be seen what it names."));
        }
    }
    Ok(())
}

/// # Errors
/// Why a request is not one that a pack may make.
pub fn permit(read: &Read) -> Result<(), String> {
    let Read { service, path, method, .. } = read;
    if let Some(method) = method.as_deref().filter(|method| *method != "GET") {
        return Err(format!("{method} {path}: a pack reads and never changes anything; only GET is allowed."));
    }
    let rooted = match service {
        Service::Graph => ["/v1.0/", "/beta/"].iter().any(|root| path.starts_with(root)),
        Service::Arm => path.starts_with("/subscriptions") || path.starts_with("/providers/"),
        Service::Vault | Service::Dns => return Err(format!("{path}: a pack reads Graph and Resource Manager, not {}.", service.as_str())),
    };
    if !rooted {
        return Err(format!(
            "{path}: a path begins at the service's root (/v1.0/ or /beta/ of Graph, /subscriptions or /providers/ of Resource Manager); a host cannot be named."
        ));
    }
    let address = path.split('?').next().unwrap_or(path);
    let odd = |c: char| c.is_control() || c == '\\' || c == '#' || c == '@';
    if path.len() > 1_000
        || address.contains("//")
        || address.contains('%')
        || address.contains(odd)
        || path.contains(char::is_control)
        || address.split('/').any(|part| part == "..")
    {
        return Err(format!("{path:?}: the path is too long or holds what could lead out of the service."));
    }
    let names = |text: &str| -> Option<String> {
        let lower = text.to_ascii_lowercase();
        let found = CONTENT.iter().chain(VALUES).filter(|word| **word != "admin" || *service == Service::Arm);
        found
            .into_iter()
            .find(|content| lower == **content || lower.starts_with(&format!("{content}(")))
            .map(|content| (*content).to_owned())
    };
    if let Some(content) = address.split('/').skip(2).find_map(names) {
        return Err(format!("{path}: {content} is what people write or keep; a pack reads settings."));
    }
    permit_query(path)?;
    if path.contains("$batch") {
        return Err(format!("{path}: name the requests themselves, not a batch."));
    }
    if let Some(unknown) = Placeholder::of(*service, path).iter().find(|placeholder| placeholder.is_reference()) {
        return Err(format!("{path}: {} has no value in a pack.", unknown.text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: Service, path: &str, method: Option<&str>) -> Result<(), String> {
        permit(&Read { service, path: path.to_owned(), method: method.map(str::to_owned), permission: None })
    }

    #[test]
    fn settings_may_be_read() {
        for path in [
            "/v1.0/policies/authorizationPolicy",
            "/beta/settings",
            "/v1.0/admin/sharepoint/settings",
            "/v1.0/applications?$expand=owners($select=id)",
            "/v1.0/users?$select=id,userType&$filter=userType eq 'Guest'",
        ] {
            assert_eq!(asked(Service::Graph, path, None), Ok(()), "{path}");
        }
        assert_eq!(asked(Service::Arm, "/subscriptions/{sub}/providers/Microsoft.Web/sites?api-version=2023-12-01", Some("GET")), Ok(()));
    }

    #[test]
    fn nothing_else_may_be_asked() {
        let refused = [
            (Service::Graph, "/v1.0/users", Some("PATCH"), "only GET is allowed"),
            (Service::Graph, "/v1.0/users", Some("get "), "only GET is allowed"),
            (Service::Graph, "https://evil.example/v1.0/users", None, "a host cannot be named"),
            (Service::Graph, "//evil.example/v1.0/users", None, "a host cannot be named"),
            (Service::Graph, "/v1.0//evil.example", None, "lead out of the service"),
            (Service::Graph, "/v1.0/../me", None, "lead out of the service"),
            (Service::Graph, "/v1.0/%2e%2e/me", None, "lead out of the service"),
            (Service::Graph, "/v1.0/users@evil.example/x", None, "lead out of the service"),
            (Service::Graph, "/v1.0/users/{id}/messages", None, "what people write"),
            (Service::Graph, "/v1.0/users/{id}/Drive/root", None, "what people write"),
            (Service::Graph, "/v1.0/users/a/calendarView(startDateTime='x')", None, "what people write"),
            (Service::Graph, "/v1.0/users?$expand=messages", None, "what people write"),
            (Service::Graph, "/v1.0/users?$top=5&$expand=manager($expand=Drive)", None, "what people write"),
            (Service::Graph, "/v1.0/users?$expand=mess%61ges", None, "without percent signs"),
            (Service::Graph, "/v1.0/users?%24expand=manager", None, "without percent signs"),
            (Service::Graph, "/v1.0/users/{id}/mailboxSettings", None, "what people write"),
            (Service::Graph, "/v1.0/groups/{id}/threads", None, "what people write"),
            (Service::Graph, "/v1.0/sites/root/lists/a/items", None, "what people write"),
            (Service::Graph, "/v1.0/informationProtection/bitlocker/recoveryKeys/{id}?$select=key", None, "what people write"),
            (Service::Graph, "/v1.0/directory/deviceLocalCredentials/{id}?$select=credentials", None, "what people write"),
            (Service::Arm, "/subscriptions/{sub}/x/sites/a/functions/admin/token?api-version=1", None, "what people write"),
            (Service::Graph, "/v1.0/$batch", None, "not a batch"),
            (Service::Graph, "/v1.0/groups/{groupRef}", None, "has no value in a pack"),
            (Service::Arm, "/subscriptions/{sub}/x/listKeys?api-version=1", None, "what people write"),
            (Service::Vault, "{vaultUri}secrets", None, "not vault"),
            (Service::Dns, "TXT contoso.com", None, "not dns"),
        ];
        for (service, path, method, why) in refused {
            let said = asked(service, path, method).unwrap_err();
            assert!(said.contains(why), "{path}: {said}");
        }
    }
}
