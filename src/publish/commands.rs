//! Commands that come in over a sink, and their answers, whatever the sink's protocol.

use tokio::sync::mpsc;

/// Commands that wait to be carried out, and answers that wait to be sent; above it they are dropped and logged.
const QUEUE: usize = 16;

/// A command as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IncomingCommand {
    /// The last level of its topic.
    pub name: String,
    /// JSON, if it is in order.
    pub payload: Vec<u8>,
    /// Where its answer is to go.
    pub reply_to: ReplyTo,
}

/// Where an answer goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReplyTo {
    /// The topic that the command named; none: the box's own.
    pub topic: Option<String>,
    /// Returned as it came: by this whoever asked knows the answer.
    pub correlation: Option<Vec<u8>>,
}

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// From the command.
    pub to: ReplyTo,
    /// JSON.
    pub payload: Vec<u8>,
}

/// The appliance's end.
#[derive(Debug)]
pub struct Commands {
    /// What has come.
    pub incoming: mpsc::Receiver<IncomingCommand>,
    /// What is answered.
    pub replies: mpsc::Sender<Reply>,
}

/// The sink's end.
#[derive(Debug)]
pub struct CommandPort {
    /// What has come.
    pub incoming: mpsc::Sender<IncomingCommand>,
    /// What is answered.
    pub replies: mpsc::Receiver<Reply>,
}

/// Both ends.
pub fn channel() -> (Commands, CommandPort) {
    let (command_sender, incoming) = mpsc::channel(QUEUE);
    let (replies, reply_receiver) = mpsc::channel(QUEUE);
    (Commands { incoming, replies }, CommandPort { incoming: command_sender, replies: reply_receiver })
}
