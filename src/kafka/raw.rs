//! The calls into librdkafka that the safe crate does not offer, each behind a safe function.
//!
//! Why go below the crate: its flush, and with it its commit, waits in steps of 100 ms; it consumes one record at a
//! time, twice as expensive as a batch; and it panics on offset metadata that is not UTF-8. All unsafe code of the
//! Kafka layer is in this module. What holds throughout: the library's handles may be used from any thread; a
//! [`Handle`] lives as long as whatever was taken from it, because that keeps an `Arc` of it or borrows it.
#![allow(unsafe_code, reason = "the library is C; each call says why it is sound")]

mod batch;
mod event;

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{ClientConfig, TopicPartitionList};
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_vtype_t as vtype;
use rdkafka_sys::types::{RDKafkaQueue, RDKafkaRespErr, RDKafkaTopic, RDKafkaType};

use super::error::Error;
use super::sender::Outgoing;
use event::Event;

pub(super) use batch::{Batch, Message};
pub(super) use event::Notice;

/// Result of a call that reports nothing but a code.
pub(super) type Coded = Result<(), RDKafkaErrorCode>;

/// A client with its queues.
pub(super) struct Handle {
    // Fields are dropped in this order, and queues have to go before their client.
    main: Queue,
    records: Option<Queue>,
    client: Client<DefaultClientContext>,
}

/// A queue of the library, counted by it.
struct Queue(*mut RDKafkaQueue);

// SAFETY: the library locks its queues itself; the pointer is never changed.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a `get` that counted it for us, and this is the only place that gives it back.
        unsafe { sys::rd_kafka_queue_destroy(self.0) }
    }
}

impl Handle {
    pub(super) fn consumer(config: &ClientConfig) -> Result<Self, Error> {
        let mut handle = Self::new(config, RDKafkaType::RD_KAFKA_CONSUMER, sys::RD_KAFKA_EVENT_ERROR)?;
        // SAFETY: the client is alive. The queue is null only without a group, which is then an error.
        let records = unsafe { sys::rd_kafka_queue_get_consumer(handle.client.native_ptr()) };
        if records.is_null() {
            return Err(Error::Client("a consumer needs a group".to_string()));
        }
        handle.records = Some(Queue(records));
        Ok(handle)
    }

    pub(super) fn producer(config: &ClientConfig) -> Result<Self, Error> {
        // With reports as events a flush is woken by the last record instead of looking every 10 ms.
        Self::new(config, RDKafkaType::RD_KAFKA_PRODUCER, sys::RD_KAFKA_EVENT_DR | sys::RD_KAFKA_EVENT_ERROR)
    }

    fn new(config: &ClientConfig, kind: RDKafkaType, events: i32) -> Result<Self, Error> {
        let native = config.create_native_config()?;
        // SAFETY: the configuration is alive and not yet part of a client.
        unsafe { sys::rd_kafka_conf_set_events(native.ptr(), events) };
        let client = Client::new(config, native, kind, DefaultClientContext)?;
        // SAFETY: the client is alive; every client has a main queue.
        let main = Queue(unsafe { sys::rd_kafka_queue_get_main(client.native_ptr()) });
        Ok(Self { main, records: None, client })
    }

    /// The part of the library that the safe crate covers.
    pub(super) fn client(&self) -> &Client<DefaultClientContext> {
        &self.client
    }

    /// The next thing the library has to say, without waiting.
    pub(super) fn notice(&self) -> Option<Notice> {
        loop {
            // SAFETY: the queue is alive; an event is ours until destroyed, which `Event` does.
            let event = Event(unsafe { sys::rd_kafka_queue_poll(self.main.0, 0) });
            if event.0.is_null() {
                return None;
            }
            if let Some(notice) = event.notice() {
                return Some(notice);
            }
        }
    }

    pub(super) fn assign(&self, partitions: &TopicPartitionList) -> Coded {
        // SAFETY: both are alive; the library copies the list.
        coded(unsafe { sys::rd_kafka_assign(self.client.native_ptr(), partitions.ptr()) })
    }

    /// Fills in offsets and metadata of the list.
    pub(super) fn committed(&self, partitions: &TopicPartitionList, wait: Duration) -> Coded {
        // SAFETY: both are alive; the list is written to before the call returns and shared with nobody.
        coded(unsafe { sys::rd_kafka_committed(self.client.native_ptr(), partitions.ptr(), millis(wait)) })
    }

    /// Commits outside any transaction and waits for the answer.
    pub(super) fn commit(&self, offsets: &TopicPartitionList) -> Coded {
        // SAFETY: both are alive; the call is synchronous.
        coded(unsafe { sys::rd_kafka_commit(self.client.native_ptr(), offsets.ptr(), 0) })
    }

