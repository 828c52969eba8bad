//! A camera behind NAT, which names addresses of its own network.

/// The last day of February 2020, half a minute before midnight.
pub const CLOCK: &str = "<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time><Hour>23</Hour><Minute>59</Minute>\
                     <Second>30</Second></Time><Date><Year>2020</Year><Month>2</Month><Day>29</Day></Date></UTCDateTime>\
                     </SystemDateAndTime></GetSystemDateAndTimeResponse>";

fn profile(token: &str, width: u32, height: u32) -> String {
    format!(
        "<b:Profiles token=\"{token}\"><Name>{token}</Name><VideoEncoderConfiguration><Encoding>H264</Encoding>\
         <Resolution><Width>{width}</Width><Height>{height}</Height></Resolution></VideoEncoderConfiguration></b:Profiles>"
    )
}

/// What a camera behind NAT answers, as its own network sees it.
pub fn behind_nat(operation: &str, document: &str) -> (u16, String) {
    let uri =
        |uri: &str| format!("<x:{operation}Response><MediaUri><Uri>{uri}</Uri></MediaUri></x:{operation}Response>");
    let content = match operation {
        "GetSystemDateAndTime" => CLOCK.to_owned(),
        "GetDeviceInformation" => "<a:GetDeviceInformationResponse><Manufacturer>A\u{1b}[2J &amp; B</Manufacturer></a:GetDeviceInformationResponse>".into(),
        "GetCapabilities" => {
            "<GetCapabilitiesResponse><Capabilities><Media><XAddr>http://192.168.77.7/onvif/media</XAddr></Media></Capabilities></GetCapabilitiesResponse>".into()
        }
        "GetProfiles" => {
            let profiles: String = [("main", 1920, 1080), ("sub", 640, 360), ("tiny", 320, 180), ("web", 800, 600)]
                .map(|(token, width, height)| profile(token, width, height))
                .concat();
            format!("<GetProfilesResponse>{profiles}</GetProfilesResponse>")
        }
        "GetStreamUri" if document.contains(">web<") => uri("http://192.168.77.7/mjpeg"),
        "GetStreamUri" if document.contains(">main<") => uri("rtsp://admin:secret@192.168.77.7:5540/main?a=1&amp;b=2"),
        "GetStreamUri" => uri("rtsp://0.0.0.0/sub"),
        _ => return (500, "<Fault><faultcode>c:ActionNotSupported</faultcode><faultstring>no</faultstring></Fault>".into()),
    };
    (200, content)
}
