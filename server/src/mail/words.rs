//! What each letter says.

mod digest;
mod of_accounts;
mod of_requests;
mod of_rights;
mod text;

use latchkey::mail::Content;

/// The parts of a letter.
pub struct Words {
    pub subject: String,
    pub paragraphs: Vec<String>,
    /// Where the letter leads.
    pub link: Option<Link>,
    /// What to do if the letter was not expected.
    pub closing: Option<&'static str>,
}

/// A link, and its text in HTML.
pub struct Link {
    pub url: String,
    pub label: &'static str,
}

/// The words of a letter whose links begin with `public_url`.
pub fn words(content: &Content, public_url: &str) -> Words {
    match content {
        Content::Invitation {
            org,
            inviter,
            role,
            token,
            expires_at,
        } => of_rights::invitation(org, inviter.as_ref(), *role, token, *expires_at, public_url),
        Content::Reset(token) => of_accounts::reset(token, public_url),
        Content::Confirmation(token, name) => of_accounts::confirmation(token, name, public_url),
        Content::SignUp(token) => of_accounts::sign_up(token, public_url),
        Content::HasAccount => of_accounts::has_account(public_url),
        Content::PasswordChanged => of_accounts::password_changed(),
        Content::EmailChanged => of_accounts::email_changed(),
        Content::SecondFactorOn => of_accounts::second_factor_on(),
        Content::SecondFactorOff => of_accounts::second_factor_off(),
        Content::RecoveryCodeUsed(left) => of_accounts::recovery_code_used(*left),
        Content::RecoveryCodesReplaced => of_accounts::recovery_codes_replaced(),
        Content::AccountDeleted => of_accounts::account_deleted(),
        Content::OwnerAdded { org, slug, by } => {
            of_rights::owner_added(org, slug, by.as_ref(), public_url)
        }
        Content::RoleLowered {
            org,
            slug,
            role,
            by,
        } => of_rights::role_lowered(org, slug, *role, by.as_ref(), public_url),
        Content::MemberRemoved { org, by } => of_rights::member_removed(org, by.as_ref()),
        Content::OperatorRemoved { by } => of_rights::operator_removed(by.as_ref()),
        Content::OperatorAdded { by } => of_rights::operator_added(by.as_ref(), public_url),
        Content::FactorRequired { org } => of_rights::factor_required(org, public_url),
        Content::Digest {
            org,
            slug,
            alerts,
            more_alerts,
            reminders,
            more_reminders,
        } => digest::digest(
            org,
            slug,
            alerts,
            *more_alerts,
            reminders,
            *more_reminders,
            public_url,
        ),
        Content::KeyRequested {
            org,
            slug,
            requester,
            key,
            request,
        } => of_requests::key_requested(org, slug, requester, key, *request, public_url),
        Content::KeyRequestDecided {
            org,
            slug,
            owner,
            key,
            request,
            until,
        } => of_requests::key_request_decided(org, slug, owner, key, *request, *until, public_url),
        Content::NewSecretOffered {
            org,
            slug,
            owner,
            key,
            key_id,
            until,
        } => of_requests::new_secret_offered(org, slug, owner, key, *key_id, *until, public_url),
    }
}

#[cfg(test)]
mod tests {
    use latchkey::{name::DisplayName, role::Role, time::Timestamp};
    use rstest::rstest;

    use super::*;

    /// What no mail program leaves without a link: a scheme, or a host with a top-level domain, in one word.
    fn links(text: &str) -> Vec<&str> {
        const DOTS: [char; 7] = [
            '.', '@', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}', '\u{fe52}',
        ];
        let words = text.split(|c: char| c.is_whitespace() || c == '\u{200b}');
        let words = words.filter(|word| {
            let host = word.split(['/', '?']).next().unwrap_or_default();
            word.contains("//") || host.trim_end_matches(DOTS).contains(DOTS)
        });
        words.collect()
    }

    #[rstest]
    #[case("evil.example/login")]
    #[case("https://evil.example/login")]
    #[case("HTTPS://EVIL.EXAMPLE")]
    #[case("Sign in at www.evil.example now")]
    #[case("help@evil.example")]
    #[case("evil。example")]
    #[case("evil﹒example")]
    #[case("//evil/login")]
    fn a_name_does_not_become_a_link(#[case] text: &str) {
        assert_ne!(
            links(text),
            [""; 0],
            "the check finds the link of the name itself"
        );
        let name: DisplayName = text.parse().unwrap();
        let invitation = Content::Invitation {
            org: name.clone(),
            inviter: Some(name.clone()),
            role: Role::Member,
            token: "lk_inv_000000000000000000000000000XX1s6".parse().unwrap(),
            expires_at: Timestamp::from_millis(1_795_867_200_000),
        };
        let token = "lk_acc_000000000000000000000000002zawlF".parse().unwrap();
        let role = Content::OwnerAdded {
            org: name.clone(),
            slug: "northwind".parse().unwrap(),
            by: Some(name.clone()),
        };
        let lowered = Content::RoleLowered {
            org: name.clone(),
            slug: "northwind".parse().unwrap(),
            role: Role::Member,
            by: Some(name.clone()),
        };
        let removed = Content::MemberRemoved {
            org: name.clone(),
            by: Some(name.clone()),
        };
        let required = Content::FactorRequired { org: name.clone() };
        for content in [
            invitation,
            Content::Confirmation(token, name),
            role,
            lowered,
            removed,
            required,
        ] {
            let words = words(&content, "https://keys.example.com");
            for paragraph in words.paragraphs.iter().chain([&words.subject]) {
                let plain = paragraph.replace('\u{200b}', "");
                assert_eq!(links(paragraph), [""; 0], "{plain}");
            }
            assert!(
                words.paragraphs[0].replace('\u{200b}', "").contains(text),
                "it reads as it was chosen"
            );
        }
    }
}