    /// The end of a partition as the last fetch response had it; negative where there was none. Asks nobody.
    pub(super) fn high_watermark(&self, topic: &str, partition: i32) -> Result<i64, RDKafkaErrorCode> {
        let topic = CString::new(topic).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        let (mut low, mut high) = (-1, -1);
        let client = self.client.native_ptr();
        // SAFETY: the client is alive, the topic ends with a zero byte and is only read during the call; both numbers
        // are ours and written to before the call returns.
        coded(unsafe { sys::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high) })?;
        Ok(high)
    }

    /// Reads these partitions beside those that are read already, each from its offset.
    pub(super) fn add(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        // SAFETY: both are alive; the library copies the list.
        answer(unsafe { sys::rd_kafka_incremental_assign(self.client.native_ptr(), partitions.ptr()) })
    }

    /// Reads these partitions no more.
    pub(super) fn remove(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        // SAFETY: both are alive; the library copies the list.
        answer(unsafe { sys::rd_kafka_incremental_unassign(self.client.native_ptr(), partitions.ptr()) })
    }

    pub(super) fn group_metadata(&self) -> Option<GroupMetadata> {
        // SAFETY: the client is alive; what is returned is a copy that is ours.
        let metadata = unsafe { sys::rd_kafka_consumer_group_metadata(self.client.native_ptr()) };
        (!metadata.is_null()).then_some(GroupMetadata(metadata))
    }

    /// A topic to write to, so that its name is not looked up for each record.
    pub(super) fn topic(self: &Arc<Self>, name: &str) -> Result<Topic, RDKafkaErrorCode> {
        let name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the client is alive, the name ends with a zero byte and is copied; without a configuration the topic
        // takes the client's.
        let topic = unsafe { sys::rd_kafka_topic_new(self.client.native_ptr(), name.as_ptr(), ptr::null_mut()) };
        if topic.is_null() {
            return Err(RDKafkaErrorCode::InvalidTopic);
        }
        Ok(Topic { raw: topic, _handle: Arc::clone(self) })
    }

    /// Copies a record into the library's queue.
    pub(super) fn produce(&self, topic: &Topic, record: &Outgoing) -> Coded {
        let headers = Headers::new(record.headers)?;
        let (key, key_length) = bytes(record.key);
        let (payload, payload_length) = bytes(record.payload);
        // SAFETY: the arguments come in pairs of a tag and what `rd_kafka_producev` reads for that tag, and end with
        // END; all pointers live through the call, and MSG_F_COPY makes the library copy key and payload.
        let code = unsafe {
            sys::rd_kafka_producev(
                self.client.native_ptr(),
                vtype::RD_KAFKA_VTYPE_RKT,
                topic.raw,
                vtype::RD_KAFKA_VTYPE_PARTITION,
                record.partition.unwrap_or(-1),
                vtype::RD_KAFKA_VTYPE_MSGFLAGS,
                sys::RD_KAFKA_MSG_F_COPY,
                vtype::RD_KAFKA_VTYPE_VALUE,
                payload,
                payload_length,
                vtype::RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                vtype::RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp.unwrap_or(0),
                vtype::RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                vtype::RD_KAFKA_VTYPE_END,
            )
        };
        coded(code)?;
        // Taken over with the record.
        std::mem::forget(headers);
        Ok(())
    }

    /// Waits until nothing is in flight; woken exactly. Records that failed count until [`Self::notice`] returned them.
    pub(super) fn flush(&self, wait: Duration) -> Coded {
        // SAFETY: the client is alive.
        coded(unsafe { sys::rd_kafka_flush(self.client.native_ptr(), millis(wait)) })
    }

    /// Gives up what has not been sent yet.
    pub(super) fn purge_unsent(&self) -> Coded {
        // SAFETY: the client is alive.
        coded(unsafe { sys::rd_kafka_purge(self.client.native_ptr(), sys::RD_KAFKA_PURGE_F_QUEUE) })
    }

    pub(super) fn init_transactions(&self, wait: Duration) -> Result<(), Fault> {
        // SAFETY: the client is alive; so for the next four.
        answer(unsafe { sys::rd_kafka_init_transactions(self.client.native_ptr(), millis(wait)) })
    }

    pub(super) fn begin_transaction(&self) -> Result<(), Fault> {
        // SAFETY: see `init_transactions`.
        answer(unsafe { sys::rd_kafka_begin_transaction(self.client.native_ptr()) })
    }

    pub(super) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        group: &GroupMetadata,
        wait: Duration,
    ) -> Result<(), Fault> {
        let client = self.client.native_ptr();
        // SAFETY: see `init_transactions`; list and group are alive and copied by the library.
        answer(unsafe { sys::rd_kafka_send_offsets_to_transaction(client, offsets.ptr(), group.0, millis(wait)) })
    }

    /// Waits for as long as the transaction may last: anything shorter would leave library and broker at odds.
    pub(super) fn commit_transaction(&self) -> Result<(), Fault> {
        // SAFETY: see `init_transactions`.
        answer(unsafe { sys::rd_kafka_commit_transaction(self.client.native_ptr(), -1) })
    }

    /// Waits for as long as the transaction may last.
    pub(super) fn abort_transaction(&self) -> Result<(), Fault> {
        // SAFETY: see `init_transactions`.
        answer(unsafe { sys::rd_kafka_abort_transaction(self.client.native_ptr(), -1) })
    }
}

