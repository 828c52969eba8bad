//! Commands that arrive over a sink, and their replies, independent of the sink's protocol.

use tokio::sync::mpsc;

/// Capacity of the queue of commands and of the queue of replies. A full queue drops the newest, with a log line.
const QUEUE: usize = 16;

/// A command as it was received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IncomingCommand {
    /// The last level of its topic, such as `scale`.
    pub name: String,
    /// The body, not validated: JSON is expected.
    pub payload: Vec<u8>,
    /// Where the reply is sent.
    pub reply_to: ReplyTo,
}

/// Where a reply is sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReplyTo {
    /// The response topic of the command; `None`: the box's own reply topic.
    pub topic: Option<String>,
    /// Correlation data of the command, returned unchanged so that the client can match the reply.
    pub correlation: Option<Vec<u8>>,
}

/// The reply to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// Copied from the command.
    pub to: ReplyTo,
    /// The JSON body.
    pub payload: Vec<u8>,
}

/// The appliance's end.
#[derive(Debug)]
pub struct Commands {
    /// Commands to carry out.
    pub incoming: mpsc::Receiver<IncomingCommand>,
    /// Takes replies to send.
    pub replies: mpsc::Sender<Reply>,
}

/// The sink's end.
#[derive(Debug)]
pub struct CommandPort {
    /// Takes received commands.
    pub incoming: mpsc::Sender<IncomingCommand>,
    /// Replies to send.
    pub replies: mpsc::Receiver<Reply>,
}

/// Connects an appliance with a sink.
pub fn channel() -> (Commands, CommandPort) {
    let (command_sender, incoming) = mpsc::channel(QUEUE);
    let (replies, reply_receiver) = mpsc::channel(QUEUE);
    (Commands { incoming, replies }, CommandPort { incoming: command_sender, replies: reply_receiver })
}
