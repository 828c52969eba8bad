//! Lines of settings that are refused, each with a secret in it.

/// Why the settings would be refused: lines that people write by mistake, with a secret in each.
pub const MISTAKES: [(&str, &str); 14] = [
    ("url with a bad escape", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://u:CANARYmiss01%zz@127.0.0.1:1/\"\n"),
    (
        "string without its end",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = \"CANARYmiss02\n",
    ),
    ("unknown key", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\npasword = \"CANARYmiss03\"\n"),
    (
        "list for a password",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = [\"CANARYmiss04\"]\n",
    ),
    (
        "login twice",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://u:CANARYmiss05@127.0.0.1:1/\"\ncredentials.user = \"v\"\n",
    ),
    ("short key", "[[access_keys]]\naccess_key_id = \"M\"\nrole = \"operator\"\nsecret = \"CNRYm06\"\n"),
    ("one slash", "[[cameras]]\nid = \"m\"\nurl = \"rtsp:/u:CANARYmiss07@127.0.0.1:1/\"\n"),
    ("no scheme", "[[cameras]]\nid = \"m\"\nurl = \"u:CANARYmiss08@127.0.0.1:1/\"\n"),
    ("unknown scheme", "[[cameras]]\nid = \"m\"\nurl = \"rtspx://u:CANARYmiss09@127.0.0.1:1/\"\n"),
    (
        "credentials as text",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = \"u:CANARYmiss10\"\n",
    ),
    (
        "key twice",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = { password = \"CANARYmiss11\", password = \"CANARYmiss11\" }\n",
    ),
    ("no quotes", "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials.password = CANARYmiss12\n"),
    (
        "password as a file",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ncredentials = { user = \"u\", passwrd = \"CANARYmiss13\" }\n",
    ),
    (
        "two sub streams",
        "[[cameras]]\nid = \"m\"\nurl = \"rtsp://127.0.0.1:1/\"\ndetect_url = \"127.0.0.1:1/u:CANARYmiss14@\"\n",
    ),
];
