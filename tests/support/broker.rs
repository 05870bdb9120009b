//! A real Apache Kafka broker for tests: fetched with Maven once, started in a temporary directory, gone with the test.
//!
//! Transactions can only be tested against the real thing. The broker is one `java` process on free ports; it is killed
//! when its owner is dropped, and by the kernel (where `setpriv` is there to ask for it) when the test program dies.
//! Where Java or Maven is missing the tests say loudly that they did not run; with `LOCKKEEPER_REQUIRE_KAFKA=1` that is
//! a failure.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer};
use tempfile::TempDir;

/// A start takes a second on an idle machine and half a minute on a busy one.
const PATIENCE: Duration = Duration::from_secs(120);
/// Name and password for the listener that asks for them.
pub const CREDENTIALS: (&str, &str) = ("alice", "correct-horse");

/// What a broker needs: jars, a formatted log directory, and an archive of loaded classes that halves the start.
struct Kit {
    classpath: String,
    formatted: PathBuf,
    archive: PathBuf,
}

/// A running broker; killed when dropped.
pub struct Broker {
    kit: Kit,
    folder: TempDir,
    ports: [u16; 3],
    running: Option<Running>,
}

/// The process, and the thread that has to outlive it: the kernel's promise to kill it is tied to who started it.
struct Running {
    child: Child,
    _keeper: mpsc::Sender<()>,
}

/// The broker that the tests of one program share, or `None` where there can be none, which is then said loudly.
pub fn shared() -> Option<Arc<Broker>> {
    static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(broker) = shared.upgrade() {
        return Some(broker);
    }
    let broker = Arc::new(Broker::start()?);
    *shared = Arc::downgrade(&broker);
    Some(broker)
}

impl Broker {
    /// A broker of one's own, for tests that kill it. `None` where there can be none, which is then said loudly.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same, with further properties, one a line.
    pub fn start_with(more: &str) -> Option<Self> {
        let kit = match Kit::prepare() {
            Ok(kit) => kit,
            Err(reason) => {
                not_run(&reason);
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        copy(&kit.formatted, &folder.path().join("data"));
        let mut broker = Self { kit, folder, ports: free_ports(), running: None };
        fs::write(broker.path("server.properties"), properties(&broker.path("data"), broker.ports) + more)
            .expect("written");
        broker.restart();
        Some(broker)
    }

    /// `host:port` without authentication.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// `host:port` where clients have to say who they are (SASL PLAIN, see [`CREDENTIALS`]).
    pub fn guarded_bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports[2])
    }

