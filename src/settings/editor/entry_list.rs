//! The lists whose entries programs add, change and remove.

/// A list of the settings, and its words for the operator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntryList {
    /// Its key: `cameras`.
    pub(super) list: &'static str,
    /// The key of an entry's name.
    pub(super) name_key: &'static str,
    /// An entry.
    pub(super) what: &'static str,
    /// The command that changes an entry, up to its name and from there.
    pub(super) changes_with: (&'static str, &'static str),
    /// The command that adds one.
    pub(super) added_by: &'static str,
}

/// `[[cameras]]`.
pub const CAMERAS: &EntryList = &EntryList {
    list: "cameras",
    name_key: "id",
    what: "camera",
    changes_with: ("ocelli camera set", " KEY=VALUE"),
    added_by: "ocelli camera add",
};

/// `[[viewers]]`.
pub const VIEWERS: &EntryList = &EntryList {
    list: "viewers",
    name_key: "name",
    what: "viewer",
    changes_with: ("ocelli user password", ""),
    added_by: "ocelli user add",
};
