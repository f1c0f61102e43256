//! Whom to ask for what the user's role does not allow.

use latchkey::{members, role::Role};
use leptos::prelude::*;

use super::loading::loading;
use crate::{error::AppError, request::PageRequest};

/// The most owners that are named.
const NAMED: usize = 3;

/// "Ask Dana Reyes or Ari Kim to rotate it." Empty if the user is no member of the page's organization.
#[component]
pub fn AskOwner(
    /// What an owner can do: "rotate it".
    to: &'static str,
) -> impl IntoView {
    let owners = loading(owners);
    view! {
        <Suspense>
            {Suspend::new(async move {
                let owners = owners.await.ok().filter(|owners| !owners.is_empty());
                owners.map(|owners| format!("Ask {} to {to}.", either(&owners)))
            })}
        </Suspense>
    }
}

/// The names of the organization's owners, which every member can see.
async fn owners(request: PageRequest) -> Result<Vec<String>, AppError> {
    let membership = request.membership().await?;
    let members = members::list(request.engine(), &membership.permit()?).await?;
    let owners = members
        .into_iter()
        .filter(|member| member.role == Role::Owner);
    Ok(owners
        .map(|owner| format!("{} ({})", owner.name, owner.email))
        .collect())
}

/// "A", "A or B", "A, B or C", "A, B, C or another owner".
fn either(names: &[String]) -> String {
    let mut named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    if names.len() > NAMED {
        named.push("another owner");
    }
    match named.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_owners_are_named() {
        let names = |count: usize| -> Vec<String> {
            ["A", "B", "C", "D"].map(str::to_owned)[..count].to_vec()
        };
        let texts = [1, 2, 3, 4].map(|count| either(&names(count)));
        assert_eq!(
            texts,
            ["A", "A or B", "A, B or C", "A, B, C or another owner"]
        );
    }
}
