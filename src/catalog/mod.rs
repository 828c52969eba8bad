//! Projects, versions and tags: the models of the box under the names of the cloud's API.
//!
//! A version is a package on disk. Whether it runs is decided by the fleet. The catalog is plain data that is given `now`;
//! [`store`] keeps it on disk, and [`import`] copies packages.

pub mod arn;
pub mod entries;
pub mod import;
pub mod store;
pub mod version;

pub use entries::{Catalog, CatalogError, Project};
pub use store::CatalogStore;
pub use version::{BucketPlace, NewVersion, Stage, Units, Version};
