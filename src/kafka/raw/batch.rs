//! Taking records from the library, many at a time, and looking at them one by one.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaMessage;

use super::{Handle, millis, slice_of, text};
use crate::kafka::fetched::TimeKind;

/// Records taken from the library and not yet looked at.
pub(in crate::kafka) struct Batch {
    messages: Vec<*mut RDKafkaMessage>,
    next: usize,
    handle: Arc<Handle>,
}

// SAFETY: the messages are ours alone until destroyed, from whichever thread.
unsafe impl Send for Batch {}

/// A record, an end of partition or an error, as the library holds it.
pub(in crate::kafka) struct Message<'a> {
    /// The same for all records of a topic while it is assigned. Zero where there is no topic.
    pub(in crate::kafka) topic_id: usize,
    pub(in crate::kafka) partition: i32,
    pub(in crate::kafka) offset: i64,
    /// 0 for a record, else one of the library's codes.
    pub(in crate::kafka) code: i32,
    pub(in crate::kafka) key: Option<&'a [u8]>,
    /// Of an error: its text.
    pub(in crate::kafka) value: Option<&'a [u8]>,
    raw: &'a RDKafkaMessage,
}

impl Batch {
    pub(in crate::kafka) fn new(handle: Arc<Handle>) -> Self {
        Self { messages: Vec::new(), next: 0, handle }
    }

    /// Takes up to `most` records, waiting for exactly that many. Call it only when all earlier ones are gone.
    ///
    /// The library waits for a full batch: ask for all without waiting, or for one with.
    pub(in crate::kafka) fn fill(&mut self, most: usize, wait: Duration) {
        self.clear();
        let Some(queue) = &self.handle.records else { return };
        self.messages.resize(most, ptr::null_mut());
        // SAFETY: the queue is alive; the array has room for `most` pointers, and those written are ours to destroy.
        let taken =
            unsafe { sys::rd_kafka_consume_batch_queue(queue.0, millis(wait), self.messages.as_mut_ptr(), most) };
        self.messages.truncate(usize::try_from(taken).unwrap_or(0));
    }

    /// The record that is next.
    pub(in crate::kafka) fn first(&self) -> Option<Message<'_>> {
        let message = *self.messages.get(self.next)?;
        // SAFETY: taken from the library and not destroyed yet; the borrow of `self` keeps it so. The code is read as a
        // number, since a newer broker's may be none of the enumeration's.
        let (raw, code) = unsafe { (&*message, ptr::addr_of!((*message).err).cast::<i32>().read()) };
        Some(Message {
            topic_id: raw.rkt as usize,
            partition: raw.partition,
            offset: raw.offset,
            code,
            // SAFETY: as above; key and payload are null or valid for their lengths while the message lives.
            key: unsafe { slice_of(raw.key, raw.key_len) },
            // SAFETY: as above.
            value: unsafe { slice_of(raw.payload, raw.len) },
            raw,
        })
    }

    /// Done with the record that is next.
    pub(in crate::kafka) fn advance(&mut self) {
        if let Some(message) = self.messages.get(self.next) {
            // SAFETY: ours, and `next` moves on, so nobody sees it again.
            unsafe { sys::rd_kafka_message_destroy(*message) };
            self.next += 1;
        }
    }

    /// Forgets all that was taken and not looked at.
    pub(in crate::kafka) fn clear(&mut self) {
        while self.next < self.messages.len() {
            self.advance();
        }
        self.messages.clear();
        self.next = 0;
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Message<'_> {
    /// Milliseconds since 1970, and who set them.
    pub(in crate::kafka) fn time(&self) -> (i64, TimeKind) {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive; the kind is written before the call returns.
        let time = unsafe { sys::rd_kafka_message_timestamp(self.raw, &mut kind) };
        let kind = match kind {
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => TimeKind::Created,
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => TimeKind::Appended,
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => TimeKind::Missing,
        };
        (time, kind)
    }

    /// The topic's name, empty where there is none.
    pub(in crate::kafka) fn topic(&self) -> String {
        if self.raw.rkt.is_null() {
            return String::new();
        }
        // SAFETY: the topic lives at least as long as its message.
        text(unsafe { sys::rd_kafka_topic_name(self.raw.rkt) })
    }
}