    /// The broker's process, for measuring what it costs.
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// Ends the broker as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().expect("killed");
            running.child.wait().expect("waited for");
        }
    }

    /// Starts the broker on the same ports and data, and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        let archive =
            self.kit.archive.exists().then(|| format!("-XX:SharedArchiveFile={}", self.kit.archive.display()));
        let options: Vec<String> =
            archive.into_iter().chain(["-Xlog:cds=off".into(), "-Xlog:cds+dynamic=off".into()]).collect();
        let command = self.kit.broker(&options, &self.path("server.properties"), &self.path("broker.log"));
        let mut running = run(command);
        let ready = wait_until_ready(&self.bootstrap(), &mut running.child);
        self.running = Some(running);
        if let Err(reason) = ready {
            let log = fs::read_to_string(self.path("broker.log")).unwrap_or_default();
            panic!("the broker does not answer: {reason}; its log:\n{log}");
        }
    }

    /// Makes a topic and waits until it can be used.
    pub fn create_topic(&self, name: &str, partitions: i32, properties: &[(&str, &str)]) {
        let client: AdminClient<DefaultClientContext> = self.client().create().expect("an admin client");
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (property, value) in properties {
            topic = topic.set(property, value);
        }
        let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let made = runtime.block_on(client.create_topics([&topic], &options)).expect("an answer");
        assert!(
            matches!(made[0], Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))),
            "topic {name} not created: {:?}",
            made[0]
        );
        let producer: BaseProducer = self.client().create().expect("a producer");
        let usable = || {
            let metadata = producer.client().fetch_metadata(Some(name), Duration::from_secs(5)).ok()?;
            let partitions_there = metadata.topics().first()?.partitions();
            let led = partitions_there.iter().filter(|partition| partition.leader() >= 0).count();
            (led == usize::try_from(partitions).ok()?).then_some(())
        };
        wait_for(&format!("leaders of topic {name}"), usable);
    }

    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap());
        config
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Kit {
    /// Fetches, formats and archives what is not there yet; one program at a time.
    fn prepare() -> Result<Self, String> {
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/pom.xml");
        let folder = cache(&pom);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        fetch(&pom, &folder)?;
        let kit = Self {
            classpath: classpath(&folder),
            formatted: folder.join("formatted"),
            archive: folder.join("classes.jsa"),
        };
        kit.format()?;
        kit.archive();
        Ok(kit)
    }

    fn java(&self) -> Command {
        let mut command = if has("setpriv") { Command::new("setpriv") } else { Command::new("java") };
        if has("setpriv") {
            command.args(["--pdeathsig", "KILL", "java"]);
        }
        command.args(["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData"]);
        command
    }

    fn broker(&self, options: &[String], properties: &Path, log: &Path) -> Command {
        let log = File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = self.java();
        command.args(options).args(["-cp", &self.classpath, "kafka.Kafka"]).arg(properties);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        command
    }

    /// What formatting writes is the same for every broker, so one copy is kept.
    fn format(&self) -> Result<(), String> {
        if self.formatted.exists() {
            return Ok(());
        }
        let draft = self.formatted.with_extension("draft");
        // Left by a run that was ended half way, if it is there.
        let _absent = fs::remove_dir_all(&draft);
        let file = self.formatted.with_extension("properties");
        fs::write(&file, properties(&draft, free_ports())).map_err(|error| error.to_string())?;
        let mut command = self.java();
        command.args([
            "-cp",
            &self.classpath,
            "kafka.tools.StorageTool",
            "format",
            "-t",
            "MkU3OEVBNTcwNTJENDM2Qg",
            "-c",
        ]);
        finish(command.arg(&file))?;
        fs::rename(&draft, &self.formatted).map_err(|error| error.to_string())
    }

    /// A broker that ends in an orderly way leaves an archive of its classes. Without one the start is only slower.
    fn archive(&self) {
        if self.archive.exists() {
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (data, file) = (folder.path().join("data"), folder.path().join("server.properties"));
        copy(&self.formatted, &data);
        let ports = free_ports();
        fs::write(&file, properties(&data, ports)).expect("written");
        let draft = self.archive.with_extension("draft");
        let options = [format!("-XX:ArchiveClassesAtExit={}", draft.display())];
        let mut running = run(self.broker(&options, &file, &folder.path().join("log")));
        if wait_until_ready(&format!("127.0.0.1:{}", ports[0]), &mut running.child).is_ok() {
            let asked = Command::new("kill").args(["-TERM", &running.child.id().to_string()]).status();
            if asked.is_ok_and(|status| status.success()) && running.child.wait().is_ok() && draft.exists() {
                fs::rename(&draft, &self.archive).expect("renamed");
                return;
            }
        }
        running.child.kill().expect("killed");
        running.child.wait().expect("waited for");
    }
}

/// Where the jars of the version that the shopping list names are kept.
fn cache(pom: &Path) -> PathBuf {
    if let Some(folder) = std::env::var_os("KAFKA_JARS") {
        return PathBuf::from(folder);
    }
    let pom = fs::read_to_string(pom).expect("the shopping list");
    let version = pom.split("<kafka.version>").nth(1).and_then(|rest| rest.split('<').next()).expect("a version");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    target.join("kafka").join(version)
}

fn fetch(pom: &Path, folder: &Path) -> Result<(), String> {
    if !has("java") {
        return Err("java is missing (Java 17 or newer is needed)".to_string());
    }
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(());
    }
    if !has("mvn") {
        return Err("mvn is missing, and with it the way to fetch Kafka".to_string());
    }
    let mut command = Command::new("mvn");
    command.args(["-B", "-ntp", "-q", "-f"]).arg(pom).args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    finish(command.arg(format!("-DoutputDirectory={}", folder.display())))?;
    File::create(complete).map(drop).map_err(|error| error.to_string())
}

/// The jars by name: an archive of classes is bound to their order.
fn classpath(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("the jars").map(|entry| entry.expect("an entry").path());
    let mut jars: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jar")).collect();
    jars.sort();
    jars.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
}

/// Whether a program is on the path.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn finish(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed: {said}")) }
}

/// Starts a process from a thread that stays until the process may go.
fn run(mut command: Command) -> Running {
    let (started, child) = mpsc::channel();
    let (keeper, stay) = mpsc::channel::<()>();
    thread::spawn(move || {
        started.send(command.spawn()).expect("someone waits for it");
        // Ends when the other side is dropped.
        let _gone = stay.recv();
    });
    let child = child.recv().expect("an answer").expect("java starts");
    Running { child, _keeper: keeper }
}

fn wait_until_ready(bootstrap: &str, child: &mut Child) -> Result<(), String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("reconnect.backoff.max.ms", "200").set("log_level", "0");
    let client: BaseProducer = config.create().map_err(|error| error.to_string())?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("it ended with {status}"));
        }
        let metadata = client.client().fetch_metadata(None, Duration::from_secs(1));
        if metadata.is_ok_and(|metadata| !metadata.brokers().is_empty()) {
            return Ok(());
        }
    }
    Err(format!("no answer within {PATIENCE:?}"))
}

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Ports below those that the system gives to outgoing connections: a client that tries to reach a broker which is
/// away could otherwise be given the broker's own port.
fn free_ports() -> [u16; 3] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() * 37 % 11_000).expect("below 11,000");
    let free = || loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 1_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    };
    [free(), free(), free()]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Output of tests that pass is swallowed; this is not.
fn not_run(reason: &str) {
    assert!(std::env::var_os("LOCKKEEPER_REQUIRE_KAFKA").is_none_or(|set| set != "1"), "kafka is required: {reason}");
    let test = thread::current().name().unwrap_or("a test").to_string();
    writeln!(std::io::stderr(), "\n!!! NOT RUN: {test} needs a real Kafka: {reason}\n").expect("standard error");
}

fn properties(data: &Path, [port, controller, guarded]: [u16; 3]) -> String {
    let (name, password) = CREDENTIALS;
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SASL_PLAINTEXT://127.0.0.1:{guarded}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
         user_{name}=\"{password}\";
log.dirs={}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
min.insync.replicas=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=false
",
        data.display()
    )
}
