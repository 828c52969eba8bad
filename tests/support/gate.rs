//! A port in front of a broker that can be shut: while it is, subscribers settle at the broker's own port.

use super::free_port;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Passes connections on to a port of this machine while it is open.
pub struct Gate {
    pub port: u16,
    target: u16,
    is_open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    keeper: Option<JoinHandle<()>>,
}

impl Gate {
    /// Shut at first.
    pub fn new(target: u16) -> Self {
        Self { port: free_port(), target, is_open: Arc::default(), streams: Arc::default(), keeper: None }
    }

    pub fn open(&mut self) {
        self.shut();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.is_open.store(true, Ordering::SeqCst);
        let (target, is_open, streams) = (self.target, Arc::clone(&self.is_open), Arc::clone(&self.streams));
        self.keeper = Some(std::thread::spawn(move || {
            while is_open.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((client, _)) => pass_on(&client, target, &streams),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }));
    }

    /// Ends what goes through it, and lets nobody in.
    pub fn shut(&mut self) {
        self.is_open.store(false, Ordering::SeqCst);
        if let Some(keeper) = self.keeper.take() {
            keeper.join().unwrap();
        }
        for stream in self.streams.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

/// Both ways, until one side ends.
fn pass_on(client: &TcpStream, target: u16, streams: &Mutex<Vec<TcpStream>>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
    client.set_nonblocking(false).unwrap();
    for (from, to) in [(client, &server), (&server, client)] {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        streams.lock().unwrap().push(from.try_clone().unwrap());
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
        });
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shut();
    }
}
