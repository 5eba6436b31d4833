//! The SDK's own settings of endpoints and proxies.
//!
//! It passes over what it does not understand, and fails at every request where two of them contradict each other. A
//! proxy that cannot be understood would be passed by in silence. So they are checked at start.

use super::reader::Problem;

/// The SDK's settings of endpoints that are on or off.
const ENDPOINT_FLAGS: [&str; 3] =
    ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

/// The SDK's settings of endpoints, for every service and for each.
const ENDPOINTS: [&str; 7] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_MACIE2",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_ACCOUNT",
    "AWS_ENDPOINT_URL_ORGANIZATIONS",
    "AWS_ENDPOINT_URL_S3",
];

/// The settings of proxies. `NO_PROXY` may hold anything.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What is wrong with them.
pub(super) fn problems(value: impl Fn(&str) -> Option<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |variable, value, expected: &str| {
        problems.push(Problem { variable, value: Some(value), expected: expected.to_owned() });
    };
    let [fips, dual_stack, ignored] = ENDPOINT_FLAGS.map(|variable| {
        let flag = value(variable).map(|value| value.to_ascii_lowercase());
        let is_on = flag.as_deref() == Some("true");
        if let Some(flag) = flag.filter(|flag| !["true", "false"].contains(&flag.as_str())) {
            problem(variable, flag, "`true` or `false`");
        }
        is_on
    });
    for variable in ENDPOINTS {
        match value(variable).filter(|_| !ignored) {
            Some(url) if !is_url(&url) => problem(variable, url, "the URL of an endpoint"),
            Some(url) if fips || dual_stack => {
                problem(variable, url, "possible beside AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT");
            }
            _ => {}
        }
    }
    for variable in PROXIES {
        if let Some(value) = value(variable) {
            let url = if value.contains("://") { value.clone() } else { format!("http://{value}") };
            if !is_url(&url) {
                problem(variable, value, "the URL of a proxy, such as http://proxy.example.com:3128");
            }
        }
    }
    problems
}

/// Whether a text is the URL of a host, and nothing in it would be lost.
fn is_url(url: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(authority) = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or_default()) else { return false };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_closed = host.starts_with('[') == host.contains(']');
    !host.is_empty() && !host.starts_with(':') && is_closed && url.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Vec<Problem> {
        problems(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_endpoint_or_a_proxy_that_would_be_passed_over_is_refused() {
        for (variable, value) in [
            ("AWS_USE_FIPS_ENDPOINT", "yes"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "1"),
            ("AWS_ENDPOINT_URL", "not a url"),
            ("AWS_ENDPOINT_URL_S3", "ftp://host"),
            ("AWS_ENDPOINT_URL_SNS", "http://"),
            ("AWS_ENDPOINT_URL_STS", "https:///path"),
            ("HTTPS_PROXY", "http://[bad"),
            ("http_proxy", "::not a url::"),
            ("HTTP_PROXY", "http://:3128"),
            ("all_proxy", "socks5://host"),
        ] {
            let problems = read(&[(variable, value)]);
            assert_eq!(problems.iter().map(|p| p.variable).collect::<Vec<_>>(), [variable], "{value}");
        }
        for (variable, value) in [
            ("AWS_USE_FIPS_ENDPOINT", "TRUE"),
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("AWS_ENDPOINT_URL_ACCOUNT", "http://127.0.0.1:4570/base"),
            ("AWS_ENDPOINT_URL_MACIE2", "https://vpce-1.macie2.us-east-1.vpce.amazonaws.com"),
            ("HTTPS_PROXY", "proxy.example.com:3128"),
            ("https_proxy", "http://user:pass@[::1]:3128/"),
            ("HTTP_PROXY", "https://proxy"),
        ] {
            assert!(read(&[(variable, value)]).is_empty(), "{variable}={value}");
        }
        let both = |more: (&str, &str)| {
            let endpoint = ("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1");
            read(&[("AWS_USE_DUALSTACK_ENDPOINT", "true"), endpoint, more])
        };
        let problems = both(("NO_PROXY", "*"));
        assert_eq!((problems.len(), problems[0].variable), (1, "AWS_ENDPOINT_URL_SNS"));
        assert!(both(("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")).is_empty());
    }
}
