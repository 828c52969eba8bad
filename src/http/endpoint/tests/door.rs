//! What comes past the door: names, pages of other origins, tokens.

use super::*;
use crate::http::known_pages::KnownPages;

fn ready() -> HealthReport {
    HealthReport { alive_at: monotonic_now(), ready: true, reasons: Vec::new() }
}

/// The status and the body of a request with this `Host` and further headers.
async fn ask(routes: &Router, request: &str, host: &str, headers: &str) -> (u16, String) {
    let mut client = Client::connect(routes.clone());
    client.send(&format!("{request} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n")).await;
    let text = client.read_to_end().await.0;
    assert!(text.contains("cross-origin-resource-policy: same-origin") && text.contains("nosniff"), "{text}");
    (text.get(9..12).unwrap().parse().unwrap(), text)
}

const CALL: &str = "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: RekognitionService.DescribeProjects\r\n\
                    Content-Length: 2\r\n";

#[tokio::test]
async fn a_page_of_another_origin_or_with_a_name_of_its_own_gets_nothing_from_any_route() {
    let routes = local(ready(), "", NeedsToken::default());
    let foreign = ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"];
    let live = "GET /api/cameras/a/live";
    for request in
        ["GET /healthz", "GET /metrics", "GET /api/status", "POST /api/cameras/a/disable", live, "GET /other", "POST /"]
    {
        for host in ["Host: evil.example\r\n", "Host: evil.example:8480\r\nOrigin: http://evil.example:8480\r\n"] {
            let (status, text) = ask(&routes, request, host, CALL).await;
            assert!(
                status == 421 && text.contains("`names` of [http]") && !text.contains("gate-1"),
                "{request} {text}"
            );
        }
        for origin in foreign {
            let (status, text) = ask(&routes, request, "Host: localhost\r\n", origin).await;
            assert!(status == 403 && !text.contains("gate-1"), "{request} {origin} {text}");
        }
        for host in ["", "Host: localhost\r\nHost: localhost\r\n"] {
            assert_eq!(ask(&routes, request, host, "").await.0, 400, "{request} {host}");
        }
    }
    for host in ["127.0.0.1:8480", "[::1]", "BOX.lan:8480"] {
        assert_eq!(ask(&routes, "GET /api/status", &format!("Host: {host}\r\n"), "").await.0, 200, "{host}");
    }
    let own = "Origin: http://localhost:8480\r\nSec-Fetch-Site: same-origin\r\n";
    assert_eq!(ask(&routes, "GET /api/status", "Host: localhost:8480\r\n", own).await.0, 200);
    let metrics = ask(&routes, "GET /metrics", "Host: localhost\r\n", "").await.1;
    for line in ["{reason=\"host\"} 28", "{reason=\"origin\"} 21"] {
        assert!(metrics.contains(&format!("ocelli_http_refused_total{line}\n")), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn beyond_loopback_a_name_is_vouched_for_by_a_signature_or_a_token() {
    let state = state(ready());
    let routes = router::public(state.for_strangers(), &door(&state, ""), true);
    let evil = "Host: evil.example\r\n";
    assert_eq!(ask(&routes, "GET /healthz", evil, "").await.0, 200);
    assert_eq!(ask(&routes, "GET /other", evil, "").await.0, 421);
    let (status, text) = ask(&routes, "POST /", evil, &format!("{CALL}Origin: http://evil.example\r\n")).await;
    assert!(status == 400 && text.contains("MissingAuthenticationToken"), "{text}");
    assert_eq!(ask(&routes, "POST /", evil, &format!("{CALL}Sec-Fetch-Site: cross-site\r\n")).await.0, 403);
}

#[tokio::test]
async fn a_page_of_the_settings_may_send_signed_calls_to_the_public_address_and_nothing_else() {
    let state = state(ready());
    let pages = KnownPages::new(&["https://shop.example".to_owned()]);
    let door = Door::public(Vec::new(), pages, Arc::clone(&state.metrics));
    let routes = router::public(state.for_strangers(), &door, true);
    let (host, shop) = ("Host: box.example\r\n", "Origin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\n");
    let asks = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,x-amz-target\r\n";
    let (status, text) = ask(&routes, "OPTIONS /", host, &format!("{shop}{asks}")).await;
    assert!(status == 200 && text.contains("access-control-allow-origin: https://shop.example"), "{text}");
    assert!(text.contains("access-control-allow-headers: authorization,x-amz-target"), "{text}");
    let (status, text) = ask(&routes, "POST /", host, &format!("{shop}{CALL}")).await;
    assert!(status == 400 && text.contains("MissingAuthenticationToken"), "its calls are signed: {text}");
    assert!(text.contains("access-control-allow-origin: https://shop.example") && text.contains("x-amz-retry-after"));
    assert!(!text.contains("allow-credentials"), "{text}");

    for (request, headers) in [
        ("OPTIONS /", "Origin: https://evil.example\r\n".to_owned()),
        ("POST /", format!("Origin: https://evil.example\r\n{CALL}")),
        ("POST /", format!("{shop}Origin: https://shop.example\r\n{CALL}")),
        ("POST /", format!("{shop}Content-Length: 2\r\n")),
        ("POST /api/cameras/a/disable", format!("{shop}{CALL}")),
        ("OPTIONS /api/status", format!("{shop}{asks}")),
        ("GET /api/status", shop.to_owned()),
        ("GET /", shop.to_owned()),
    ] {
        let (status, text) = ask(&routes, request, host, &headers).await;
        assert_eq!(status, 403, "{request} {headers} {text}");
    }
    let local = local(ready(), "", NeedsToken::default());
    assert_eq!(ask(&local, "POST /", "Host: localhost\r\n", &format!("{shop}{CALL}")).await.0, 403);
}

#[tokio::test]
async fn over_tcp_the_api_is_for_those_who_show_the_token_and_health_as_the_settings_say() {
    let needs = NeedsToken { api: true, monitoring: false };
    let routes = local(ready(), "0123456789abcdef", needs);
    let (host, right) = ("Host: localhost\r\n", "Authorization: Bearer 0123456789abcdef\r\n");
    for headers in ["", "Authorization: Bearer 0123456789abcdeF\r\n", "Authorization: Basic 0123456789abcdef\r\n"] {
        for path in ["/api/status", "/api/events", "/api/cameras/yard/snapshot", "/api/models"] {
            let (status, text) = ask(&routes, &format!("GET {path}"), host, headers).await;
            assert!(status == 401 && text.contains("use the socket") && text.contains("www-authenticate"), "{text}");
        }
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(ask(&routes, &format!("GET {path}"), host, headers).await.0, 200, "{path}");
        }
    }
    assert_eq!(ask(&routes, "GET /api/status", host, right).await.0, 200);
    assert_eq!(ask(&routes, "GET /api/status", "Host: evil.example\r\n", right).await.0, 421);
    let (status, text) = ask(&routes, "POST /", host, &format!("{CALL}\r\n{{}}")).await;
    assert!(status == 200, "AWS clients of the box need no token: {text}");

    let routes = local(ready(), "0123456789abcdef", NeedsToken { api: true, monitoring: true });
    assert_eq!(ask(&routes, "GET /metrics", host, "").await.0, 401);
    assert_eq!(ask(&routes, "GET /metrics", host, right).await.0, 200);
    let without = local(ready(), "", needs);
    assert_eq!(ask(&without, "GET /api/status", host, right).await.0, 401, "no token opens an API whose token is lost");
}

#[tokio::test]
async fn an_image_may_not_be_of_a_type_that_any_page_may_send() {
    let routes = local(ready(), "", NeedsToken::default());
    let of = |kind: &str| format!("Content-Length: 1\r\n{kind}");
    for (kind, refused) in [
        ("Content-Type: text/plain;charset=UTF-8\r\n", true),
        ("Content-Type: Multipart/Form-Data; boundary=x\r\n", true),
        ("Content-Type: application/x-www-form-urlencoded\r\n", true),
        ("Content-Type: image/jpeg\r\nContent-Type: text/plain\r\n", true),
        ("Content-Type: image/jpeg\r\n", false),
        ("Content-Type: application/octet-stream\r\n", false),
        ("", false),
    ] {
        let headers = format!("{}Connection: close\r\n\r\nx", of(kind));
        let (status, text) = ask(&routes, "POST /api/models/m/detect", "Host: localhost\r\n", &headers).await;
        assert_eq!(status == 415, refused, "{kind} {text}");
    }
}
