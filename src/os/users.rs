//! Users of the box, from its own files `/etc/passwd` and `/etc/group`. Users of a directory service are not in them.

use std::fs;

/// A user and its groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// User ID.
    pub id: u32,
    /// IDs of the primary group and of all others.
    pub groups: Vec<u32>,
    /// Name of the primary group, or its number.
    pub group_name: String,
}

impl User {
    /// Finds a user by name; `None` if the box's own files do not have it.
    pub fn find(name: &str) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let group = fs::read_to_string("/etc/group").unwrap_or_default();
        Self::find_in(name, &passwd, &group)
    }

    /// `name:password:uid:gid:...` and `name:password:gid:member,member`.
    fn find_in(name: &str, passwd: &str, group: &str) -> Option<Self> {
        let mut fields =
            passwd.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
        let id = fields.nth(2)?.parse().ok()?;
        let primary: u32 = fields.next()?.parse().ok()?;
        let (mut groups, mut group_name) = (vec![primary], primary.to_string());
        for line in group.lines() {
            let mut fields = line.split(':');
            let Some(of) = fields.next() else { continue };
            let Some(number) = fields.nth(1).and_then(|number| number.parse::<u32>().ok()) else { continue };
            if number == primary {
                of.clone_into(&mut group_name);
            } else if fields.next().is_some_and(|members| members.split(',').any(|member| member == name)) {
                groups.push(number);
            }
        }
        Some(Self { name: name.to_owned(), id, groups, group_name })
    }
}

/// The number of a group; `None` if the box's own files do not have it.
pub fn group_id(name: &str) -> Option<u32> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let mut fields = groups.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
    fields.nth(2)?.parse().ok()
}

/// The number of the group of this process.
pub fn own_group() -> u32 {
    rustix::process::getegid().as_raw()
}

/// True if this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_its_primary_group_and_those_that_name_it() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nocelli:x:990:991::/:/usr/sbin/nologin\n";
        let group = "root:x:0:\nocelli:x:991:\nvideo:x:44:yard,ocelli\nrender:x:105:ocellian\n";
        let user = User::find_in("ocelli", passwd, group).unwrap();
        assert_eq!((user.id, user.groups, user.group_name.as_str()), (990, vec![991, 44], "ocelli"));
        assert_eq!(User::find_in("ocell", passwd, group), None);
        assert_eq!(User::find_in("ocelli", passwd, "").unwrap().group_name, "991");
    }

    #[test]
    fn root_is_in_the_files_of_every_box() {
        assert_eq!(User::find("root").unwrap().id, 0);
        assert_eq!(User::find("no such user"), None);
        assert_eq!((group_id("root"), group_id("no such group")), (Some(0), None));
    }
}
