//! The subjects that attempts are counted for, their budgets, and the keys of their rows.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    Engine,
    accounts::{known_browser::BrowserNumber, sessions::SessionHash},
    caller::Visit,
    email::EmailAddress,
    id::{OrgId, UserId},
    network::{Household, Network},
    time::{DAY, HOUR, MINUTE},
};

/// Number of rows that subjects share once the table is full, for each budget size.
pub(super) const SHARED_ROWS: u16 = 4_096;

/// What attempts are counted for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// An account, from one network and browsers unknown to the account. A network is a /24 or a /48, because one customer
    /// of a provider or a tunnel can have all /64 of a /48: otherwise, four of them used up the budget of an account.
    AccountFrom(&'a EmailAddress, &'a Visit),
    /// All accounts, from one network and browsers unknown to the account.
    Network(&'a Visit),
    /// An account, from all browsers unknown to the account.
    Account(&'a EmailAddress),
    /// An account, from one known browser.
    Browser(UserId, BrowserNumber),
    /// Successful sign-ins of an account from one /24 or /64, in browsers that the account does not know.
    SignIns(&'a EmailAddress, &'a Visit),
    /// Successful sign-ins in one browser that the account knows.
    SignInsOfBrowser(UserId, BrowserNumber),
    /// The current password of a user, in one session: a stolen one does not use up the attempts of the others.
    CurrentPassword(UserId, SessionHash),
    /// The codes of a user's second factor, in browsers that the account does not know.
    Code(UserId),
    /// The same in a day: without it, someone who knows the password could guess on and on.
    CodesOfDay(UserId),
    /// The codes of a user's second factor, in one browser that the account knows.
    CodeInBrowser(UserId, BrowserNumber),
    /// The same in a day.
    CodesOfDayInBrowser(UserId, BrowserNumber),
    /// The codes of a signed-in user's second factor, in one session.
    CodeInSession(UserId, SessionHash),
    /// The same in a day.
    CodesOfDayInSession(UserId, SessionHash),
    /// The codes of a signed-in user's second factor in a day, in all sessions together that were started without a code of
    /// it: a password alone was enough to start any number of them. A sign-in with a code starts one with attempts of its own.
    CodesOfDayInSessionsWithoutCode(UserId),
    /// The setup code for the first account, from one network.
    SetupCode(&'a Visit),
    /// New accounts, from one network.
    SignUp(&'a Visit),
    /// Keys that a user looked up by their secrets.
    KeyLookUps(UserId),
    /// Requests for links that set a new password, from one network.
    ResetRequests(&'a Visit),
    /// Letters with such a link to one account.
    ResetMails(UserId),
    /// The letters that an address without an account would have got: it causes the same writes.
    ResetMailsToNobody(&'a EmailAddress),
    /// Letters that a user requested about the address of their account.
    AccountMails(UserId),
    /// Letters with a link to sign up, to one address.
    SignUpMails(&'a EmailAddress),
    /// Letters with invitations to one organization.
    InvitationMails(OrgId),
    /// Letters with invitations to one organization, to one address.
    InvitationMailsTo(OrgId, &'a EmailAddress),
    /// Letters with invitations of one person to one address, whatever the organization: anyone can create several.
    InvitationMailsOf(UserId, &'a EmailAddress),
    /// The first letter in a day that a user has sent to an address that need not be theirs.
    FirstMailTo(UserId, &'a EmailAddress),
    /// The further letters that users have sent to one address: invitations, and changes of their address to it.
    MailsTo(&'a EmailAddress),
    /// Links of invitations that one person creates where no mail is set up, whatever the organization.
    InvitationLinks(UserId),
    /// Requests for keys of one person in one organization, of which its owners are told by mail.
    KeyRequestMails(OrgId, UserId),
    /// Letters that tell a user that their role in this organization was changed, or that they were made an operator of the
    /// instance.
    RoleMails(Option<OrgId>, UserId),
    /// Letters that tell a user that they were removed from this organization, or are no longer an operator. Changes of a role
    /// use up nothing of these.
    EndMails(Option<OrgId>, UserId),
    /// Rounds of letters of one organization to its members without a second factor.
    FactorMails(OrgId),
    /// New accounts of people whom an organization invited at one address. They share no budget with strangers.
    InvitedSignUp(OrgId, &'a EmailAddress),
}

/// The row that counts the attempts of a subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: [u8; 16],
    /// Maximum number of attempts per window.
    pub(super) max: i64,
    /// Length of the window, in milliseconds.
    pub(super) window: i64,
}

impl Subject<'_> {
    /// Maximum number of attempts per window.
    const fn max(self) -> i64 {
        match self {
            Self::AccountFrom(..) | Self::Browser(..) | Self::CurrentPassword(..) => 10,
            Self::Code(_) | Self::CodeInBrowser(..) | Self::CodeInSession(..) => 10,
            Self::CodesOfDay(_) | Self::CodesOfDayInBrowser(..) => 50,
            Self::CodesOfDayInSession(..) | Self::CodesOfDayInSessionsWithoutCode(_) => 50,
            Self::SetupCode(_) | Self::SignUp(_) | Self::KeyLookUps(_) => 10,
            Self::ResetRequests(_) => 10,
            Self::ResetMails(_) | Self::ResetMailsToNobody(_) | Self::AccountMails(_) => 5,
            Self::SignUpMails(_) | Self::InvitationMailsTo(..) | Self::InvitationMailsOf(..) => 5,
            Self::KeyRequestMails(..) | Self::RoleMails(..) | Self::EndMails(..) => 5,
            Self::InvitedSignUp(..) | Self::MailsTo(_) => 10,
            Self::FirstMailTo(..) | Self::FactorMails(_) => 1,
            Self::InvitationMails(_) | Self::InvitationLinks(_) => 100,
            Self::SignIns(..) | Self::SignInsOfBrowser(..) => 60,
            Self::Network(_) => 30,
            Self::Account(_) => 100,
        }
    }

    /// Length of the window, in milliseconds.
    const fn window(self) -> i64 {
        match self {
            Self::KeyLookUps(_) => MINUTE,
            Self::ResetMails(_) | Self::ResetMailsToNobody(_) | Self::AccountMails(_) => HOUR,
            Self::MailsTo(_)
            | Self::SignUpMails(_)
            | Self::InvitationMails(_)
            | Self::InvitationMailsTo(..)
            | Self::InvitationMailsOf(..)
            | Self::InvitationLinks(_) => HOUR,
            Self::FirstMailTo(..) | Self::KeyRequestMails(..) => DAY,
            Self::RoleMails(..) | Self::EndMails(..) | Self::FactorMails(_) => DAY,
            Self::CodesOfDay(_) | Self::CodesOfDayInBrowser(..) => DAY,
            Self::CodesOfDayInSession(..) | Self::CodesOfDayInSessionsWithoutCode(_) => DAY,
            _ => 15 * MINUTE,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AccountFrom(email, visit) => {
                format!("account {email} from {}", Network::of(address(visit)))
            }
            Self::Network(visit) => format!("network {}", Network::of(address(visit))),
            Self::Account(email) => format!("account {email}"),
            Self::Browser(user_id, number) => format!("browser {user_id} {number}"),
            Self::SignIns(email, visit) => {
                format!("sign-ins {email} from {}", Household::of(address(visit)))
            }
            Self::SignInsOfBrowser(user_id, number) => format!("sign-ins {user_id} {number}"),
            Self::CurrentPassword(user_id, session) => {
                format!("password {user_id} {:x?}", session.as_bytes())
            }
            Self::Code(user_id) => format!("code {user_id}"),
            Self::CodesOfDay(user_id) => format!("codes of a day {user_id}"),
            Self::CodeInBrowser(user_id, number) => format!("code {user_id} in {number}"),
            Self::CodesOfDayInBrowser(user_id, number) => {
                format!("codes of a day {user_id} in {number}")
            }
            Self::CodeInSession(user_id, session) => {
                format!("code {user_id} {:x?}", session.as_bytes())
            }
            Self::CodesOfDayInSession(user_id, session) => {
                format!("codes of a day {user_id} {:x?}", session.as_bytes())
            }
            Self::CodesOfDayInSessionsWithoutCode(user_id) => {
                format!("codes of a day {user_id} in older sessions")
            }
            Self::SetupCode(visit) => format!("setup code {}", Network::of(address(visit))),
            Self::SignUp(visit) => format!("sign-up {}", Network::of(address(visit))),
            Self::KeyLookUps(user_id) => format!("key look-ups {user_id}"),
            Self::ResetRequests(visit) => format!("resets {}", Network::of(address(visit))),
            Self::ResetMails(user_id) => format!("reset mails {user_id}"),
            Self::ResetMailsToNobody(email) => format!("reset mails to {email}"),
            Self::AccountMails(user_id) => format!("account mails {user_id}"),
            Self::FirstMailTo(user_id, email) => format!("first mail of {user_id} to {email}"),
            Self::MailsTo(email) => format!("mails to {email}"),
            Self::SignUpMails(email) => format!("sign-up mails {email}"),
            Self::InvitationMails(org_id) => format!("invitation mails {org_id}"),
            Self::InvitationMailsTo(org_id, email) => format!("invitation mails {org_id} {email}"),
            Self::InvitationMailsOf(user_id, email) => {
                format!("invitation mails of {user_id} {email}")
            }
            Self::InvitationLinks(user_id) => format!("invitation links {user_id}"),
            Self::KeyRequestMails(org_id, user_id) => {
                format!("key request mails {org_id} {user_id}")
            }
            Self::RoleMails(Some(org_id), user_id) => format!("role mails {org_id} {user_id}"),
            Self::RoleMails(None, user_id) => format!("operator mails {user_id}"),
            Self::EndMails(Some(org_id), user_id) => format!("end mails {org_id} {user_id}"),
            Self::EndMails(None, user_id) => format!("operator end mails {user_id}"),
            Self::FactorMails(org_id) => format!("factor mails {org_id}"),
            Self::InvitedSignUp(org_id, email) => format!("invited sign-up {org_id} {email}"),
        }
    }

    /// Whether the number of rows is counted before one is added: where subjects are open-ended, and for those that must take
    /// as long as they do.
    pub(super) const fn counts_rows(self) -> bool {
        self.is_open_ended() || matches!(self, Self::ResetMails(_))
    }

    /// Whether someone without an account can create any number of these subjects.
    pub(super) const fn is_open_ended(self) -> bool {
        !matches!(
            self,
            Self::Browser(..)
                | Self::SignIns(..)
                | Self::SignInsOfBrowser(..)
                | Self::CurrentPassword(..)
                | Self::Code(_)
                | Self::CodesOfDay(_)
                | Self::CodeInBrowser(..)
                | Self::CodesOfDayInBrowser(..)
                | Self::CodeInSession(..)
                | Self::CodesOfDayInSession(..)
                | Self::CodesOfDayInSessionsWithoutCode(_)
                | Self::KeyLookUps(_)
                | Self::ResetMails(_)
                | Self::AccountMails(_)
                | Self::FirstMailTo(..)
                | Self::MailsTo(_)
                | Self::InvitationMails(_)
                | Self::InvitationMailsTo(..)
                | Self::InvitationMailsOf(..)
                | Self::InvitationLinks(_)
                | Self::KeyRequestMails(..)
                | Self::RoleMails(..)
                | Self::EndMails(..)
                | Self::FactorMails(_)
                | Self::InvitedSignUp(..)
        )
    }
}

impl Row {
    pub(super) fn of(engine: &Engine, subject: Subject) -> Self {
        let hash = engine.peppers.attempts_mac(subject.text().as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self {
            key,
            max: subject.max(),
            window: subject.window(),
        }
    }

    /// The shared row to use when the table is full.
    pub(super) fn shared(self) -> Self {
        let [first, second, ..] = self.key;
        let number = u16::from_be_bytes([first, second]) % SHARED_ROWS;
        let mut key = *b"shared row......";
        let max = self.max.to_be_bytes();
        key[12..14].copy_from_slice(&max[6..]);
        key[14..].copy_from_slice(&number.to_be_bytes());
        Self { key, ..self }
    }
}

/// The address of a request. Requests without an address are counted together.
fn address(visit: &Visit) -> IpAddr {
    visit.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_for_known_and_unknown_addresses_count_rows_and_only_unknown_ones_share_them() {
        let email = "kim@example.com".parse().unwrap();
        let known = Subject::ResetMails(UserId::new(0, [0; 10]));
        let unknown = Subject::ResetMailsToNobody(&email);
        assert_eq!((known.counts_rows(), unknown.counts_rows()), (true, true));
        assert_eq!(
            (known.is_open_ended(), unknown.is_open_ended()),
            (false, true)
        );
    }

    #[test]
    fn shared_rows_are_few_and_kinds_have_their_own() {
        let row = |key, max| {
            let window = MINUTE;
            Row { key, max, window }.shared().key
        };
        assert_eq!(row([0x10; 16], 10), row([0x10; 16], 10));
        assert_ne!(row([0x10; 16], 10), row([0x10; 16], 30));
        let mut other = [0x10; 16];
        other[0] = 0x20;
        assert_eq!(
            row([0x10; 16], 10),
            row(other, 10),
            "the top bits are left out"
        );
    }
}
