//! Which wallets the accounts belong to, and the text that says so: `alipay=3,apple_pay=1`, or names alone for equal
//! shares.

use std::fmt;
use std::str::FromStr;

/// A wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// `alipay`
    Alipay,
    /// `wechat_pay`
    WechatPay,
    /// `apple_pay`
    ApplePay,
    /// `google_pay`
    GooglePay,
}

impl Wallet {
    /// All wallets with their names, in the order of the enum.
    pub const ALL: [(Wallet, &'static str); 4] = [
        (Wallet::Alipay, "alipay"),
        (Wallet::WechatPay, "wechat_pay"),
        (Wallet::ApplePay, "apple_pay"),
        (Wallet::GooglePay, "google_pay"),
    ];

    /// The wallet's name in events.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether it holds a balance that can be topped up and sent to people; the others hold cards to pay with.
    pub fn has_balance(self) -> bool {
        matches!(self, Wallet::Alipay | Wallet::WechatPay)
    }
}

/// Slots that the wallets share, so that one draw of six bits picks one.
const SLOTS: usize = 64;

/// The wallets with their shares of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wallets([Wallet; SLOTS]);

impl Wallets {
    /// Shares by weight; at least one weight is above 0, and all are at most 1000.
    fn new(weights: [u32; Wallet::ALL.len()]) -> Self {
        let total: u32 = weights.iter().sum::<u32>().max(1);
        let mut slots = [Wallet::Alipay; SLOTS];
        for (index, slot) in slots.iter_mut().enumerate() {
            // The middle of the slot, in units of the weights: below their total.
            let mut place = (2 * index as u32 + 1) * total / (2 * SLOTS as u32);
            for ((wallet, _), weight) in Wallet::ALL.into_iter().zip(weights) {
                if place < weight {
                    *slot = wallet;
                    break;
                }
                place -= weight;
            }
        }
        Wallets(slots)
    }

    /// The wallet drawn by the lowest bits.
    pub fn draw(&self, bits: u64) -> Wallet {
        self.0[bits as usize % SLOTS]
    }
}

impl Default for Wallets {
    /// Three in eight use each of the two large ones, one in eight each of the others.
    fn default() -> Self {
        Wallets::new([3, 3, 1, 1])
    }
}

/// What is wrong with a list of wallets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// No such wallet.
    #[error("no wallet is called `{name}`{}; there are {}", DidYouMean(.near), Wallet::ALL.map(|(_, name)| name).join(", "))]
    Unknown {
        /// As written.
        name: String,
        /// One that is spelt nearly so.
        near: Option<&'static str>,
    },
    /// No whole number after `=`.
    #[error("`{0}` is not NAME or NAME=SHARE with a whole number from 0 to 1000, as in `alipay=3`")]
    Share(String),
    /// A wallet was named before.
    #[error("`{0}` is named twice; give it one share")]
    Repeated(&'static str),
    /// Nothing is left.
    #[error("no wallet has a share; name at least one, as in `alipay=3,apple_pay=1`")]
    None,
}

struct DidYouMean<'a>(&'a Option<&'static str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(out, ", did you mean `{name}`?"))
    }
}

impl FromStr for Wallets {
    type Err = WalletError;

    fn from_str(text: &str) -> Result<Self, WalletError> {
        let mut weights = [None; Wallet::ALL.len()];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (wallet, weight) = parse_part(part)?;
            if weights[wallet as usize].replace(weight).is_some() {
                return Err(WalletError::Repeated(wallet.name()));
            }
        }
        let weights = weights.map(Option::unwrap_or_default);
        if weights.iter().sum::<u32>() == 0 { Err(WalletError::None) } else { Ok(Wallets::new(weights)) }
    }
}

fn parse_part(part: &str) -> Result<(Wallet, u32), WalletError> {
    let (name, share) = part.split_once('=').unwrap_or((part, "1"));
    let (name, share) = (name.trim(), share.trim());
    let found = Wallet::ALL.into_iter().find(|(_, known)| *known == name);
    let (wallet, _) = found.ok_or_else(|| WalletError::Unknown { name: name.to_owned(), near: nearest(name) })?;
    match share.parse() {
        Ok(weight @ 0..=1000) if share.bytes().all(|byte| byte.is_ascii_digit()) => Ok((wallet, weight)),
        _ => Err(WalletError::Share(part.to_owned())),
    }
}

fn nearest(text: &str) -> Option<&'static str> {
    let likeness = |name: &str| strsim::jaro_winkler(name, text);
    let (_, name) = Wallet::ALL.into_iter().max_by(|a, b| likeness(a.1).total_cmp(&likeness(b.1)))?;
    (likeness(name) >= 0.75).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<[usize; 4], &str>) {
        match (text.parse::<Wallets>().map_err(|error| error.to_string()), expected) {
            (Ok(wallets), Ok(slots)) => {
                let count = |wallet| wallets.0.iter().filter(|slot| **slot == wallet).count();
                assert_eq!(Wallet::ALL.map(|(wallet, _)| count(wallet)), slots, "{text}");
            }
            (Err(message), Err(start)) => assert!(message.starts_with(start), "{text}: {message}"),
            (found, expected) => panic!("{text}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn shares_are_read_or_explained() {
        check("alipay=3,wechat_pay=3,apple_pay,google_pay=1", Ok([24, 24, 8, 8]));
        check("apple_pay", Ok([0, 0, 64, 0]));
        check(" google_pay = 1 , alipay = 1 ,", Ok([32, 0, 0, 32]));
        check("alipay=0,apple_pay=1000", Ok([0, 0, 64, 0]));
        check("alipai", Err("no wallet is called `alipai`, did you mean `alipay`?; there are alipay, wechat_pay"));
        check("cash", Err("no wallet is called `cash`; there are"));
        check("alipay=1001", Err("`alipay=1001` is not NAME or NAME=SHARE"));
        check("alipay=+1", Err("`alipay=+1` is not"));
        check("alipay,alipay", Err("`alipay` is named twice"));
        check("", Err("no wallet has a share"));
        check("alipay=0", Err("no wallet has a share"));
    }

    #[test]
    fn names_stand_in_the_order_of_the_enum() {
        for (index, (wallet, name)) in Wallet::ALL.into_iter().enumerate() {
            assert_eq!((wallet as usize, wallet.name()), (index, name));
        }
        assert_eq!("alipay=3,wechat_pay=3,apple_pay=1,google_pay=1".parse(), Ok(Wallets::default()));
    }
}
