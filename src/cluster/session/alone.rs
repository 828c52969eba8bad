//! While etcd is not there: cameras go on, and orders that need it are refused.

use super::orders::{AWAY, Order};
use super::{Left, PERIOD, Session};
use crate::cluster::member::Situation;
use crate::cluster::models::ModelOrderError;
use crate::os::clock::monotonic_now;
use tokio::time::sleep;

impl Session {
    /// Waits for something while etcd is not there, and decides meanwhile.
    pub(super) async fn alone_while<T>(&mut self, waiting: impl Future<Output = T>) -> Result<T, Left> {
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                done = &mut waiting => return Ok(done),
                Ok(()) = self.heard.changed() => self.decide_alone(),
                () = sleep(PERIOD) => self.decide_alone(),
                order = self.orders.recv() => match order {
                    Some(Order::Drain(is_draining, reply)) => {
                        self.is_draining = is_draining;
                        let why = "etcd cannot be reached: the box drains as soon as it is";
                        drop(reply.send(Err(why.to_owned())));
                    }
                    Some(Order::Model(order)) => {
                        drop(order.reply.send(Err(ModelOrderError::NotNow(AWAY.to_owned()))));
                    }
                    Some(Order::Leave(reply)) => {
                        // The lease ends by itself, and who has asked may have left.
                        let _left: Result<(), ()> = reply.send(());
                        return Err(Left);
                    }
                    None => return Err(Left),
                },
            }
        }
    }

    pub(super) fn decide_alone(&mut self) {
        let (heard, report) = (self.heard.borrow().clone(), self.report.borrow().clone());
        let impossible = report.cannot.keys().cloned().collect();
        let situation = Situation { view: None, heard: &heard, streaming: &report.streaming, impossible: &impossible };
        // Without a view it asks for nothing.
        drop(self.member.decide(situation, monotonic_now()));
        self.tell();
    }
}
