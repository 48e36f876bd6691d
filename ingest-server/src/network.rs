//! Addresses of one network, as settings name them: `10.0.0.9`, `172.31.87.0/24`, `fd00::/8`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    /// How many of the first bits are the network's.
    bits: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no address such as 10.0.0.9 and no network such as 172.31.87.0/24")]
pub struct NotANetwork(String);

const fn longest(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The network's bits of an address.
fn prefix(address: IpAddr, bits: u8) -> u128 {
    let all = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    all.checked_shr(128 - u32::from(bits)).unwrap_or(0)
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        // A socket for both kinds gives those of version 4 in the form of version 6.
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && prefix(address, self.bits) == prefix(self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = bits.map_or(Ok(longest(address)), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > longest(address) {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == longest(self.address) {
            return write!(f, "{}", self.address);
        }
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        for (network, address, expected) in [
            ("10.0.0.9", "10.0.0.9", true),
            ("10.0.0.9", "10.0.0.8", false),
            ("172.31.87.0/24", "172.31.87.1", true),
            ("172.31.87.0/24", "::ffff:172.31.87.1", true),
            ("172.31.87.0/24", "172.31.88.1", false),
            ("172.31.87.77/24", "172.31.87.1", true),
            ("10.0.0.0/8", "10.200.0.1", true),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), expected, "{network} {address}");
            assert_eq!(parsed.to_string().parse::<Network>().unwrap(), parsed);
        }
        for text in ["", "proxy", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fd00::/129", "10.0.0/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
