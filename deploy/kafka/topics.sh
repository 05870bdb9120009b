#!/bin/sh
# Makes the topics that docs/lockkeeper.example.yaml names, with a control topic besides. Safe to run again: what is
# there stays as it is. docs/kafka.md says why each setting is as it is.
#
#   BOOTSTRAP=kafka:9092 PARTITIONS=12 REPLICAS=3 deploy/kafka/topics.sh
#
# KAFKA_TOPICS names Kafka's tool, COMMAND_CONFIG a file with its security settings.
set -eu
: "${BOOTSTRAP:=localhost:9092}" "${PARTITIONS:=12}" "${REPLICAS:=3}" "${KAFKA_TOPICS:=kafka-topics.sh}"
if [ "$REPLICAS" -gt 1 ]; then in_sync=$((REPLICAS - 1)); else in_sync=1; fi
day=86400000

# make TOPIC PARTITIONS SETTING...
make() {
    topic=$1 partitions=$2 settings=
    shift 2
    for setting in "min.insync.replicas=$in_sync" "$@"; do settings="$settings --config $setting"; done
    # Settings hold no blanks.
    # shellcheck disable=SC2086
    "$KAFKA_TOPICS" --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} \
        --create --if-not-exists --topic "$topic" --partitions "$partitions" --replication-factor "$REPLICAS" $settings
}

# Events, and what only those may write who may unlock. The same number of partitions, for ever.
for topic in wallet-events wallet-control; do
    make "$topic" "$PARTITIONS" cleanup.policy=delete retention.ms=$((14 * day)) message.timestamp.type=LogAppendTime
done
make decisions "$PARTITIONS" cleanup.policy=delete retention.ms=$((7 * day))
make lock-events 3 cleanup.policy=delete retention.ms=$((90 * day))
make locks 3 cleanup.policy=compact delete.retention.ms=$((7 * day))
for topic in dlq.wallet-events dlq.wallet-control; do
    make "$topic" 1 cleanup.policy=delete retention.ms=$((30 * day))
done
# An order: exactly one partition.
make lockkeeper-journal 1 cleanup.policy=delete retention.ms=$((90 * day))
