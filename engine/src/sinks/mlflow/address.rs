//! The address of a server, as the experiment has it.

use serde::{Deserialize, Serialize};

/// An address of a server, without a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(pub(super) String);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Address, String> {
        let none = || format!("`{text}` is no address of a server; one is `http://127.0.0.1:5000`");
        let parsed: ureq::http::Uri = text.parse().map_err(|_| none())?;
        let host = parsed.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if host.contains('@') {
            // the experiment is written into the run's folder, where others read it
            let told = "the address of the server holds a password: put it into `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`";
            return Err(told.to_owned());
        }
        match matches!(parsed.scheme_str(), Some("http" | "https")) && !host.is_empty() && parsed.query().is_none() {
            true => Ok(Address(text)),
            false => Err(none()),
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_where_it_stands_in_the_experiment() {
        for right in ["http://127.0.0.1:5000", "https://tracking.example.org/mlflow/"] {
            assert_eq!(ron::from_str::<Address>(&format!("{right:?}")).unwrap().0, right);
        }
        for wrong in
            ["127.0.0.1:5000", "nonsense", "", "ftp://x", "http://", "http://x?y=1", "sqlite:///a.db", "http://a b"]
        {
            let error = ron::from_str::<Address>(&format!("{wrong:?}")).unwrap_err().to_string();
            assert!(error.contains("is no address of a server; one is `http://127.0.0.1:5000`"), "{error}");
        }
        let error = ron::from_str::<Address>(r#""http://me:secret@x""#).unwrap_err().to_string();
        assert!(error.contains("MLFLOW_TRACKING_PASSWORD") && !error.contains("secret"), "{error}");
    }
}
