//! Whose service tokens a page is about: those of an organization, or those for the whole instance.

use latchkey::{
    Engine,
    access::{Operator, Permit, to},
    db::StorageError,
    id::{OrgId, ServiceTokenId},
    service_tokens::{
        self, CreateTokenError, CreatedToken, NewToken, RevokeTokenError, TokenSummary,
    },
};

use crate::{error::AppError, request::PageRequest};

/// Whose service tokens a page is about.
#[derive(Debug, Clone)]
pub enum Whose {
    /// Those of an organization, for its owners.
    Org(Permit<to::ManageTokens>),
    /// Those for the whole instance, for its operators.
    Instance(Operator),
}

impl Whose {
    /// The organization in the path.
    pub async fn org(request: &PageRequest) -> Result<Self, AppError> {
        Ok(Self::Org(request.permit().await?))
    }

    /// The instance.
    pub async fn instance(request: &PageRequest) -> Result<Self, AppError> {
        Ok(Self::Instance(request.operator().await?))
    }

    pub fn org_id(&self) -> Option<OrgId> {
        match self {
            Self::Org(permit) => Some(permit.org_id()),
            Self::Instance(_) => None,
        }
    }

    pub const fn is_instance(&self) -> bool {
        matches!(self, Self::Instance(_))
    }

    pub async fn list(
        &self,
        engine: &Engine,
        limit: u16,
    ) -> Result<Vec<TokenSummary>, StorageError> {
        match self {
            Self::Org(permit) => service_tokens::working_first(engine, permit, limit).await,
            Self::Instance(operator) => {
                service_tokens::working_first_of_instance(engine, operator, limit).await
            }
        }
    }

    pub async fn find(
        &self,
        engine: &Engine,
        id: ServiceTokenId,
    ) -> Result<Option<TokenSummary>, StorageError> {
        match self {
            Self::Org(permit) => service_tokens::find_of_org(engine, permit, id).await,
            Self::Instance(operator) => {
                service_tokens::find_of_instance(engine, operator, id).await
            }
        }
    }

    pub async fn create(
        &self,
        engine: &Engine,
        new: NewToken,
    ) -> Result<CreatedToken, CreateTokenError> {
        match self {
            Self::Org(permit) => service_tokens::create_for_org(engine, permit, new).await,
            Self::Instance(operator) => {
                service_tokens::create_for_instance(engine, operator, new).await
            }
        }
    }

    pub async fn revoke(
        &self,
        engine: &Engine,
        id: ServiceTokenId,
    ) -> Result<(), RevokeTokenError> {
        match self {
            Self::Org(permit) => service_tokens::revoke_of_org(engine, permit, id).await,
            Self::Instance(operator) => service_tokens::revoke(engine, operator, id).await,
        }
    }
}
