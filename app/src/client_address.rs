//! Where a request comes from, as the server has worked it out.

use std::net::IpAddr;

/// The end client's address, with trusted proxies looked through. The server provides it as context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);
