//! The hook into GStreamer's RTSP client: sees each request before it is sent, and each answer before it is judged.
//!
//! `rtspsrc` makes an instance of every element that implements `GstRTSPExtension` with each of its own. Ours hands both
//! messages to a [`Conversation`]. The client looks at an answer's status before the hook and at its headers and reason
//! behind it: so a login is done by changing the challenge, not the status (see `capture::source::conversation`).
#![expect(unsafe_code, reason = "an interface of GStreamer that its bindings leave out")]

use gst::glib;
use gst::glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gstreamer as gst;
use gstreamer_rtsp_sys as ffi;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::{Arc, Once, OnceLock};

/// What is done with the messages of one client. Called from the client's threads, one message at a time.
pub trait Conversation: Send + Sync + 'static {
    /// A request is about to be sent.
    fn before_send(&self, request: &mut Message<'_>);
    /// An answer has come.
    fn after_send(&self, request: &Message<'_>, answer: &mut Message<'_>);
}

impl std::fmt::Debug for dyn Conversation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Conversation")
    }
}

thread_local! {
    /// The conversation of the client that this thread is making.
    static NEXT: RefCell<Option<Arc<dyn Conversation>>> = const { RefCell::new(None) };
    static IS_REGISTERING: Cell<bool> = const { Cell::new(false) };
}

/// Makes the extension known while GStreamer starts; to be called before.
///
/// The client's class looks for extensions once, when it is made: with a registry that is when the first client is made,
/// without one it is while the plugins are looked at. Core elements are known before either.
pub fn register_at_start() {
    static CONNECTED: Once = Once::new();
    CONNECTED.call_once(|| {
        // SAFETY: the registry lives for ever. It is an object like others and needs no started GStreamer; its signal
        // passes the registry, a feature and what was connected with it, which are not looked at.
        unsafe {
            let registry = gst::ffi::gst_registry_get();
            let handler: unsafe extern "C" fn(glib::ffi::gpointer, glib::ffi::gpointer, glib::ffi::gpointer) =
                feature_added;
            glib::gobject_ffi::g_signal_connect_data(
                registry.cast(),
                c"feature-added".as_ptr(),
                Some(std::mem::transmute::<
                    unsafe extern "C" fn(glib::ffi::gpointer, glib::ffi::gpointer, glib::ffi::gpointer),
                    unsafe extern "C" fn(),
                >(handler)),
                std::ptr::null_mut(),
                None,
                0,
            );
        }
    });
}

unsafe extern "C" fn feature_added(_: glib::ffi::gpointer, _: glib::ffi::gpointer, _: glib::ffi::gpointer) {
    register();
}

fn register() {
    static REGISTERED: Once = Once::new();
    // Its own registration is a feature that is added: it comes here once more.
    if REGISTERED.is_completed() || IS_REGISTERING.replace(true) {
        return;
    }
    REGISTERED.call_once(|| {
        let registered = gst::Element::register(None, "ocelliconversation", gst::Rank::MARGINAL, Hook::static_type());
        if let Err(error) = registered {
            tracing::error!(%error, "GStreamer takes no extension");
        }
    });
    IS_REGISTERING.set(false);
}

/// Makes an `rtspsrc` whose messages go through `conversation`. GStreamer must have been started.
///
/// # Errors
/// When the element is missing, or does not take the extension.
pub fn client(conversation: Arc<dyn Conversation>) -> Result<gst::Element, glib::BoolError> {
    register();
    NEXT.set(Some(conversation));
    let client = gst::ElementFactory::make("rtspsrc").build();
    if NEXT.take().is_some() && client.is_ok() {
        return Err(glib::bool_error!("GStreamer's RTSP client does not take the extension"));
    }
    client
}

/// An RTSP message of the client. Lives as long as the call that it is given to.
#[derive(Debug)]
pub struct Message<'a>(&'a mut ffi::GstRTSPMessage);

