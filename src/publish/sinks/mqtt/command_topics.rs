//! Which messages are commands to this box, and where their replies may go.
//!
//! Whoever may publish commands names the topic of the reply, and the box publishes it with its own rights at the broker. So
//! replies go below the box's own `reply`, or where the settings permit; otherwise a command could make the box switch a
//! lock of somebody else, or report that the box itself is gone.

use crate::publish::commands::{CommandPort, IncomingCommand, Reply};
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::publish::sinks::mqtt::topics;
use crate::vision::line_limit::LineLimit;
use crate::vision::monotonic::Monotonic;

/// The topics of commands and replies of this box.
pub(super) struct CommandTopics {
    /// What the box subscribes to; `None` without commands.
    pub(super) subscription: Option<String>,
    /// Before the name of a command.
    commands: String,
    reply: String,
    /// Before every topic of this box.
    own: String,
    /// What other topics of replies begin with.
    reply_prefixes: Vec<String>,
    /// Of the lines about commands that are not carried out, and about replies that go elsewhere or nowhere.
    commands_lines: LineLimit,
    reply_lines: LineLimit,
}

impl CommandTopics {
    pub(super) fn new(settings: &MqttSettings, box_id: &str) -> Self {
        let prefix = &settings.topic_prefix;
        let subscription = topics::commands(prefix, box_id);
        let commands = subscription.trim_end_matches('+').to_owned();
        let reply = topics::reply(prefix, box_id);
        Self {
            own: reply.trim_end_matches("reply").to_owned(),
            subscription: settings.commands.then_some(subscription),
            commands,
            reply,
            reply_prefixes: settings.reply_prefixes.clone(),
            commands_lines: LineLimit::default(),
            reply_lines: LineLimit::default(),
        }
    }

    /// Passes a command on. A retained one is ignored: it would be carried out again with each connection. So is one of a
    /// topic to which the box has not subscribed, which only a hostile broker sends.
    pub(super) fn pass_on(&mut self, message: Incoming, port: &CommandPort, now: Monotonic) {
        let Incoming { topic, is_retained, payload, reply_to } = message;
        let name = topic.strip_prefix(&self.commands).filter(|name| self.subscription.is_some() && !name.contains('/'));
        let why = match name {
            None => "this box has not subscribed to its topic",
            Some(_) if is_retained => "it is retained: publish commands without the retain flag",
            Some(name) => {
                let command = IncomingCommand { name: name.to_owned(), payload, reply_to };
                match port.incoming.try_send(command) {
                    Ok(()) => return,
                    Err(_) => "earlier ones are still being carried out",
                }
            }
        };
        if let Some(left_out) = self.commands_lines.admit(now) {
            tracing::warn!(topic, left_out = left_out.count(), "a command is ignored: {why}{left_out}");
        }
    }

    /// The topic for a reply.
    pub(super) fn of_reply(&mut self, reply: &Reply, now: Monotonic) -> String {
        let Some(named) = &reply.to.topic else { return self.reply.clone() };
        if self.may_be_told(named) {
            return named.clone();
        }
        if let Some(left_out) = self.reply_lines.admit(now) {
            let (topic, own) = (named, &self.reply);
            tracing::warn!(
                topic,
                left_out = left_out.count(),
                "a reply goes to {own}: its response topic is neither below that nor begins with one of `reply_prefixes` of \
                 [mqtt]{left_out}"
            );
        }
        self.reply.clone()
    }

    /// The reply to a command could not be sent.
    pub(super) fn reply_is_dropped(&mut self, topic: &str, now: Monotonic) {
        if let Some(left_out) = self.reply_lines.admit(now) {
            let count = left_out.count();
            tracing::warn!(topic, left_out = count, "a reply is dropped: the broker is away or slow{left_out}");
        }
    }

    fn may_be_told(&self, topic: &str) -> bool {
        let below_reply = topic.strip_prefix(&self.reply).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_permitted = self.reply_prefixes.iter().any(|prefix| topic.starts_with(prefix.as_str()));
        below_reply || (is_permitted && !topic.starts_with(&self.own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::{ReplyTo, channel};

    const NOW: Monotonic = Monotonic::from_nanos(0);

    fn topics_of(commands: bool) -> CommandTopics {
        let settings = MqttSettings { commands, reply_prefixes: vec!["answers/".into()], ..MqttSettings::default() };
        CommandTopics::new(&settings, "gate")
    }

    fn message(topic: &str, is_retained: bool) -> Incoming {
        Incoming { topic: topic.into(), is_retained, payload: vec![], reply_to: ReplyTo::default() }
    }

    #[test]
    fn replies_go_below_the_boxes_own_topic_or_where_the_settings_permit() {
        let mut topics = topics_of(true);
        let mut of = |topic: &str| {
            let to = ReplyTo { topic: Some(topic.into()), correlation: None };
            topics.of_reply(&Reply { to, payload: vec![] }, NOW)
        };
        for topic in ["ocelli/gate/reply", "ocelli/gate/reply/7", "answers/here"] {
            assert_eq!(of(topic), topic);
        }
        for topic in [
            "zigbee2mqtt/lock/set",
            "ocelli/gate/available",
            "ocelli/gate/command/stop",
            "ocelli/gate/replying",
            "ocelli/yard/reply",
            "answers",
            "homeassistant/status",
        ] {
            assert_eq!(of(topic), "ocelli/gate/reply", "{topic}");
        }
        topics.reply_prefixes = vec!["ocelli/".into()];
        let to = |topic: &str| ReplyTo { topic: Some(topic.into()), correlation: None };
        let mut of = |topic: &str| topics.of_reply(&Reply { to: to(topic), payload: vec![] }, NOW);
        assert_eq!(of("ocelli/panel/7"), "ocelli/panel/7");
        assert_eq!(of("ocelli/gate/available"), "ocelli/gate/reply", "no setting permits the box's own topics");
    }

    #[test]
    fn only_topics_of_commands_are_commands_and_only_once() {
        for (topic, is_retained, commands, passes) in [
            ("ocelli/gate/command/stop", false, true, true),
            ("ocelli/gate/command/stop", true, true, false),
            ("ocelli/gate/command/stop", false, false, false),
            ("other/stop", false, true, false),
            ("ocelli/yard/command/stop", false, true, false),
            ("ocelli/gate/command/a/stop", false, true, false),
        ] {
            let (mut commands_in, port) = channel();
            topics_of(commands).pass_on(message(topic, is_retained), &port, NOW);
            assert_eq!(commands_in.incoming.try_recv().is_ok(), passes, "{topic}");
        }
    }
}
