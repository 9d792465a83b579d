//! Who may look.
//!
//! Without a token only this machine can: the server listens on a loopback address, and answers only requests that name it
//! as their host. So a page from elsewhere whose name was made to lead here (DNS rebinding) gets nothing. With a token, who
//! has it may look from any machine.

use super::http::{Answer, Request};

/// The name of the cookie in which a browser keeps the token.
const COOKIE: &str = "engine_board";

/// The shortest token.
pub const SHORTEST_TOKEN: usize = 16;

/// What a request has to show.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// That it comes from this machine, to this port.
    Loopback(u16),
    /// The token.
    Token(String),
}

impl Access {
    /// Whether the request may be answered.
    ///
    /// # Errors
    /// The answer, when it may not, and when the browser has to take the cookie first.
    pub(super) fn check(&self, request: &Request) -> Result<(), Answer> {
        match self {
            Access::Loopback(port) => {
                let known = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
                match request.host.as_ref().is_some_and(|host| known.contains(&host.to_lowercase())) {
                    true => Ok(()),
                    false => Err(Answer::error(
                        403,
                        "this server answers only to `127.0.0.1` and `localhost`, with its port",
                    )),
                }
            }
            Access::Token(token) => {
                let prefix = format!("{COOKIE}=");
                let mut cookies = request.cookies.split(';').filter_map(|cookie| cookie.trim().strip_prefix(&prefix));
                match request.get("token") {
                    // so that the token stays in no address
                    Some(shown) if request.path == "/" && is_same(shown, token) => {
                        let cookie = format!("Set-Cookie: {COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
                        let headers = vec![cookie, "Location: /".to_owned()];
                        Err(Answer { status: 303, headers, ..Answer::new("text/plain; charset=utf-8", "") })
                    }
                    _ if cookies.any(|cookie| is_same(cookie, token)) => Ok(()),
                    _ => Err(Answer::error(
                        403,
                        "open the page with `/?token=…` and the token that the board was started with",
                    )),
                }
            }
        }
    }
}

/// Whether a token can be written into an address and a cookie as it is, and is not soon guessed.
pub fn check_token(token: &str) -> Result<(), String> {
    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match (token.len() >= SHORTEST_TOKEN, plain) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("a token has at least {SHORTEST_TOKEN} characters, so that nobody guesses it")),
        (_, false) => Err("a token has only letters, digits, `-` and `_`".to_owned()),
    }
}

/// Compares in a time that does not tell how much was right.
fn is_same(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, query: &[(&str, &str)], host: Option<&str>, cookies: &str) -> Request {
        Request {
            path: path.to_owned(),
            query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            host: host.map(str::to_owned),
            cookies: cookies.to_owned(),
            is_head: false,
        }
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered() {
        let status =
            |host| Access::Loopback(6100).check(&request("/", &[], host, "")).err().map(|answer| answer.status);
        for host in ["127.0.0.1:6100", "localhost:6100", "LOCALHOST:6100", "[::1]:6100"] {
            assert_eq!(status(Some(host)), None, "{host}");
        }
        for host in ["evil.example:6100", "127.0.0.1:80", "127.0.0.1", "localhost:6100.evil.example", ""] {
            assert_eq!(status(Some(host)), Some(403), "{host}");
        }
        assert_eq!(status(None), Some(403));
    }

    #[test]
    fn a_token_becomes_a_cookie_and_nothing_else_is_answered() {
        let token = "0123456789abcdef";
        let access = Access::Token(token.to_owned());
        let check = |request: &Request| access.check(request).map_err(|answer| (answer.status, answer.headers));
        let host = Some("evil.example");
        let (status, headers) = check(&request("/", &[("token", token)], host, "")).unwrap_err();
        assert_eq!(status, 303);
        assert!(headers[0].starts_with("Set-Cookie: engine_board=0123456789abcdef; HttpOnly; SameSite=Strict"));
        assert!(check(&request("/api/runs", &[], host, "a=b; engine_board=0123456789abcdef")).is_ok());
        for cookies in ["", "engine_board=", "engine_board=0123456789abcdee", "engine_board=0123456789abcdeff"] {
            assert_eq!(check(&request("/api/runs", &[], host, cookies)).unwrap_err().0, 403, "{cookies}");
        }
        assert_eq!(check(&request("/", &[("token", "0123456789abcdeX")], host, "")).unwrap_err().0, 403);
        assert_eq!(check(&request("/api/runs", &[("token", token)], host, "")).unwrap_err().0, 403);
    }

    #[test]
    fn a_token_that_is_short_or_needs_escapes_is_refused() {
        assert!(check_token("0123456789abc-_Z").is_ok());
        assert!(check_token("short").unwrap_err().contains("at least 16"));
        assert!(check_token("0123456789abcde;").unwrap_err().contains("letters"));
    }
}
