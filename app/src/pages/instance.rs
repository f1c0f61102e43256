//! `/instance` and the pages below: the Instance area, for operators. Everyone else gets 404, and sees no link to it.

mod head;
mod list_page;
mod log;
mod log_table;
mod org;
mod org_form;
mod orgs;
mod overview;
mod people;
mod people_form;
mod settings;

pub use self::{
    head::InstanceHead, log::InstanceLogPage, org::InstanceOrgPage, org_form::submit as submit_org,
    orgs::InstanceOrgsPage, overview::InstancePage, people::InstancePeoplePage,
    people_form::submit as submit_people, settings::InstanceSettingsPage,
};