impl Message<'_> {
    /// # Safety
    /// `message` must be valid, and used by nobody else, for the lifetime that the caller chooses.
    unsafe fn new(message: *mut ffi::GstRTSPMessage) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { &mut *message })
    }

    /// The method of a request: `DESCRIBE`.
    pub fn method(&self) -> &'static str {
        if self.0.type_ != ffi::GST_RTSP_MESSAGE_REQUEST {
            return "";
        }
        // SAFETY: the type says which part of the union is there; the text is static or null.
        let text = unsafe { ffi::gst_rtsp_method_as_text(self.0.type_data.request.method) };
        if text.is_null() {
            return "";
        }
        // SAFETY: a static C string.
        unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
    }

    /// The URI of a request.
    pub fn uri(&self) -> String {
        if self.0.type_ != ffi::GST_RTSP_MESSAGE_REQUEST {
            return String::new();
        }
        // SAFETY: the type says which part of the union is there; the text belongs to the message.
        unsafe { text(self.0.type_data.request.uri) }
    }

    /// The status of an answer.
    pub fn status(&self) -> i32 {
        if self.0.type_ != ffi::GST_RTSP_MESSAGE_RESPONSE {
            return 0;
        }
        // SAFETY: the type says which part of the union is there.
        unsafe { self.0.type_data.response.code }
    }

    /// Makes the answer one with another status.
    pub fn set_status(&mut self, status: i32) {
        if self.0.type_ == ffi::GST_RTSP_MESSAGE_RESPONSE {
            self.0.type_data.response.code = status;
        }
    }

    /// Makes the request one of `method` without a body.
    pub fn become_bare(&mut self, method: &CStr) {
        if self.0.type_ != ffi::GST_RTSP_MESSAGE_REQUEST {
            return;
        }
        // SAFETY: the name is a C string; the message is a request, and frees its old body.
        unsafe {
            self.0.type_data.request.method = ffi::gst_rtsp_find_method(method.as_ptr());
            ffi::gst_rtsp_message_set_body(self.0, std::ptr::null(), 0);
        }
        self.remove_header(c"Content-Type");
    }

    /// All values of a header.
    pub fn header(&self, name: &CStr) -> Vec<String> {
        let message = std::ptr::from_ref::<ffi::GstRTSPMessage>(self.0).cast_mut();
        let mut values = Vec::new();
        loop {
            let mut value = std::ptr::null_mut();
            let index = i32::try_from(values.len()).unwrap_or(i32::MAX);
            // SAFETY: the call only reads the message; the value belongs to it.
            let found =
                unsafe { ffi::gst_rtsp_message_get_header_by_name(message, name.as_ptr(), &raw mut value, index) };
            if found != ffi::GST_RTSP_OK {
                return values;
            }
            // SAFETY: a C string that belongs to the message.
            values.push(unsafe { text(value) });
        }
    }

    /// Removes all of a header, and sets it to `value`.
    pub fn set_header(&mut self, name: &CStr, value: &str) {
        self.remove_header(name);
        let Ok(value) = CString::new(value) else { return };
        // SAFETY: both are C strings; the message copies them.
        unsafe { ffi::gst_rtsp_message_add_header_by_name(self.0, name.as_ptr(), value.as_ptr()) };
    }

    /// Removes all of a header.
    pub fn remove_header(&mut self, name: &CStr) {
        // SAFETY: the name is a C string.
        unsafe { ffi::gst_rtsp_message_remove_header_by_name(self.0, name.as_ptr(), -1) };
    }
}

/// # Safety
/// `text` must be null or a C string.
unsafe fn text(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

glib::wrapper! {
    /// `GstRTSPExtension`.
    pub struct Extension(Interface<ffi::GstRTSPExtension, ffi::GstRTSPExtensionInterface>);

    match fn {
        type_ => || ffi::gst_rtsp_extension_get_type(),
    }
}

glib::wrapper! {
    /// The element that the client makes for itself.
    pub struct Hook(ObjectSubclass<element::Hook>) @extends gst::Element, gst::Object, @implements Extension;
}

// SAFETY: the functions take what the interface passes them, and `Hook` is the only type that implements it here.
unsafe impl IsImplementable<element::Hook> for Extension {
    fn interface_init(interface: &mut glib::Interface<Self>) {
        let interface = interface.as_mut();
        interface.before_send = Some(before_send);
        interface.after_send = Some(after_send);
    }
}

unsafe extern "C" fn before_send(
    extension: *mut ffi::GstRTSPExtension,
    request: *mut ffi::GstRTSPMessage,
) -> ffi::GstRTSPResult {
    // SAFETY: the client passes an extension of its own, and a message that is its own during the call.
    let (hook, mut request) = unsafe { (element::Hook::of(extension), Message::new(request)) };
    if let Some(conversation) = hook.and_then(|hook| hook.conversation.get().cloned()) {
        conversation.before_send(&mut request);
    }
    ffi::GST_RTSP_OK
}

unsafe extern "C" fn after_send(
    extension: *mut ffi::GstRTSPExtension,
    request: *mut ffi::GstRTSPMessage,
    answer: *mut ffi::GstRTSPMessage,
) -> ffi::GstRTSPResult {
    // SAFETY: as above; request and answer are two messages.
    let (hook, request, mut answer) =
        unsafe { (element::Hook::of(extension), Message::new(request), Message::new(answer)) };
    if let Some(conversation) = hook.and_then(|hook| hook.conversation.get().cloned()) {
        conversation.after_send(&request, &mut answer);
    }
    ffi::GST_RTSP_OK
}

mod element {
    use super::*;

    #[derive(Debug, Default)]
    pub struct Hook {
        pub(super) conversation: OnceLock<Arc<dyn Conversation>>,
    }

    impl Hook {
        /// # Safety
        /// `extension` must be null or a valid object.
        pub(super) unsafe fn of<'a>(extension: *mut ffi::GstRTSPExtension) -> Option<&'a Self> {
            if extension.is_null() {
                return None;
            }
            // SAFETY: the interface belongs to `Hook` alone, so the object is one; it outlives the call that asks.
            Some(unsafe { (*extension.cast::<<Self as ObjectSubclass>::Instance>()).imp() })
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Hook {
        const NAME: &'static str = "OcelliRtspConversation";
        type Type = super::Hook;
        type ParentType = gst::Element;
        type Interfaces = (Extension,);
    }

    impl ObjectImpl for Hook {
        fn constructed(&self) {
            self.parent_constructed();
            if let Some(conversation) = NEXT.take() {
                drop(self.conversation.set(conversation));
            }
        }
    }

    impl GstObjectImpl for Hook {}

    impl ElementImpl for Hook {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: OnceLock<gst::subclass::ElementMetadata> = OnceLock::new();
            let (name, does) = ("RTSP conversation", "Logs in and keeps the session");
            let make = || gst::subclass::ElementMetadata::new(name, "Network/Extension/Protocol", does, "ocelli");
            Some(METADATA.get_or_init(make))
        }
    }
}
