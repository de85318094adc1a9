//! The pages a person meets at sign-in: plain HTML that works with keyboard and screen reader, in light and dark, and
//! loads nothing from elsewhere. All text from requests and data is escaped.

use crate::{
    config::{Directory, User},
    entra::error::Happened,
};
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

const STYLE: &str = "
:root{color-scheme:light dark;--back:#f2f2f2;--card:#fff;--text:#1b1b1b;--dim:#5a5a5a;--line:#c8c8c8;--blue:#0067b8;--on-blue:#fff;--bad:#a80000}
@media(prefers-color-scheme:dark){:root{--back:#1f1f1f;--card:#2b2b2b;--text:#f5f5f5;--dim:#c4c4c4;--line:#5a5a5a;--blue:#4da6e8;--on-blue:#0b0b0b;--bad:#ff9b9b}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--back);color:var(--text);font:15px/1.4 'Segoe UI',system-ui,sans-serif}
main{width:min(440px,100%);padding:44px;background:var(--card);box-shadow:0 2px 6px #0003}
.brand{color:var(--dim);font-weight:600;margin:0 0 16px}h1{font-size:24px;font-weight:600;margin:0 0 8px}p{margin:0 0 16px}
ul{list-style:none;margin:16px 0;padding:0}button{font:inherit;cursor:pointer}
.tile{display:flex;gap:12px;align-items:center;width:100%;padding:12px;border:0;border-top:1px solid var(--line);background:none;color:inherit;text-align:left}
.tile:hover{background:var(--back)}.tile span{display:block}.tile .dim{color:var(--dim);font-size:13px}
.face{flex:none;width:36px;height:36px;border-radius:50%;background:var(--blue);color:var(--on-blue);display:grid!important;place-items:center;font-weight:600}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
label{display:block;margin-bottom:4px}input{width:100%;padding:8px;font:inherit;color:inherit;background:var(--card);border:0;border-bottom:1px solid var(--text)}
.actions{display:flex;gap:8px;justify-content:flex-end;margin-top:24px}.actions button{min-width:108px;padding:6px 12px;border:1px solid var(--line);background:var(--card);color:inherit}
.actions .main{background:var(--blue);border-color:var(--blue);color:var(--on-blue)}
.asked{max-height:40vh;overflow:auto;padding:8px 12px;border:1px solid var(--line);font-size:13px}
.bad{color:var(--bad)}.note{margin:24px 0 0;color:var(--dim);font-size:13px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
dl{font-size:13px;color:var(--dim);overflow-wrap:anywhere}dd{margin:0 0 6px}
";

/// Text made safe for element content and quoted attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n<body><main><p class=\"brand\">Simulated Microsoft sign-in</p>\n{main}\n</main></body></html>\n"
    );
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Html(html)).into_response()
}

/// The account picker: one button an account, named `Sign in as {name} {user principal name}`.
pub fn pick(app: &str, users: &[(&Directory, &User)]) -> Response {
    let tiles: String = users
        .iter()
        .map(|(directory, user)| {
            format!(
                "<li><button class=\"tile\" name=\"account\" value=\"{}\"><span class=\"face\" aria-hidden=\"true\">{}</span>\
                 <span><span class=\"unseen\">Sign in as </span><span>{}</span> <span class=\"dim\">{}</span> <span class=\"dim\">{}</span></span></button></li>\n",
                user.oid,
                escape(&user.name.chars().take(1).collect::<String>()),
                escape(&user.name),
                escape(&user.upn),
                escape(&directory.name),
            )
        })
        .collect();
    let main = format!(
        "<h1>Pick an account</h1><p>to continue to {}</p>\n<form method=\"post\"><ul>\n{tiles}\
         <li><button class=\"tile\" name=\"another\" value=\"1\"><span class=\"face\" aria-hidden=\"true\">+</span><span>Use another account</span></button></li></ul>\n\
         <div class=\"actions\"><button name=\"cancel\" value=\"1\">Cancel</button></div></form>\n\
         <p class=\"note\">This is a simulator on this machine. Its accounts are made up and have no passwords.</p>",
        escape(app)
    );
    page(StatusCode::OK, "Sign in to your account", &main)
}

/// "Use another account": the name is typed.
pub fn username(app: &str, typed: &str, problem: Option<&str>) -> Response {
    let (message, described) = match problem {
        Some(problem) => (
            format!("<p class=\"bad\" id=\"problem\" role=\"alert\">{}</p>", escape(problem)),
            " aria-invalid=\"true\" aria-describedby=\"problem\"",
        ),
        None => (String::new(), ""),
    };
    let main = format!(
        "<h1>Sign in</h1><p>to continue to {}</p>\n<form method=\"post\">{message}<label for=\"loginfmt\">Email address</label>\
         <input id=\"loginfmt\" name=\"loginfmt\" type=\"email\" autocomplete=\"username\" required autofocus value=\"{}\"{described}>\n\
         <div class=\"actions\"><button name=\"cancel\" value=\"1\" formnovalidate>Cancel</button><button class=\"main\">Next</button></div></form>",
        escape(app),
        escape(typed)
    );
    page(StatusCode::OK, "Sign in to your account", &main)
}

/// What an administrator is asked: the permissions, by name, with Accept and Cancel.
pub fn consent(app: &str, directory: &Directory, user: &User, permissions: &[&str]) -> Response {
    let listed: String = permissions.iter().map(|permission| format!("<li>{}</li>\n", escape(permission))).collect();
    let main = format!(
        "<h1>Permissions requested</h1><p>Review for {}</p><p><strong>{}</strong> would like to, without a signed-in user:</p>\n<ul class=\"asked\" tabindex=\"0\" aria-label=\"Permissions\">\n{listed}</ul>\n\
         <p>If you accept, this app gets access to the specified resources for all users in your organization.</p>\n\
         <form method=\"post\"><input type=\"hidden\" name=\"account\" value=\"{}\">\n\
         <div class=\"actions\"><button name=\"cancel\" value=\"1\">Cancel</button><button class=\"main\" name=\"accept\" value=\"1\">Accept</button></div></form>\n\
         <p class=\"note\">Signed in as {}. This is a simulator on this machine.</p>",
        escape(&directory.name),
        escape(app),
        user.oid,
        escape(&user.upn)
    );
    page(StatusCode::OK, "Permissions requested", &main)
}

/// Errors that are not the application's business. Microsoft answers these with 200; so does this.
pub fn error(happened: &Happened) -> Response {
    let main = format!(
        "<h1>Sign in</h1><p role=\"alert\">Sorry, but we’re having trouble signing you in.</p><p class=\"bad\">AADSTS{}: {}</p>\n\
         <h2 class=\"unseen\">Troubleshooting details</h2><dl><dt>Request Id</dt><dd>{}</dd><dt>Correlation Id</dt><dd>{}</dd><dt>Timestamp</dt><dd>{}</dd></dl>",
        happened.error.code,
        escape(&happened.error.text),
        happened.trace,
        happened.correlation,
        happened.at
    );
    page(StatusCode::OK, "Sign in to your account", &main)
}

pub fn signed_out() -> Response {
    page(StatusCode::OK, "Sign out", "<h1>You signed out of your account</h1><p>It’s a good idea to close all browser windows.</p>")
}

/// `response_mode=form_post`: a form that sends itself, with a button where scripts are off.
pub fn form_post(uri: &str, values: &[(&str, String)]) -> Response {
    let inputs: String = values
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value)))
        .collect();
    let main = format!(
        "<h1>Working...</h1><form name=\"hiddenform\" method=\"post\" action=\"{}\">{inputs}<noscript><p>Scripts are off. Press the button to go on.</p>\
         <div class=\"actions\"><button class=\"main\">Submit</button></div></noscript></form><script>document.forms[0].submit()</script>",
        escape(uri)
    );
    page(StatusCode::OK, "Working...", &main)
}
