//! Names that AWS gives: Regions, accounts and ARNs, taken apart and checked.

/// Whether a text has the form of a Region's code, such as `eu-west-1` or `us-gov-west-1`. It
/// becomes part of a host name, so nothing else may pass.
pub fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let (Some(area), Some(number)) = (parts.next(), parts.next_back()) else { return false };
    let places: Vec<&str> = parts.collect();
    letters(area)
        && (2..=4).contains(&area.len())
        && !places.is_empty()
        && places.iter().all(|place| letters(place))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && text.len() <= 32
}

/// Whether a text is an AWS account id: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The parts of an ARN: partition, service, Region, account and what follows.
pub struct Arn<'a> {
    /// The service, such as `sns`.
    pub service: &'a str,
    /// The Region, empty for services that have none.
    pub region: &'a str,
    /// The account id, empty where the resource belongs to nobody.
    pub account_id: &'a str,
    /// What names the resource within the service.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` when it is not one.
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let (prefix, partition) = (parts.next()?, parts.next()?);
        let (service, region, account_id, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sound = prefix == "arn"
            && partition.starts_with("aws")
            && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && !resource.is_empty();
        sound.then_some(Arn { service, region, account_id, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_like_a_region_passes() {
        for region in ["eu-west-1", "us-gov-west-1", "ap-southeast-12", "us-iso-east-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "all",
            "eu-west",
            "eu-west-",
            "EU-WEST-1",
            "eu-west-1 ",
            "eu_west_1",
            "eu-west-1.evil.com",
            "e-west-1",
            "eu-1",
            "eu--1",
            "eu-west-123",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