/// A topic to write to.
pub(super) struct Topic {
    raw: *mut RDKafkaTopic,
    // The client outlives its topics.
    _handle: Arc<Handle>,
}

// SAFETY: the library locks its topics itself; the pointer is never changed.
unsafe impl Send for Topic {}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `rd_kafka_topic_new`, which counted it for us; the client is still alive, since
        // fields are dropped after this.
        unsafe { sys::rd_kafka_topic_destroy(self.raw) }
    }
}

/// Headers on their way into a record; given back unless the record was taken.
struct Headers(*mut sys::rd_kafka_headers_t);

impl Headers {
    fn new(pairs: &[(&str, &[u8])]) -> Result<Self, RDKafkaErrorCode> {
        // SAFETY: allocates.
        let headers = Self(unsafe { sys::rd_kafka_headers_new(pairs.len()) });
        for (name, value) in pairs {
            // Lengths of slices fit `isize`.
            let (name_length, value_length) = (name.len() as isize, value.len() as isize);
            // SAFETY: the headers are alive; name and value are read within their lengths and copied.
            coded(unsafe {
                let value = value.as_ptr().cast();
                sys::rd_kafka_header_add(headers.0, name.as_ptr().cast(), name_length, value, value_length)
            })?;
        }
        Ok(headers)
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: still ours, or it would have been forgotten.
        unsafe { sys::rd_kafka_headers_destroy(self.0) }
    }
}

/// Who the group believes we are; sent along with offsets so that a member of the past cannot commit.
pub(super) struct GroupMetadata(*mut sys::rd_kafka_consumer_group_metadata_t);

// SAFETY: a copy that nothing else points to and that is only read.
unsafe impl Send for GroupMetadata {}
// SAFETY: as above.
unsafe impl Sync for GroupMetadata {}

impl Drop for GroupMetadata {
    fn drop(&mut self) {
        // SAFETY: ours, and given back only here.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0) }
    }
}

/// What a call said that says more than a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: RDKafkaErrorCode,
    pub(super) reason: String,
    pub(super) fatal: bool,
    pub(super) retriable: bool,
    pub(super) abortable: bool,
}

fn answer(error: *mut sys::rd_kafka_error_t) -> Result<(), Fault> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: not null and ours; read, then given back once.
    let fault = unsafe {
        let fault = Fault {
            code: sys::rd_kafka_error_code(error).into(),
            reason: text(sys::rd_kafka_error_string(error)),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            abortable: sys::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        sys::rd_kafka_error_destroy(error);
        fault
    };
    Err(fault)
}

/// The metadata of each element of a list, as bytes: anybody may have committed anything.
pub(super) fn metadata(partitions: &TopicPartitionList) -> Vec<Vec<u8>> {
    // SAFETY: the list is alive and its elements are an array of `cnt`.
    let list = unsafe { &*partitions.ptr() };
    let element = |at: usize| {
        // SAFETY: `at` is below `cnt`; metadata is null or valid for its size while the list lives. Only two fields are
        // touched, because the code beside them may be none of the enumeration's.
        unsafe {
            let element = list.elems.add(at);
            slice_of((*element).metadata, (*element).metadata_size).unwrap_or_default().to_vec()
        }
    };
    (0..usize::try_from(list.cnt).unwrap_or(0)).map(element).collect()
}

fn coded(code: RDKafkaRespErr) -> Coded {
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}

/// A time limit as the library takes it; never its "for ever".
fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

/// Pointer and length of a value; null for none.
fn bytes(value: Option<&[u8]>) -> (*mut c_void, usize) {
    value.map_or((ptr::null_mut(), 0), |value| (value.as_ptr().cast_mut().cast(), value.len()))
}

/// # Safety
/// `start` is null, or valid for reads of `length` bytes for `'a`.
unsafe fn slice_of<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}

/// A text of the library, which is null or ends with a zero byte.
fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: not null; every text of the library ends with a zero byte.
    unsafe { CStr::from_ptr(start) }.to_string_lossy().trim().to_string()
}
