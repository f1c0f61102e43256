//! An instance of a test's Latchkey that sends mail.

use std::{sync::Arc, time::Duration};

use latchkey::{Engine, accounts::SignUpPolicy};
use latchkey_server::{
    AppState,
    mail::{Mailer, Times},
};

use super::{
    Browser, TestApp,
    smtp::{Mail, SmtpServer},
};

const TIMES: Times = Times {
    waits: [Duration::from_millis(1); 3],
    longest_delay: Duration::ZERO,
    between_tests: Duration::from_millis(200),
};

/// An instance that sends mail to a server on loopback.
pub struct Mailing {
    pub smtp: SmtpServer,
    pub engine: Arc<Engine>,
    pub state: AppState,
    mailer: Mailer,
}

impl TestApp {
    /// An instance that sends mail.
    pub async fn mailing(&self) -> Mailing {
        self.mailing_under(SignUpPolicy::Invite).await
    }

    /// An instance that sends mail, with this policy.
    pub async fn mailing_under(&self, policy: SignUpPolicy) -> Mailing {
        let smtp = SmtpServer::start().await;
        let set = |settings: &mut latchkey::EngineSettings| {
            settings.sends_mail = true;
            settings.sign_up = policy;
        };
        let engine = self.another_engine(set).await;
        let settings = [("smtp_url", &*smtp.url), ("mail_from", "keys@example.com")];
        let AppState { settings, .. } = self.state(&settings);
        let state = AppState::new(Arc::clone(&engine), settings, 3000);
        let mailer = Mailer::start(&state, TIMES).unwrap().unwrap();
        Mailing {
            smtp,
            engine,
            state,
            mailer,
        }
    }
}

impl Mailing {
    /// A browser at this instance, signed out.
    pub fn browser(&self) -> Browser {
        let router = latchkey_server::router(self.state.clone());
        Browser::new(router, "http://localhost:3000")
    }

    /// A browser in which this user has signed in.
    pub async fn signed_in(&self, email: &str, password: &str) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(email, password).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Waits until all operations have posted their letters and all letters are sent, and returns those that were not
    /// taken out.
    pub async fn stop(self) -> Vec<Mail> {
        self.engine.finish().await.unwrap();
        self.mailer.stop().await;
        self.smtp.mails()
    }
}
