//! Who asks, and where: from the environment and the files that the tools of AWS use.

use super::MirrorError;
use rusty_s3::Credentials;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a request needs to know. It has no `Debug`: nothing prints it.
pub(super) struct Access {
    pub(super) credentials: Credentials,
    pub(super) region: String,
    /// Another server than that of AWS: `http://127.0.0.1:9000`.
    pub(super) endpoint: Option<String>,
}

impl Access {
    /// From the environment, and for what it does not say from the files.
    ///
    /// # Errors
    /// When there is no key, or half of one.
    pub(super) fn find() -> Result<Access, MirrorError> {
        Access::of(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()), &|path| {
            std::fs::read_to_string(path).ok()
        })
    }

    fn of(
        variable: &dyn Fn(&str) -> Option<String>,
        read: &dyn Fn(&PathBuf) -> Option<String>,
    ) -> Result<Access, MirrorError> {
        let home = variable("HOME").map(|home| PathBuf::from(home).join(".aws"));
        let file = |name: &str, usual: &str| {
            variable(name).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(usual)))
        };
        let (secrets, config) = (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), file("AWS_CONFIG_FILE", "config"));
        let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let settings = |path: &Option<PathBuf>, section: &str| {
            path.as_ref().and_then(read).map(|text| section_of(&text, section)).unwrap_or_default()
        };
        let mut known =
            settings(&config, &if profile == "default" { profile.clone() } else { format!("profile {profile}") });
        known.extend(settings(&secrets, &profile));
        let given = |variables: &[&str], key: &str| {
            variables.iter().find_map(|name| variable(name)).or_else(|| known.get(key).cloned())
        };
        // a key and its secret belong together, and are taken from one place
        let pair = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(key), Some(secret)) => Some((key, secret, variable("AWS_SESSION_TOKEN"))),
            (None, None) => known
                .get("aws_access_key_id")
                .cloned()
                .zip(known.get("aws_secret_access_key").cloned())
                .map(|(key, secret)| (key, secret, known.get("aws_session_token").cloned())),
            (Some(_), None) => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
            (None, Some(_)) => return Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        };
        let Some((key, secret, token)) = pair else {
            let place =
                secrets.map_or_else(|| "`~/.aws/credentials`".to_owned(), |path| format!("`{}`", path.display()));
            return Err(MirrorError::Credentials(format!(
                "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or write them into the profile `{profile}` of {place}"
            )));
        };
        let credentials = match token {
            Some(token) => Credentials::new_with_token(key, secret, token),
            None => Credentials::new(key, secret),
        };
        Ok(Access {
            credentials,
            region: given(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region").unwrap_or_else(|| "us-east-1".to_owned()),
            endpoint: given(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], "endpoint_url"),
        })
    }
}

fn half(there: &str, missing: &str) -> MirrorError {
    MirrorError::Credentials(format!("`{there}` is set, and `{missing}` is not"))
}

/// The settings of one section of an INI file.
fn section_of(text: &str, section: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        // indented lines belong to a setting of their own above
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.split_whitespace().eq(section.split_whitespace());
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside && !nested) {
            found.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key=S\n\n[ other ]\n# no\naws_access_key_id=B\n\
                           aws_secret_access_key = T\naws_session_token = U\n";
    const CONFIG: &str =
        "[default]\nregion = eu-north-1\ns3 =\n  endpoint_url = no\n[profile other]\nendpoint_url = http://h:1\n";

    fn found(variables: &[(&str, &str)]) -> Result<Access, MirrorError> {
        let variable = |name: &str| {
            let given = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            given.or_else(|| (name == "HOME").then(|| "/h".to_owned()))
        };
        Access::of(&variable, &|path| match path.to_str() {
            Some("/h/.aws/credentials") => Some(SECRETS.to_owned()),
            Some("/h/.aws/config") => Some(CONFIG.to_owned()),
            _ => None,
        })
    }

    fn told(access: &Access) -> (&str, &str, Option<&str>, &str, Option<&str>) {
        let held = &access.credentials;
        (held.key(), held.secret(), held.token(), &access.region, access.endpoint.as_deref())
    }

    #[test]
    fn the_environment_comes_before_the_files() {
        assert_eq!(told(&found(&[]).unwrap_or_else(|e| panic!("{e}"))), ("A", "S", None, "eu-north-1", None));
        let other = found(&[("AWS_PROFILE", "other"), ("AWS_REGION", "x")]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(told(&other), ("B", "T", Some("U"), "x", Some("http://h:1")));
        let own = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "F"), ("AWS_ENDPOINT_URL", "http://e")];
        assert_eq!(
            told(&found(&own).unwrap_or_else(|e| panic!("{e}"))),
            ("E", "F", None, "eu-north-1", Some("http://e"))
        );
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_told_of_the_rest() {
        let error = |variables: &[(&str, &str)]| found(variables).map(|_| ()).unwrap_err().to_string();
        let text = error(&[("AWS_PROFILE", "none")]);
        assert!(text.contains("the profile `none` of `/h/.aws/credentials`"), "{text}");
        let text = error(&[("AWS_ACCESS_KEY_ID", "HUSH")]);
        assert!(text.contains("`AWS_SECRET_ACCESS_KEY` is not") && !text.contains("HUSH"), "{text}");
    }
}
