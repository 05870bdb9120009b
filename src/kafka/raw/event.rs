//! What the library says outside of any call: its log, trouble with the client, records that were given up.

use std::ptr;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaEvent;

use super::text;

/// What the library says outside of any call.
#[derive(Debug)]
pub(in crate::kafka) enum Notice {
    /// A line of its log; levels as in syslog, 3 is an error.
    Log { level: i32, facility: String, line: String },
    /// Something about the client as a whole.
    Trouble { code: RDKafkaErrorCode, reason: String, fatal: bool },
    /// Records that were given up.
    Undelivered { code: RDKafkaErrorCode, records: usize },
}

/// An event of the main queue, or null.
pub(super) struct Event(pub(super) *mut RDKafkaEvent);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours since it was polled; null is allowed.
        unsafe { sys::rd_kafka_event_destroy(self.0) }
    }
}

impl Event {
    pub(super) fn notice(&self) -> Option<Notice> {
        // SAFETY: the event is alive and not null; so for all calls below. Texts live as long as the event.
        match unsafe { sys::rd_kafka_event_type(self.0) } {
            sys::RD_KAFKA_EVENT_LOG => self.log(),
            sys::RD_KAFKA_EVENT_DR => {
                // SAFETY: see above.
                let records = unsafe { sys::rd_kafka_event_message_count(self.0) };
                let code = self.code();
                (code != RDKafkaErrorCode::NoError).then_some(Notice::Undelivered { code, records })
            }
            sys::RD_KAFKA_EVENT_ERROR => {
                // SAFETY: see above.
                let (reason, fatal) =
                    unsafe { (sys::rd_kafka_event_error_string(self.0), sys::rd_kafka_event_error_is_fatal(self.0)) };
                Some(Notice::Trouble { code: self.code(), reason: text(reason), fatal: fatal != 0 })
            }
            _ => None,
        }
    }

    fn code(&self) -> RDKafkaErrorCode {
        // SAFETY: the event is alive.
        unsafe { sys::rd_kafka_event_error(self.0) }.into()
    }

    fn log(&self) -> Option<Notice> {
        let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is alive; the three are written to before the call returns.
        let result = unsafe { sys::rd_kafka_event_log(self.0, &mut facility, &mut line, &mut level) };
        (result == 0).then(|| Notice::Log { level, facility: text(facility), line: text(line) })
    }
}
