//! Projects, versions and tags: what the box's models are called by those who know the cloud's API.
//!
//! A version is a package on disk; whether it runs is the fleet's business. Plain data that is given `now`;
//! [`store`] keeps it, and [`import`] brings packages in.

pub mod arn;
pub mod entries;
pub mod import;
pub mod store;
pub mod version;

pub use entries::{Catalog, CatalogError, Project};
pub use store::CatalogStore;
pub use version::{BucketPlace, NewVersion, Stage, Units, Version};
